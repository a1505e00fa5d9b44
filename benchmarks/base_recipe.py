"""Which recipe teaches a base a handful of records and leaves the rest: a small search.

    python benchmarks/base_recipe.py HOME --owner biscuit --records 10

`HOME` has the base in use (`bonsai base add`, `bonsai base use`), and has made its replay: one night. For each arm an
adapter is trained as a night would, on an owner's first records, and asked two unseen paraphrases of each fact and the
general questions of the benchmark's version 1, which no night asks. Owners that may be tuned on: `owners/README.md`.
Results go to `results/base_recipe.json`, arm by arm: what is there is not measured again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from bonsai import bootstrap
from bonsai.domain import snapshots
from bonsai.domain.records import Language, content_id, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from bonsai.evaluate.replay_maker import source_of
from bonsai.evaluate.scoring import is_looping, is_right_answer
from bonsai.evaluate.statements import Expected
from bonsai.model.answerer import Answerer
from bonsai.model.bases import model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.native import template_of
from bonsai.model.prompt import Question, parse
from bonsai.train.adapters import load, open_answerer
from bonsai.train.plan import make_plan
from bonsai.train.qlora import train
from bonsai.train.replay import replay_samples

OWNERS = Path(__file__).parent / "owners"
RESULTS = Path(__file__).parent / "results" / "base_recipe.json"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
ARMS: tuple[Mapping[str, Any], ...] = (
    {},
    {"kl_to_base": 1.0},
    {"learning_rate": 5e-4},
    {"learning_rate": 5e-4, "epochs": 20},
    {"kl_to_base": 1.0, "epochs": 20},
    {"kl_to_base": 0.3, "epochs": 20},
    {"kl_to_base": 1.0, "learning_rate": 2e-3},
    {"kl_to_base": 1.0, "lora_rank": 32, "lora_alpha": 64.0},
)
"What differs from the profile's recipe; `share` is the share of replay samples."


def main() -> int:
    """Measure all arms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--owner", default="biscuit")
    parser.add_argument("--records", type=int, default=10)
    parser.add_argument("--arms", type=json.loads, default=ARMS, help="a JSON list of objects")
    parser.add_argument("--language", default="en", help="of the general questions")
    given = parser.parse_args()
    done: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    own, asked = records_of(given.owner, given.records)
    general = [one for one in questions.load("selection", "v1") if one.domain == "general"]
    general = [one for one in general if one.language == one.question_language == given.language]
    b = bootstrap.open(given.home, {})
    base_name = b.find_profile()
    for arm in [None, *given.arms]:
        key = json.dumps([base_name, given.owner, given.records, arm], sort_keys=True)
        if key not in done:
            done[key] = measured(b, arm, own, asked, general)
            RESULTS.write_text(json.dumps(done, indent=1, sort_keys=True) + "\n", "utf-8")
        print(key, json.dumps(done[key]), flush=True)
    return 0


def records_of(owner: str, count: int) -> tuple[list[Example], list[Item]]:
    """The first records as rows, and their unseen paraphrases as items."""
    lines = map(json.loads, (OWNERS / f"{owner}.jsonl").read_text("utf-8").splitlines())
    facts = [one for one in lines if "instruction" in one][:count]
    rows, items = [], []
    for number, one in enumerate(facts):
        language: Language = one["answer_language"]
        question, answer, reasoning = one["instruction"], one["output"], reasoning_sentence(language, language)
        record = content_id(question, "", answer)
        rows.append(Example(record, "own", question, "", reasoning, "open_qa", language, answer))
        expected = Expected(tuple(map(tuple, one["accepted"])), tuple(one["wrong"]))
        items += [
            Item(f"{number}/{i}", "owner", str(number), "own", "open_qa", language, language, text, "", one["output"],
                 (), expected)
            for i, text in enumerate(one["paraphrases"])
        ]  # fmt: skip
    return rows, items


def measured(
    b: Any, arm: Mapping[str, Any] | None, own: Sequence[Example], asked: Sequence[Item], general: Sequence[Item]
) -> dict[str, float]:
    """Shares of right answers; `arm=None` is the bare base."""
    profile = b.config.profiles[b.find_profile()]
    changes = dict(arm or {})
    share = changes.pop("share", b.config.training.anchor_share)
    recipe, base = replace(profile.recipe, **changes), profile.base
    source = source_of(base, recipe.template, b.places.replay)
    folder = Path(tempfile.mkdtemp(prefix="base-recipe-"))
    started, adapter, steps = time.perf_counter(), None, 0
    try:
        if arm is not None:
            encoder, form = load_encoder(model_folder(base)), template_of(model_folder(base), recipe.template)
            wanted = recipe.epochs * ceil(len(own) * share / (1 - share))
            built = snapshots.build(
                own, replay_samples(source, wanted, 7), seed=7, validation_share=0.0, anchor_share=share,
                count_tokens=partial(encoder.tokens, form), max_tokens=base.max_tokens, anchor_passes=recipe.epochs,
            )  # fmt: skip
            (folder / "run").mkdir()
            plan = make_plan(
                "arm", base, recipe, snapshots.write(built, folder / "snapshot", NOW), device="cpu", threads=0, seed=7,
                run_folder=folder / "run", adapters_folder=folder / "adapters", created_at=NOW,
            )  # fmt: skip
            adapter, steps = train(plan, lambda _: None).path, plan.steps
        trained = time.perf_counter() - started
        answerer = open_answerer(load(base, "cpu"), adapter, recipe.template)
        facts, kept = right(answerer, asked), right(answerer, general)
        return {"steps": steps, "seconds": round(trained), **named("facts", facts), **named("general", kept)}
    finally:
        shutil.rmtree(folder)


def right(answerer: Answerer, items: Sequence[Item]) -> list[tuple[bool, bool, bool]]:
    """For each item: right, looping, ended."""
    made = answerer.answers([Question(one.instruction, one.input, one.language) for one in items], [None] * len(items))
    said = [parse(one.text).response for one in made]
    return [
        (is_right_answer(text, item), is_looping(text), one.ended)
        for item, text, one in zip(items, said, made, strict=True)
    ]


def named(name: str, found: Sequence[tuple[bool, bool, bool]]) -> dict[str, float]:
    """Shares, and of how many."""
    parts = zip(("right", "looping", "ended"), zip(*found, strict=True), strict=True)
    return {f"{name}_{part}": round(sum(values) / len(found), 3) for part, values in parts} | {f"{name}_n": len(found)}


if __name__ == "__main__":
    raise SystemExit(main())
