"""The model: how it is prompted, loaded and asked."""
