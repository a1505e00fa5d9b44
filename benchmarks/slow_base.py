"""How long a real base takes to answer the benchmark on a CPU: plain `generate`, and as Bonsai asks.

    python benchmarks/slow_base.py HOME --base smollm2 [--questions 96]

Every n-th question of the selection pool, by the bare base (which writes long answers and loops: the slowest case).
Plain: transformers' `generate` on batches of 16 of similar length, until the last row of each ends. Bonsai: batches
that shrink, loops that are left, keys with room ahead, a head that is not copied. Both in both precisions; bfloat16
pays on a CPU with AMX. Ratios are from one run. Answers differ in where loops are left, and where a near tie falls
otherwise.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from transformers import GenerationConfig, PreTrainedModel

from bonsai.config.settings import load_config
from bonsai.evaluate import questions
from bonsai.model.bases import model_folder
from bonsai.model.greedy import batches, complete
from bonsai.model.hf import load_base
from bonsai.model.native import template_of
from bonsai.model.prompt import Question

PLAIN_BATCH = 16
Rows = Sequence[tuple[int, ...]]


def main() -> int:
    """Time all four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--base", required=True, help="a profile of the home")
    parser.add_argument("--questions", type=int, default=96)
    given = parser.parse_args()
    profile = load_config(given.home, {}).profiles[given.base]
    pool = questions.load("selection")
    items = pool[:: max(1, len(pool) // given.questions)][: given.questions]
    table = Table(
        "precision", "way", "seconds", "times as fast", "tokens", title=f"{given.base}: {len(items)} questions"
    )
    slowest = 0.0
    for precision in ("float32", "bfloat16"):
        base = replace(profile.base, compute_dtype=precision)
        loaded = load_base(base, "cpu")
        form = template_of(model_folder(base), profile.recipe.template)
        prompts = [loaded.encoder.question(form, Question(one.instruction, one.input)) for one in items]
        limits = [base.answer_tokens_en if one.language == "en" else base.answer_tokens_ja for one in items]
        ends = loaded.encoder.ends_of(form)
        with torch.inference_mode():
            ours = timed(lambda: _bonsai(loaded.model, prompts, limits, ends, loaded.batch))  # noqa: B023
            loaded.model.get_output_embeddings()._forward_pre_hooks.clear()
            plain = timed(lambda: _plain(loaded.model, prompts, limits, ends))  # noqa: B023
        for way, (seconds, tokens) in (("plain", plain), ("Bonsai", ours)):
            slowest = slowest or seconds
            table.add_row(precision, way, f"{seconds:.0f}", f"{slowest / seconds:.1f}", str(tokens))
    Console(width=80).print(table)
    return 0


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds, and what the work returns."""
    started = time.perf_counter()
    made = work()
    return time.perf_counter() - started, made


def _bonsai(model: PreTrainedModel, prompts: Rows, limits: Sequence[int], ends: tuple[int, ...], size: int) -> int:
    return sum(len(one.ids) for one in complete(model, prompts, limits, ends, size, lambda _done: None))


def _plain(model: PreTrainedModel, prompts: Rows, limits: Sequence[int], ends: tuple[int, ...]) -> int:
    tokens = 0
    for batch in batches(prompts, PLAIN_BATCH):
        width = max(len(prompts[i]) for i in batch)
        ids = torch.tensor([[ends[0]] * (width - len(prompts[i])) + list(prompts[i]) for i in batch])
        mask = torch.tensor([[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in batch])
        most = max(limits[i] for i in batch)
        greedy = GenerationConfig(do_sample=False, max_new_tokens=most, eos_token_id=list(ends), pad_token_id=ends[0])
        made = model.generate(input_ids=ids, attention_mask=mask, generation_config=greedy)
        tokens += int((made[:, width:] != ends[0]).sum())
    return tokens


if __name__ == "__main__":
    raise SystemExit(main())
