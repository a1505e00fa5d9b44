"""Study of `benchmarks/real_models.py`: what real language models learn of invented owners in a night."""
