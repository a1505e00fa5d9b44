"""Why one was promoted or refused: answers side by side, data, blind reviews, the benchmark by hand."""
