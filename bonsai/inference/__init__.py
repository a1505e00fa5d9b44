"""Ask a model: `client.py` is what callers see, the workers load the model in processes of their own."""
