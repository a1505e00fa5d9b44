"""The seedling: a small bilingual base model of our own, its world, its recipe and its weights."""
