"""Designs of the experiments: arms, seeds, and claims fixed before training.

An *arm* is one way of training. Every seed trains every arm, and decides what it decides in a night: initial LoRA
weights, row order, and replay samples. Arms of one seed share rows and order as far as their records agree, so they
are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bonsai.errors import UsageError

PASSES = 3
"Over the own records; a night makes three times as many, which a series of eighteen trainings cannot afford."
POINTS = 8
"Measurements per held-out curve."

Measure = Literal[
    "loss", "bits", "bits_with_tags", "fall", "accuracy", "language", "no_loop", "ended", "length", "spoken_zh"
]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of training."""

    name: str
    template: str
    translation: bool = True
    "Includes records and replay samples that translate."
    chinese: bool = False
    "Includes the sixty Chinese records."
    longer: int = 1
    "Factor on the number of passes."


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim about two arms: `first` is better than `second`."""

    name: str
    "Also the key of its text, `experiment.claim_<name>`."
    measure: Measure
    first: str
    "An arm, or `arm@setting` for another way of generating."
    second: str
    domains: tuple[str, ...] | None = None
    "None: the whole pool."
    language: str | None = None
    by_itself: bool = False
    "True by construction, whatever the model learned: no evidence for the seed project's idea."


@dataclass(frozen=True, slots=True)
class Design:
    """One experiment."""

    name: str
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    limits: tuple[int, ...]
    "Token limits of plain generation, the same for every language."
    limited: tuple[str, ...]
    "Arms that are also generated under these limits."
    every: int = 1
    "Take every n-th question and record."

    def arm(self, name: str) -> Arm:
        """By name. Raises KeyError."""
        return {arm.name: arm for arm in self.arms}[name]


@dataclass(frozen=True, slots=True)
class Unit:
    """One line of the results: an arm trained with one seed, or the bare base with a template."""

    arm: Arm
    seed: int
    "0: the bare base; nothing is trained."

    @property
    def key(self) -> str:
        """`tagged/1`, `base/alpaca`."""
        return f"{self.arm.name}/{self.seed}" if self.seed else f"{BASE}/{self.arm.template}"


BASE = "base"
PIPELINE = "pipeline"
"The product's generation: greedy, until end-of-text or the language's budget."
UNSTOPPED = "unstopped"
"The same, but continuing after end-of-text."

TEMPLATES = Design(
    name="templates",
    arms=(
        Arm("alpaca", "alpaca"),
        Arm("reasoning", "reasoning"),
        Arm("tagged", "tagged"),
        Arm("no-translation", "tagged", translation=False),
        Arm("chinese", "tagged", chinese=True),
        Arm("alpaca-longer", "alpaca", longer=2),
    ),
    claims=(
        Claim("loss", "loss", "tagged", "alpaca", by_itself=True),
        Claim("bits", "bits", "tagged", "alpaca"),
        Claim("bits_with_tags", "bits_with_tags", "tagged", "alpaca"),
        Claim("bits_reasoning", "bits", "reasoning", "alpaca"),
        Claim("fall", "fall", "tagged", "alpaca"),
        Claim("bits_longer", "bits_with_tags", "tagged", "alpaca-longer"),
        Claim("accuracy", "accuracy", "tagged", "alpaca"),
        Claim("accuracy_taught", "accuracy", "tagged", "alpaca", ("cat_care",)),
        Claim("accuracy_longer", "accuracy", "tagged", "alpaca-longer"),
        Claim("accuracy_reasoning", "accuracy", "reasoning", "alpaca"),
        Claim("length", "length", "tagged", "alpaca"),
        Claim("language", "language", "tagged", "alpaca"),
        Claim("language_asked", "language", "tagged", "alpaca", ("language",)),
        Claim("no_loop", "no_loop", "tagged", "alpaca"),
        Claim("translation_en_ja", "accuracy", "tagged", "no-translation", ("translation", "translations"), "ja"),
        Claim("translation_ja_en", "accuracy", "tagged", "no-translation", ("translation", "translations"), "en"),
        Claim("chinese_language", "language", "chinese", "tagged"),
        Claim("chinese_accuracy", "accuracy", "chinese", "tagged"),
        Claim("chinese_asked", "spoken_zh", "chinese", "tagged", ("chinese",)),
        Claim("limit_ended", "ended", "tagged", "tagged@16"),
        Claim("limit_accuracy", "accuracy", "tagged", "tagged@16"),
        Claim("limit_accuracy_alpaca", "accuracy", "alpaca", "alpaca@16"),
        Claim("unstopped_loops", "no_loop", "tagged", f"tagged@{UNSTOPPED}"),
        Claim("unstopped_loops_alpaca", "no_loop", "alpaca", f"alpaca@{UNSTOPPED}"),
    ),
    limits=(16, 32),
    limited=("tagged", "alpaca"),
)
QUICK = Design(
    name="quick",
    arms=(TEMPLATES.arm("alpaca"), TEMPLATES.arm("tagged")),
    claims=TEMPLATES.claims[:3],
    limits=TEMPLATES.limits,
    limited=("tagged",),
    every=12,
)
"A smoke test of a minute or two; it shows nothing else."
DESIGNS: dict[str, Design] = {one.name: one for one in (TEMPLATES, QUICK)}


def design(name: str) -> Design:
    """A design by name. Raises UsageError for an unknown one."""
    if name not in DESIGNS:
        raise UsageError("experiment.unknown", name=name, known=", ".join(DESIGNS))
    return DESIGNS[name]


def units(of: Design, seeds: Sequence[int]) -> Iterator[Unit]:
    """All units: the bare base with each template, then seed by seed, longer trainings last.

    If stopped early, the finished seeds are complete.
    """
    templates = {arm.template: arm for arm in of.arms if arm.longer == 1}
    for arm in templates.values():
        yield Unit(arm, 0)
    for longest in sorted({arm.longer for arm in of.arms}):
        for seed in seeds:
            yield from (Unit(arm, seed) for arm in of.arms if arm.longer == longest)
