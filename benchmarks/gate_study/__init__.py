"""How often the promotion gate is wrong, measured on the seedling: `python benchmarks/gate.py` says how to run it."""
