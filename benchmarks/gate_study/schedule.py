"""What the study runs, in which order, and how one run is made; every run once, in a file that it goes on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.gate_study import harms, plan
from benchmarks.gate_study.runs import BASE, Run, read
from benchmarks.gate_study.verdicts import CONFIRMATION, SELECTION, SUITE, ConfirmationMissing, Court
from bonsai.domain.snapshots import Example
from bonsai.errors import LockTimeout
from bonsai.evaluate import questions
from bonsai.system.locks import file_lock

if TYPE_CHECKING:
    from benchmarks.gate_study.models import Weights, Workshop

SCORE = "score"
FIT_SEEDS = tuple(range(1, 11))
"The minimum gain is fitted on these ..."
TEST_SEEDS = tuple(range(101, 141))
"... and judged on these, which had no part in it."
TRIES = tuple(range(101, 111))
"Seeds of the test adapters that gains and harms are planted on."
FIRST_TRIES = TRIES[:3]
"Every harm is tried on these before any is tried on the others."
LEVELS = (0.6, 0.77, 0.9, 0.8, 0.95)
"An adapter whose change of the base is scaled so is a champion that knows less: the gain over it is known."
PARTS = (0.5, 0.75)
"Champions that learned a part of the own records."
PART_SEEDS = tuple(range(201, 206))
NIGHT_SEEDS = tuple(range(301, 309))
"Trained as long as a night trains: the minimum of the recipe that ships."
NIGHT_LEVELS = (0.9, 0.8, 0.7)
"Of those adapters' change of the base: gains planted on the recipe that ships."
HOUSE_SEEDS = tuple(range(401, 409))
"Learned a household of their owner's: the minimum on the owner's suite."
HELD_BACK = "held_back_by_the_leak_guard"
LESSONS = 12 * 16
LESSON_BATCH = 16
LESSON_RATE = 1e-3
WEAKER = 0.6
"The champion that a harmed adapter meets: without the harm it would be replaced."


@dataclass(frozen=True, slots=True)
class Step:
    """One run to be made."""

    key: str

    @property
    def parts(self) -> list[str]:
        """`harm`, its name, its seed."""
        return self.key.split("/")

    @property
    def seed(self) -> int:
        """The seed of the adapter that it is made of."""
        return int(self.parts[-1]) if self.parts[-1].isdigit() else 0


def order() -> list[Step]:
    """All runs, the most telling first, so that the study can stop anywhere."""
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
    """Kinds of runs with how many are there and how many are wanted, in the order in which they are made."""
    kinds = {step.key: step.key.rpartition("/")[0] or step.key for step in order()}
    wanted = Counter(kinds.values())
    there = Counter(kind for key, kind in kinds.items() if key in done)
    return [(kind, there[kind], count) for kind, count in wanted.items()]


def champion_of(step: Step) -> str:
    """Whom a harmed adapter meets: a weaker one of the next seed; an adapter that only copied meets an equal one."""
    among = FIRST_TRIES if step.seed in FIRST_TRIES else TRIES
    other = among[(among.index(step.seed) + 1) % len(among)]
    return f"seed/{other}" if step.parts[1] == harms.COPIED else f"scaled/{WEAKER}/{other}"


@dataclass(frozen=True)
class Maker:
    """Makes runs in a workshop."""

    shop: Workshop
    court_runs: Mapping[str, Run]
    "What was measured already: harmed adapters are asked to confirm only where the gate would ask."

    def make(self, step: Step) -> Run:
        """One run, whatever its kind."""
        weights, note = self._weights(step)
        if step.parts[0] == "house":
            own = self.shop.ask(step.key, weights, {SUITE: plan.household().suite})
            return Run(step.key, own.logits, own.sheets, note)
        asked = self.shop.ask(step.key, weights, {SELECTION: questions.load(SELECTION)})
        made = Run(step.key, asked.logits, asked.sheets, note)
        if step.parts[0] != "harm":
            return self._with(made, weights, CONFIRMATION, SCORE)
        seen = step.parts[1] == harms.COPIED  # was only the pool that it copied learned? The gate may never ask
        return self._with(made, weights, CONFIRMATION) if seen or self._opens(made, step) else made

    def _with(self, made: Run, weights: Weights | None, *pools: str) -> Run:
        more = {pool: self.shop.likelihoods(weights, questions.load(pool)) for pool in pools}
        return replace(made, sheets={**made.sheets, **more})

    def _opens(self, made: Run, step: Step) -> bool:
        """The gate would open the confirmation pool, whatever minimum it asked for."""
        policy = replace(plan.policy_of(plan.defaults()), min_gain_bits=0.0)
        court = Court({**self.court_runs, made.key: made}, policy)
        try:
            for champion in (champion_of(step), BASE):
                court.judge(made.key, champion)
        except ConfirmationMissing:
            return True
        return False

    def _weights(self, step: Step) -> tuple[Weights | None, dict[str, float]]:
        """The adapter's weights, and what is to be noted of it."""
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
        items = questions.load(SELECTION)
        rows = (*plan.own_rows(), *plan.anchor_rows(2 * len(plan.own_rows()), seed))
        material = harms.Material(rows, items, encoder)
        lessons = harms.lessons(name, TRIES.index(seed), LESSONS, material)
        note = {HELD_BACK: harms.held_back(items)} if name == harms.COPIED else {}
        return self.shop.taught(whole, lessons, rate=LESSON_RATE, batch=LESSON_BATCH), note


def part_of_rows(share: float, seed: int) -> list[Example]:
    """A part of the own records: the others were not told yet."""
    rows = plan.own_rows()
    chosen = Random(f"{seed} part").sample(range(len(rows)), round(share * len(rows)))
    return [rows[at] for at in sorted(chosen)]


def missing(path: Path, folder: Path, only: tuple[str, ...] = ("",)) -> Iterator[Step]:
    """The runs that the file does not hold yet, looked up again before each, and that no other process is making."""
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
