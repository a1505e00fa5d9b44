"""Records on their way in, and what people do with those that are there."""
