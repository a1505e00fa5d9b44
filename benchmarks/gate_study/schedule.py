"""The runs of the study, their order, and how each is made; resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.gate_study import harms, plan
from benchmarks.gate_study.runs import BASE, Run, pool_items, read
from benchmarks.gate_study.verdicts import CONFIRMATION, SELECTION, SUITE, ConfirmationMissing, Court
from bonsai.domain.snapshots import Example
from bonsai.errors import LockTimeout
from bonsai.system.locks import file_lock

if TYPE_CHECKING:
    from benchmarks.gate_study.models import Weights, Workshop

SCORE = "score"
FIT_SEEDS = tuple(range(1, 11))
"The minimum gain is fitted on these ..."
TEST_SEEDS = tuple(range(101, 141))
"... and judged on these, which had no part in it."
TRIES = tuple(range(101, 111))
"Seeds of the test adapters for planted gains and harms."
FIRST_TRIES = TRIES[:3]
"Every harm is tried on these first."
LEVELS = (0.6, 0.77, 0.9, 0.8, 0.95)
"An adapter with a scaled-down update is a weaker champion, over which the gain is known."
PARTS = (0.5, 0.75)
"Champions trained on a part of the own records."
PART_SEEDS = tuple(range(201, 206))
NIGHT_SEEDS = tuple(range(301, 309))
"Trained as long as in a night: the minimum for the shipped recipe."
NIGHT_LEVELS = (0.9, 0.8, 0.7)
"Scales of those adapters' updates: gains planted on the shipped recipe."
HOUSE_SEEDS = tuple(range(401, 409))
"Trained on the household: the minimum on the personal set."
HELD_BACK = "held_back_by_the_leak_guard"
LESSONS = 12 * 16
LESSON_BATCH = 16
LESSON_RATE = 1e-3
WEAKER = 0.6
"Champion for the harmed adapters: without the harm it would be replaced."


@dataclass(frozen=True, slots=True)
class Step:
    """One planned run."""

    key: str

    @property
    def parts(self) -> list[str]:
        """The parts of the key: kind, name, seed."""
        return self.key.split("/")

    @property
    def seed(self) -> int:
        """The seed of the adapter that it is made from."""
        return int(self.parts[-1]) if self.parts[-1].isdigit() else 0


def order() -> list[Step]:
    """All runs, the most informative first, so that the study can stop at any time."""
    keys = [BASE, *(f"seed/{seed}" for seed in FIT_SEEDS)]
    keys += [f"seed/{seed}" for seed in TRIES]
    keys += [f"scaled/{WEAKER}/{seed}" for seed in FIRST_TRIES]
    keys += [f"harm/{name}/{seed}" for seed in FIRST_TRIES for name in harms.NAMES]
    keys += [f"scaled/{level}/{seed}" for level in LEVELS for seed in TRIES]
    keys += [f"seed/{seed}" for seed in TEST_SEEDS]
    keys += [f"night/{seed}" for seed in NIGHT_SEEDS]
    keys += [f"night-scaled/{level}/{seed}" for level in NIGHT_LEVELS for seed in NIGHT_SEEDS]
    keys += [f"harm/{name}/{seed}" for seed in TRIES for name in harms.NAMES]
    keys += [f"part/{share}/{seed}" for seed in PART_SEEDS for share in PARTS]
    keys += [f"house/{seed}" for seed in HOUSE_SEEDS]
    return [Step(key) for key in dict.fromkeys(keys)]


def progress(done: Collection[str]) -> list[tuple[str, int, int]]:
    """(kind, finished runs, planned runs), in running order."""
    kinds = {step.key: step.key.rpartition("/")[0] or step.key for step in order()}
    planned = Counter(kinds.values())
    there = Counter(kind for key, kind in kinds.items() if key in done)
    return [(kind, there[kind], count) for kind, count in planned.items()]


def champion_of(step: Step) -> str:
    """Champion for a harmed adapter: a weaker one of the next seed; for a copied benchmark, an equal one."""
    among = FIRST_TRIES if step.seed in FIRST_TRIES else TRIES
    other = among[(among.index(step.seed) + 1) % len(among)]
    return f"seed/{other}" if step.parts[1] == harms.COPIED else f"scaled/{WEAKER}/{other}"


@dataclass(frozen=True)
class Maker:
    """Makes runs."""

    shop: Workshop
    court_runs: Mapping[str, Run]
    "Finished runs: the confirmation pool is used only for harmed adapters for which the gate would open it."

    def make(self, step: Step) -> Run:
        """Make one run of any kind."""
        weights, note = self._weights(step)
        if step.parts[0] == "house":
            own = self.shop.ask(step.key, weights, {SUITE: plan.household().suite})
            return Run(step.key, own.logits, own.sheets, note)
        asked = self.shop.ask(step.key, weights, {SELECTION: pool_items(SELECTION)})
        made = Run(step.key, asked.logits, asked.sheets, note)
        if step.parts[0] != "harm":
            return self._with(made, weights, CONFIRMATION, SCORE)
        seen = (
            step.parts[1] == harms.COPIED
        )  # shows whether it learned more than the copied pool; the gate itself may never open this one
        return self._with(made, weights, CONFIRMATION) if seen or self._opens(made, step) else made

    def _with(self, made: Run, weights: Weights | None, *pools: str) -> Run:
        more = {pool: self.shop.likelihoods(weights, pool_items(pool)) for pool in pools}
        return replace(made, sheets={**made.sheets, **more})

    def _opens(self, made: Run, step: Step) -> bool:
        """Whether the gate would open the confirmation pool, regardless of the minimum gain."""
        policy = replace(plan.policy_of(plan.defaults()), min_gain_bits=0.0)
        court = Court({**self.court_runs, made.key: made}, policy)
        try:
            for champion in (champion_of(step), BASE):
                court.judge(made.key, champion)
        except ConfirmationMissing:
            return True
        return False

    def _weights(self, step: Step) -> tuple[Weights | None, dict[str, float]]:
        """The adapter's weights, and figures to note."""
        from benchmarks.gate_study import models

        kind, name = step.parts[0], step.parts[1] if len(step.parts) > 1 else ""
        if kind == BASE:
            return None, {}
        if kind == "night":
            return self.shop.trained(plan.own_rows(), step.seed, whole=True), {}
        if kind == "night-scaled":
            return models.scaled(self.shop.trained(plan.own_rows(), step.seed, whole=True), float(name)), {}
        if kind == "house":
            return self.shop.trained(plan.household().rows, step.seed, whole=True), {}
        if kind == "part":
            return self.shop.trained(part_of_rows(float(name), step.seed), step.seed), {}
        whole = self.shop.trained(plan.own_rows(), step.seed)
        if kind == "scaled":
            return models.scaled(whole, float(name)), {}
        if kind == "harm":
            return self._harmed(name, step.seed, whole)
        return whole, {}

    def _harmed(self, name: str, seed: int, whole: Weights) -> tuple[Weights, dict[str, float]]:
        from benchmarks.gate_study import models

        if name in harms.EDITS:
            return {"nan": models.broken, "untouched": models.untouched}[name](whole), {}
        encoder = plan.encoder_of_base(plan.defaults())
        items = pool_items(SELECTION)
        rows = (*plan.own_rows(), *plan.replay_rows(2 * len(plan.own_rows()), seed))
        material = harms.Material(rows, items, encoder)
        lessons = harms.lessons(name, TRIES.index(seed), LESSONS, material)
        note = {HELD_BACK: harms.held_back(items)} if name == harms.COPIED else {}
        return self.shop.taught(whole, lessons, rate=LESSON_RATE, batch=LESSON_BATCH), note


def part_of_rows(share: float, seed: int) -> list[Example]:
    """A part of the own records, as before the others were added."""
    rows = plan.own_rows()
    chosen = Random(f"{seed} part").sample(range(len(rows)), round(share * len(rows)))
    return [rows[at] for at in sorted(chosen)]


def missing(path: Path, folder: Path, only: tuple[str, ...] = ("",)) -> Iterator[Step]:
    """Missing runs that no other process is making; the file is read again before each."""
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
