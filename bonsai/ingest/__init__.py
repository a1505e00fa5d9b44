"""Ingest as pure functions: file readers, deduplication, tagging."""
