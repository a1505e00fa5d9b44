"""A night, step by step: what it trains on, how it is watched and stopped."""
