"""Error rates of the promotion gate, measured on the seedling; run by `benchmarks/gate.py`."""
