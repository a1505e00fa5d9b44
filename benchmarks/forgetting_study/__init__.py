"""Study of `benchmarks/forgetting.py`: what a night forgets of what nothing rehearses, recipe by recipe."""
