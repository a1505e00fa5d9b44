"""Builds the bundled sample files from the authored facts: `python -m research.samples.render`."""
