"""Makes the seedling anew: `python -m research.seedling.build FOLDER`."""
