"""Prefect, and nothing but Prefect: when the steps of `bonsai.night` run, where, and what a failure means."""
