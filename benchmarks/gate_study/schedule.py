"""The runs of the study, their order, and how each is made; resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.gate_study import harms, plan
from benchmarks.gate_study.question_sets import CONFIRMATION, REHEARSED, SCORE, SELECTION, SUITE, items_of
from benchmarks.gate_study.runs import BASE, OTHER, Run, base_of, read
from bonsai.errors import LockTimeout
from bonsai.system.locks import file_lock

if TYPE_CHECKING:
    from benchmarks.gate_study.models import Asking, Weights, Workshop
    from bonsai.domain.snapshots import Example

FIT_SEEDS = tuple(range(1, 7))
"The minimum gains are fitted on these ..."
TEST_SEEDS = tuple(range(101, 111))
"... and judged on these, which had no part in it."
FORM_SEEDS = tuple(range(201, 211))
"Trained on replay samples alone, which teach the form of answers."
NIGHT_SEEDS = tuple(range(301, 307))
"Trained as long as in a night: the minimum for the shipped recipe."
NIGHT_LEVELS = (0.95, 0.9, 0.8, 0.7)
"A scaled-down update makes a weaker champion, over which the gain is known."
FRESH_SEEDS = (311, 312, 313, 314)
"More of the same, made after the last change of a rule: planted gains of FRESH_LEVELS, and nothing else."
FRESH_LEVELS = (0.8, 0.7)
WEAKER = NIGHT_LEVELS[-1]
"Champion for the harmed adapters: without the harm it would be replaced."
HOUSE_SEEDS = tuple(range(401, 405))
"The same with a household's records too: the minimum on the personal set."
TRIES = (*NIGHT_SEEDS, *HOUSE_SEEDS)
"Harms are planted on these, which know what they were taught."
FIRST_TRIES = TRIES[:3]
"Every harm is tried on these first."
OTHER_SEEDS = (1, 2, 3)
OTHER_HARMS = ("empty", "form_only")
HELD_BACK = "held_back_by_the_leak_guard"
LESSONS = 12 * 16
FORM_LESSONS = 48 * 16
"For a harm that starts from the bare base, which has the form to learn."
LESSON_BATCH = 16
LESSON_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Step:
    """One planned run."""

    key: str

    @property
    def parts(self) -> list[str]:
        """Kind, name and seed, as far as the key has them; the same on both bases."""
        return self.key.removeprefix(OTHER).split("/")

    @property
    def seed(self) -> int:
        """The seed of the adapter that it is made from."""
        return int(self.parts[-1]) if self.parts[-1].isdigit() else 0

    @property
    def name(self) -> str:
        """A harm's name or a level; else empty."""
        return self.parts[1] if len(self.parts) > 2 else ""


def order() -> list[Step]:
    """All runs, the most informative first, so that the study can stop at any time; the second base comes last."""
    keys = [BASE, *(f"seed/{seed}" for seed in (*FIT_SEEDS, *TEST_SEEDS))]
    for first in (slice(3), slice(None)):  # three of each tell something about all, the others make it exact
        keys += [f"form/{seed}" for seed in FORM_SEEDS[first]]
        keys += [f"night/{seed}" for seed in NIGHT_SEEDS[first]]
        keys += [f"night-scaled/{level}/{seed}" for level in NIGHT_LEVELS for seed in NIGHT_SEEDS[first]]
        keys += [f"house/{seed}" for seed in HOUSE_SEEDS[first]]
        keys += [f"harm/{name}/{seed}" for seed in TRIES[first] for name in harms.NAMES]
    keys += [f"fresh/{seed}" for seed in FRESH_SEEDS]
    keys += [f"fresh-scaled/{level}/{seed}" for level in FRESH_LEVELS for seed in FRESH_SEEDS]
    keys += [f"{OTHER}{BASE}", *(f"{OTHER}seed/{seed}" for seed in OTHER_SEEDS)]
    keys += [f"{OTHER}harm/{name}/{seed}" for name in OTHER_HARMS for seed in OTHER_SEEDS]
    return [Step(key) for key in dict.fromkeys(keys)]


def kind_of(key: str) -> str:
    """A run's key without its seed; a base is its own kind."""
    return key if key == base_of(key) else key.rpartition("/")[0]


def progress(done: Collection[str]) -> list[tuple[str, int, int]]:
    """(kind, finished runs, planned runs), in running order."""
    kinds = {step.key: kind_of(step.key) for step in order()}
    planned = Counter(kinds.values())
    there = Counter(kind for key, kind in kinds.items() if key in done)
    return [(kind, there[kind], count) for kind, count in planned.items()]


def champion_of(step: Step) -> str:
    """Champion for a harmed adapter: a weaker one of another seed.

    For a copied benchmark an equal one, so that it has no merit of its own; the bare base for what learned from there,
    and on the second base.
    """
    if step.key.startswith(OTHER) or harms.from_base(step.name):
        return base_of(step.key)
    if step.name != harms.COPIED:
        return f"night-scaled/{WEAKER}/{NIGHT_SEEDS[(TRIES.index(step.seed) + 1) % len(NIGHT_SEEDS)]}"
    among = next(seeds for seeds in (NIGHT_SEEDS, HOUSE_SEEDS) if step.seed in seeds)
    return unharmed(among[(among.index(step.seed) + 1) % len(among)])


def unharmed(seed: int) -> str:
    """The adapter that the harms of a seed are planted on."""
    return f"house/{seed}" if seed in HOUSE_SEEDS else f"night/{seed}"


def sets_of(step: Step) -> dict[str, Asking]:
    """What a run is asked: what the gate reads, and what the tables show beside it.

    Rule F comes last, so harms that have nothing to do with pools are not asked the confirmation pool: it counts as
    agreed.
    """
    kind, sets = step.parts[0], dict[str, "Asking"]({SELECTION: "all"})
    if kind != "harm" or step.name in (harms.COPIED, harms.FORGETS):
        sets[CONFIRMATION] = "claims"
    if kind in (BASE, "seed", "night", "night-scaled", "fresh", "fresh-scaled"):
        sets[SCORE] = "likelihoods"
    if kind in (BASE, "house"):
        sets[SUITE] = "all"
    if kind in (BASE, "form", "night", "house") or step.name == harms.FORGETS:
        sets[REHEARSED] = "all"
    return sets


@dataclass(frozen=True)
class Maker:
    """Makes runs of one base."""

    shop: Workshop

    def make(self, step: Step) -> Run:
        """Make one run of any kind."""
        weights, note = self._weights(step)
        asked = self.shop.ask(step.key, weights, sets_of(step))
        return Run(step.key, asked.logits, asked.sheets, note)

    def _weights(self, step: Step) -> tuple[Weights | None, Mapping[str, float]]:
        """The adapter's weights, and figures to note."""
        from benchmarks.gate_study import models

        kind, seed = step.parts[0], step.seed
        if kind == BASE:
            return None, {}
        if kind == "harm":
            return self._harmed(step.name, seed)
        if kind == "form":
            return self.shop.trained(plan.form_rows(seed), seed), {}
        whole = self.shop.trained(_rows_of(seed), seed, whole=seed in (*TRIES, *FRESH_SEEDS))
        return (models.scaled(whole, float(step.name)) if step.name else whole), {}

    def _harmed(self, name: str, seed: int) -> tuple[Weights, Mapping[str, float]]:
        from benchmarks.gate_study import models

        rows = _rows_of(seed)
        whole = self.shop.trained(rows, seed, whole=seed in TRIES)
        if name in harms.EDITS:
            return {"nan": models.broken, "untouched": models.untouched}[name](whole), {}
        items = items_of(SELECTION)
        unrehearsed = [item for pool in (CONFIRMATION, SCORE) for item in items_of(pool) if item.domain == "general"]
        material = harms.Material(
            (*rows, *plan.replay_rows(2 * len(rows), seed)), items, unrehearsed, plan.encoder_of(self.shop.subject)
        )
        start, count = (models.untouched(whole), FORM_LESSONS) if harms.from_base(name) else (whole, LESSONS)
        lessons = harms.lessons(name, seed, count, material)
        note = {HELD_BACK: harms.held_back(items)} if name == harms.COPIED else {}
        return self.shop.taught(start, lessons, rate=LESSON_RATE, batch=LESSON_BATCH), note


def _rows_of(seed: int) -> list[Example]:
    """What the adapter of a seed learned."""
    return [*plan.own_rows(), *(plan.household().rows if seed in HOUSE_SEEDS else ())]


def missing(path: Path, folder: Path, only: tuple[str, ...]) -> Iterator[Step]:
    """Missing runs whose key begins so and that no other process is making; the file is read again before each."""
    claims = folder / "claims"
    claims.mkdir(parents=True, exist_ok=True)
    for step in order():
        if not step.key.startswith(only):
            continue
        with ExitStack() as stack:
            try:
                claim = claims / step.key.replace("/", "-")
                stack.enter_context(file_lock(claim, exclusive=True, wait_seconds=0))
            except LockTimeout:
                continue
            if step.key not in read(path):
                yield step
