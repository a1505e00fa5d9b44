"""The fixed questions, how answers to them are scored, and the figures made of the scores."""
