"""A simulated month of nights: facts and questions, training by policy, report. Run by `benchmarks/month.py`."""
