"""Which recipe teaches a base a handful of records and leaves the rest: a small search.

    python -m benchmarks.base_recipe HOME --owner biscuit --records 10

`HOME` has the base in use (`bonsai base add`, `bonsai base use`), and has made its replay: one night. For each arm an
adapter is trained as a night would, on an owner's first records, and asked the records' own questions, two unseen
paraphrases of each, and the general questions of the benchmark's version 1, which no night asks. Owners that may be
tuned on: `owners/README.md`.
Results go to `results/base_recipe.json`, arm by arm: what is there is not measured again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import owners_data
from benchmarks.owners_data import Owner
from benchmarks.real_models_study.questions import askings
from bonsai import bootstrap
from bonsai.context import Bonsai
from bonsai.domain.records import content_id, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from bonsai.evaluate.replay_maker import source_of
from bonsai.evaluate.scoring import is_looping, is_right_answer
from bonsai.model.answerer import Answerer
from bonsai.model.prompt import Question, parse
from bonsai.night.seed_training import Lesson, train_lesson
from bonsai.system.files import write_json_atomic
from bonsai.system.progress import silent
from bonsai.train.adapters import load, open_answerer

RESULTS = Path(__file__).parent / "results" / "base_recipe.json"
SEED, DEVICE = 7, "cpu"
ARMS: tuple[Mapping[str, Any], ...] = (
    {"batch_size": 8, "kl_to_base": 0.0},
    {"batch_size": 4, "kl_to_base": 0.0},
    {"batch_size": 2, "kl_to_base": 0.0},
    {"batch_size": 2, "kl_to_base": 0.0, "share": 0.5},
    {"batch_size": 2, "kl_to_base": 0.0, "learning_rate": 5e-4},
    {},
)
"What differs from the profile's recipe, which is the last; `share` is the share of replay samples."


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
    owner = owners_data.read(given.owner).first(given.records)
    about = {one.fact: one.item for one in askings(owner) if one.fact is not None}
    asked = {
        "own": [replace(item, instruction=owner.facts[at].instruction) for at, item in about.items()],
        "facts": [one.item for one in askings(owner) if one.fact is not None],
    }
    general = [one for one in questions.load("selection", "v1") if one.domain == "general"]
    asked["general"] = [one for one in general if one.language == one.question_language == given.language]
    b = bootstrap.open(given.home, {})
    base_name = b.find_profile()
    for arm in [None, *given.arms]:
        key = json.dumps([base_name, given.owner, given.records, arm], sort_keys=True)
        if key not in done:
            done[key] = measured(b, arm, rows_of(owner), asked)
            write_json_atomic(RESULTS, done)
        print(key, json.dumps(done[key]), flush=True)
    return 0


def rows_of(owner: Owner) -> tuple[Example, ...]:
    """The records as rows that train."""
    return tuple(
        Example(
            record_id=content_id(fact.instruction, "", fact.output),
            role="own",
            instruction=fact.instruction,
            context="",
            reasoning=reasoning_sentence(owners_data.language_of(fact.instruction), fact.answer_language),  # type: ignore[arg-type]
            category="open_qa",
            language=fact.answer_language,
            output=fact.output,
        )
        for fact in owner.facts
    )


def measured(
    b: Bonsai, arm: Mapping[str, Any] | None, own: tuple[Example, ...], asked: Mapping[str, Sequence[Item]]
) -> dict[str, float]:
    """Shares of right answers; `arm=None` is the bare base."""
    name = b.find_profile()
    profile = b.config.profiles[name]
    changes = dict(arm or {})
    share = changes.pop("share", b.config.training.anchor_share)
    recipe, base = replace(profile.recipe, **changes), profile.base
    adapter, started = None, time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="base-recipe-") as folder:
        if arm is not None:
            source, lesson = source_of(base, recipe.template, b.places.replay), Lesson("arm", SEED, own, share)
            now = datetime.now(UTC)
            adapter = train_lesson(b, name, base, recipe, source, lesson, Path(folder), now, silent).path
        seconds = time.perf_counter() - started
        answerer = open_answerer(load(base, DEVICE), adapter, recipe.template)
        found = {name: right(answerer, items) for name, items in asked.items()}
    return {"seconds": round(seconds)} | {
        key: share for name in found for key, share in named(name, found[name]).items()
    }


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
