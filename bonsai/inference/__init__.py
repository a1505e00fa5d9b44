"""Inference: `client.py` is the interface; workers load the model in processes of their own."""
