"""The gate: may this challenger become champion? `decide.py` is the decision, `rules.py` the rules A to F."""
