"""Bonsai grows a small language model on its owner's own experience."""

__version__ = "0.2.0"
