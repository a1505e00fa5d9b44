"""Presenters of the command line."""
