"""A month of nights: what is told and asked, how the policies train, and the report. `benchmarks/month.py` runs it."""
