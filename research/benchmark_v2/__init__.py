"""Benchmark 2: `python -m research.benchmark_v2 FOLDER` writes the pools and the manifest.

It asks the questions of benchmark 1 and, from the files here, facts in both languages that nothing in this repository
teaches. Each fact names the values of a right answer, their rivals, and what a right answer does (`kind`), for
scoring 2 (`bonsai.evaluate.statements`); `keys/` does so for the questions of benchmark 1. `control.toml` holds facts
of the same kinds as the samples, in their format (`research.samples.facts`), which nothing teaches: what they gain is
form. Answers to the prompts in `bonsai/train/replay_prompts.toml`, which ask for none of these facts, are the replay of
other bases.
"""
