"""Builders of the shipped data and model, and experiments. Not used at night and not part of the wheel."""
