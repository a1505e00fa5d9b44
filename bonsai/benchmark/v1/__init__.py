"""Version 1 of the questions: three pools, their manifest, and how they were made."""
