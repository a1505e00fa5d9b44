"""Questions to the champion and to others beside it."""
