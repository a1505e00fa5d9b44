"""Durable files, locks, worker processes and progress."""
