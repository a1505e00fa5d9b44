"""Planted worlds for the gate: reports made by hand, with a known gain or harm in them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from bonsai.config.settings import GateSettings
from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import Answer, ItemResult, Report, Scores
from bonsai.gate.decide import decide
from bonsai.gate.decision import Decision, Policy

FACTS: Mapping[str, int] = {"cat_care": 60, "general": 40, "control": 40}
CONTROL = "control"
GOOD = Scores(True, True, True, 1.0, 100.0, True, False, True, False, False, True)
HARMS: Mapping[str, tuple[str, Mapping[str, bool]]] = {
    "mixes languages": ("language", {"language_ok": False}),
    "loops": ("no_loop", {"looping": True}),
    "never ends": ("ended", {"ended": False}),
    "falls silent": ("not_empty", {"empty": True}),
    "leaks markers": ("no_leak", {"leaked": True}),
}
"What an answer can do wrong -> the guard that looks at it, and the scores of such an answer."
Change = Callable[[ItemResult], ItemResult]


MINIMA = {"min_gain_bits": 0.05, "min_suite_gain_bits": 0.05, "min_gain_right": 0.1, "min_suite_gain_right": 0.1}
"As if measured on these worlds, whose seeds differ by less."


def default_policy(resamples: int = 300) -> Policy:
    """The shipped one, calibrated; 300 resamples are enough for what is planted this plainly, and fast."""
    defaults = tomllib.loads((resources.files("bonsai.config") / "defaults.toml").read_text("utf-8"))
    settings = TypeAdapter(GateSettings).validate_python(defaults["gate"])
    return replace(settings.policy, resamples=resamples, **MINIMA)  # type: ignore[arg-type]


def world(seed: int, *, subject: str = "a1", pool: str = "v2/selection", facts: Mapping[str, int] = FACTS) -> Report:
    """A model: each fact has its difficulty (the same in every world), each seed its own luck."""
    luck, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    items = []
    for domain, count in facts.items():
        for fact in range(count):
            difficulty = fixed.gamma(4.0, 0.2)
            fact_luck = luck.normal(0, 0.05)
            for language in ("ja", "en"):
                bits = max(0.0, difficulty + fact_luck + luck.normal(0, 0.08))
                cluster = f"{domain}-{fact}"
                right = replace(GOOD, correct=bool(difficulty < 1.0))
                answer = Answer("はい", ("", "open_qa", language), 5, right)
                items.append(
                    ItemResult(f"{cluster}-{language}", cluster, domain, "open_qa", language, bits, answer, 6.0)
                )
    return Report(
        pool, "items", subject, f"hash of {subject}", "seedling", "settings", "libraries", (float(seed), 0.5),
        "2026-11-21T00:00:00+00:00", 1.0, tuple(items),
    )  # fmt: skip


def bare(facts: Mapping[str, int] = FACTS) -> Report:
    """The base without an adapter."""
    return replace(world(1, facts=facts), subject="base", adapter_hash="", logits=(0.0, 0.0))


def suite_pair(facts: int, gain: float, seed: int = 60) -> ReportPair:
    """The personal evaluation set with so many facts; the challenger gains so many bits."""
    own = {"own": facts}
    champion = world(seed, subject="a0", pool="suite", facts=own)
    return ReportPair(shifted(world(seed + 1, pool="suite", facts=own), -gain), champion)


def changed(report: Report, change: Change) -> Report:
    """Every item changed."""
    return replace(report, items=tuple(change(item) for item in report.items))


def shifted(report: Report, bits: float, *, language: str | None = None, domain: str | None = None) -> Report:
    """So many bits per byte more (worse), in one language or domain or on all but control, which nothing teaches."""

    def shift(item: ItemResult) -> ItemResult:
        asked = item.domain != CONTROL if domain is None else item.domain == domain
        hit = language in (None, item.language) and asked
        return replace(item, bits_per_byte=max(0.0, item.bits_per_byte + bits * hit))

    return changed(report, shift)


def spoiled(report: Report, share: float, language: str = "ja", **scores: bool) -> Report:
    """A share of the answers in one language gets these scores."""
    mine = [item.id for item in report.items if item.language == language]
    hit = set(mine[: round(share * len(mine))])

    def spoil(item: ItemResult) -> ItemResult:
        free = replace(item.free, scores=replace(item.free.scores, **scores))
        return replace(item, free=free) if item.id in hit else item

    return changed(report, spoil)


def judged(
    challenger: Report, policy: Policy, champion: Report | None = None, *, base: Report | None = None,
    anchor: Report | None = None, suite: ReportPair | None = None, confirmed: float = 0.3,
    left_out: frozenset[str] = frozenset(), **options: Any,
) -> Decision:  # fmt: skip
    """The decision; on the confirmation pool, with new luck, the challenger gains `confirmed` bits."""
    seed = round(1000 * challenger.logits[0]) if math.isfinite(challenger.logits[0]) else 0
    fresh = [world(seed + 5000 + side, pool="v2/confirmation") for side in (0, 1)]
    confirm = ReportPair(shifted(fresh[0], -confirmed), fresh[1])
    return decide(
        challenger, champion or world(2, subject="a0"), base=base or bare(), confirm=lambda: confirm, policy=policy,
        anchor=anchor, suite=suite, left_out=left_out, **options,
    )  # fmt: skip


def rightly(report: Report, share: float, *domains: str) -> Report:
    """The first so many facts of these domains are answered rightly in both languages, the others wrongly."""

    def answer(item: ItemResult) -> ItemResult:
        if item.domain not in domains:
            return item
        facts = {other.cluster for other in report.items if other.domain == item.domain}
        right = int(item.cluster.rpartition("-")[2]) < share * len(facts)
        return replace(item, free=replace(item.free, scores=replace(item.free.scores, correct=right)))

    return changed(report, answer)


def tripped(decision: Decision) -> list[tuple[str, str]]:
    """The rules that stand in the way of a promotion: (rule, name)."""
    return [(one.rule, one.name) for one in decision.rules if one.outcome in ("fail", "unclear")]
