"""The benchmark: fixed questions, scoring, reports and statistics."""
