"""Speed of an evaluation run with two models: one question at a time, as in a first script, and batched, as in Bonsai.

    python -m benchmarks.evaluation_speed [--one-by-one 80]      # about 3 minutes on two cores

Every variant asks the base and an adapter for an answer and for the likelihood of the reference. Seed project: a base
per model, NF4 packed, one `generate` per question, one forward pass per reference, logits of every position. Then the
same on a base as Bonsai loads it, which unpacks NF4 once. Bonsai: one base with the adapter switched, batches by
length, logits of the response only, no gradients. The first two are timed on every n-th question and quoted per
question. Answers are compared token by token: a batch adds in another order, so a near-tie may be decided differently.
Ratios are from one run.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from peft import PeftModel
from rich.console import Console
from rich.table import Table
from transformers import GenerationConfig

from benchmarks.packed_base import packed_base
from benchmarks.training import first_night
from bonsai.config.settings import Config, load_config
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import expected_tags
from bonsai.model.answerer import Scored
from bonsai.model.hf import HfAnswerer, LoadedBase, load_base
from bonsai.model.prompt import Question, template
from bonsai.train import qlora
from bonsai.train.plan import AdapterFolder, make_plan

MIN_SPEEDUP = 8.0
"Questions per second, relative to one by one."
POOLS = ("selection", "confirmation")
"480 questions; only figures are shown."
STEPS = 150
"Training steps of the adapter: enough to give short answers, as a night's adapter does."


@dataclass(frozen=True)
class Asked:
    """Result of one variant."""

    seconds_answers: float
    seconds_likelihoods: float
    answers: dict[str, tuple[int, ...]]
    "Item -> token ids of the answer."
    bits: dict[str, float]
    "Item -> bits of the reference."

    @property
    def seconds_a_question(self) -> float:
        """Answer and likelihood."""
        return (self.seconds_answers + self.seconds_likelihoods) / len(self.answers)


def one_by_one(model: Any, loaded: LoadedBase, items: list[Item], form: str) -> Asked:
    """One question at a time, as in a notebook."""
    encoder, base = loaded.encoder, loaded.base
    answers, bits = {}, {}
    began = time.perf_counter()
    for item in items:
        prompt = encoder.question(template(form), Question(item.instruction, item.input), None)
        greedy = GenerationConfig(
            do_sample=False, max_new_tokens=base.answer_tokens_ja, eos_token_id=encoder.end, pad_token_id=encoder.end
        )
        made = model.generate(input_ids=torch.tensor([prompt]), generation_config=greedy)[0, len(prompt) :].tolist()
        answers[item.id] = encoder.ids(encoder.text(made[: made.index(encoder.end)] if encoder.end in made else made))
    answered = time.perf_counter()
    for item in items:
        example = encoder.encode(
            template(form), Question(item.instruction, item.input), expected_tags(item), item.reference
        )
        ids = torch.tensor([example.input_ids[:-1]])
        given = len(example.prompt) + len(example.declaration)
        logits = torch.log_softmax(model(input_ids=ids).logits[0].float(), dim=-1)  # (length, vocabulary)
        targets = ids[0, given:]
        bits[item.id] = -float(logits[given - 1 : -1].gather(1, targets[:, None]).sum().detach()) / 0.6931471805599453
    return Asked(answered - began, time.perf_counter() - answered, answers, bits)


def in_batches(answerer: HfAnswerer, items: list[Item]) -> Asked:
    """Batched, as in a night."""
    encoder = answerer.loaded.encoder
    began = time.perf_counter()
    made = answerer.answers([Question(item.instruction, item.input) for item in items], [None] * len(items))
    answered = time.perf_counter()
    scored = [Scored(Question(item.instruction, item.input), expected_tags(item), item.reference) for item in items]
    likelihoods = answerer.log_likelihoods(scored)
    ended = time.perf_counter()
    answers = {item.id: encoder.ids(one.text) for item, one in zip(items, made, strict=True)}
    bits = {item.id: one.bits for item, one in zip(items, likelihoods, strict=True)}
    return Asked(answered - began, ended - answered, answers, bits)


def adapter_of(config: Config, folder: Path) -> AdapterFolder:
    """A short training on the bundled samples."""
    profile = config.profiles["seedling"]
    plan = make_plan(
        "seedling", profile.base, profile.recipe, first_night(config, folder / "snapshots"),
        device="cpu", threads=config.training.threads, seed=config.training.seed,
        run_folder=folder / "run", adapters_folder=folder / "adapters", created_at=datetime.now(UTC),
    )  # fmt: skip
    return qlora.train(replace(plan, steps=STEPS), lambda progress: None)


def differing(one: Asked, other: Asked) -> tuple[int, int, int]:
    """Answers that differ, tokens that differ, tokens compared (position by position, the longer answer counts)."""
    answers = tokens = compared = 0
    for name, said in one.answers.items():
        also = other.answers[name]
        compared += max(len(said), len(also))
        apart = sum(a != b for a, b in zip(said, also, strict=False)) + abs(len(said) - len(also))
        answers, tokens = answers + (apart > 0), tokens + apart
    return answers, tokens, compared


def times(slow: Asked, fast: Asked) -> str:
    """Speed-up."""
    return f"{slow.seconds_a_question / fast.seconds_a_question:.1f}"


def main() -> int:
    """Measure and print; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one-by-one", type=int, default=80, help="questions asked one by one")
    chosen = parser.parse_args()
    config = load_config(Path("/nonexistent"), {})
    profile = config.profiles["seedling"]
    form = profile.recipe.template
    items = [item for pool in POOLS for item in questions.load(pool)]
    few = items[:: max(len(items) // chosen.one_by_one, 1)]
    table = Table(
        "model", "way", "questions", "answers, ms", "references, ms", "times faster", "other answers", "other tokens"
    )
    ratios = []
    with TemporaryDirectory() as name:
        adapter = adapter_of(config, Path(name))
        together = load_base(profile.base, "cpu")
        together.add_adapter(adapter.id, adapter.path)
        for title, subject in (("base", None), ("adapter", adapter.id)):
            alone, seeds = load_base(profile.base, "cpu"), packed_base(profile.base)
            if subject:
                alone.add_adapter(subject, adapter.path)
                alone.model.set_adapter(subject)
                seeds = PeftModel.from_pretrained(seeds, adapter.path)
            slow = one_by_one(seeds.eval(), alone, few, form)
            unpacked = one_by_one(alone.model, alone, few, form)
            fast = in_batches(together.answerer(template(form), subject), items)
            ratios.append(slow.seconds_a_question / fast.seconds_a_question)
            answers, tokens, compared = differing(slow, fast)
            for way, asked, cells in (
                ("the seed's: one by one", slow, ("1.0", "", "")),
                (
                    "one by one, NF4 unpacked",
                    unpacked,
                    (f"{slow.seconds_a_question / unpacked.seconds_a_question:.1f}", "", ""),
                ),
                (
                    "Bonsai's: batches",
                    fast,
                    (times(slow, fast), f"{answers} of {len(few)}", f"{tokens} of {compared}"),
                ),
            ):
                count = len(asked.answers)
                milliseconds = (1000 * asked.seconds_answers / count, 1000 * asked.seconds_likelihoods / count)
                table.add_row(title, way, f"{count}", *(f"{one:.1f}" for one in milliseconds), *cells)
            apart = max(abs(slow.bits[one] - fast.bits[one]) / max(slow.bits[one], 1.0) for one in slow.bits)
            print(f"{title}: bits of the references agree to {apart:.1e} (relative)")
    Console(width=110).print(table)
    print(f"goal: {MIN_SPEEDUP:.0f} times as fast; slowest ratio {min(ratios):.1f}")
    return int(min(ratios) < MIN_SPEEDUP)


if __name__ == "__main__":
    sys.exit(main())
