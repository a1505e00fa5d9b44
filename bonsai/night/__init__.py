"""A night, step by step: what it trains on, how it is evaluated, watched and stopped."""
