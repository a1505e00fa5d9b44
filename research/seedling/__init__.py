"""Builds the seedling: `python -m research seedling build FOLDER`."""
