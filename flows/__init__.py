"""Prefect, and nothing but Prefect: when the steps of `bonsai.pipeline` run, where, and what a failure means."""
