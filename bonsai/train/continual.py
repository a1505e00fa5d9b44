"""Continual learning: whether a night starts cold or warm, and which records it trains on. Pure.

    choose(candidates, situation, limits, salt="2026-11-21-3f2a") -> Curriculum

Cold is from the bare base on everything; it forgets nothing and costs more with every record. So it is the rule only
while everything fits the night's token budget. Beyond it a night starts warm, from the champion's adapter: what is new
passes as often as ever, and a stratified sample of what the champion knows is replayed beside it. Replay and a new
rise of the learning rate are what warm starts need (Rolnick et al. 2019, https://arxiv.org/abs/1811.11682; Ibrahim et
al. 2024, https://arxiv.org/abs/2403.08763). What they still lose adds up, so a cold challenger comes every week and
after so many warm nights, within a larger budget.

Two sets keep the nights finite and nothing lost. A record is *due* until a trained night had it among its records; due
ones make a night and go first. What the budget cannot hold of them stays due: the next night is smaller by what was
taken. Records that were not due and are not drawn are *passed over*: they make no night by themselves, and a warm
night takes up those that its champion has never learned, the newest first, in half of the room that the due ones leave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from bonsai.domain.snapshots import Example

StartKind = Literal["cold", "warm"]
UNLIMITED = 10**15
"Tokens; the budget of a base for which none is set."
AGE_BANDS = (7.0, 28.0, 91.0)
"Days: this week, this month, this quarter, older. Strata of the replay beside language and category."
MISSED_SHARE = 0.5
"Of the room that a warm night has after the due records: for records that the champion missed; the rest is replay."


@dataclass(frozen=True, slots=True)
class NightBudget:
    """What a night may cost on a base; `[profiles.<name>.night]` of `defaults.toml`."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    "Read straight from the configuration: an unknown key there is an error."

    token_budget: int
    "Trained tokens, all passes and replay samples counted: up to here a night is cold, beyond it warm and no larger."
    cold_token_budget: int
    "The same for the cold nights that come in between."
    warm_learning_rate: float
    "Peak of a warm night."


@dataclass(frozen=True, slots=True)
class CurriculumLimits:
    """The settings that decide, and what a record costs."""

    token_budget: int
    cold_token_budget: int
    passes: int
    replay_samples_a_row: float
    "Replay samples beside each own row, in every pass."
    replay_sample_tokens: float
    "Average tokens of a replay sample."
    cold_after_days: int
    lineage_depth: int
    "Warm nights in a row."

    def tokens_a_pass(self, candidate: TrainingCandidate) -> float:
        """What a record costs each time it passes, its replay samples included."""
        return candidate.tokens + self.replay_samples_a_row * self.replay_sample_tokens


@dataclass(frozen=True, slots=True)
class TrainingCandidate:
    """A record that may train."""

    row: Example
    tokens: int
    arrival: int
    "Number in the order of arrival."
    age_days: float
    due: bool
    "No trained night has had it among its records."
    learned: bool
    "The champion learned it, or an adapter that the champion came from."

    @property
    def stratum(self) -> tuple[str, str, int]:
        """Language, category and age band."""
        return self.row.language, self.row.category, sum(self.age_days >= limit for limit in AGE_BANDS)


@dataclass(frozen=True, slots=True)
class Situation:
    """Where the home stands before the night."""

    champion: str = ""
    "Adapter id; empty while the bare base answers."
    depth: int = 0
    "Warm nights between the champion and its cold ancestor."
    unfit: str = ""
    "Why nothing can start from the champion: what `adapters.unfit` says, or `forgotten`; empty when it can."
    cold_asked: bool = False
    "A person wants a cold night."
    forgotten: bool = False
    "An adapter learned from a record that was forgotten since."
    days_since_cold: int | None = None
    "Since the last cold night; None when there was none."


@dataclass(frozen=True, slots=True)
class Curriculum:
    """What a night trains on, and why."""

    start: StartKind
    why: str
    "Key of the reason's text."
    what: str
    "Key of the text that tells which records."
    values: Mapping[str, int | str]
    "Figures for both."
    rows: tuple[Example, ...]
    "Own records that every pass holds."
    replay: tuple[Example, ...] = ()
    "Own records that the champion knows; the passes take turns through them."
    replayed_a_pass: int = 0
    passed_over: tuple[str, ...] = ()
    "Ids that may train, were not due and were not drawn."
    still_due: tuple[str, ...] = ()
    "Ids that were due and did not fit: the next night's first."
    tokens: int = 0
    "Trained tokens of the night, replay samples at their average length."
    parent: str = ""
    "Adapter that the training starts from; empty when cold."
    depth: int = 0
    "Warm nights of the new adapter since its cold ancestor."


def choose(
    candidates: Sequence[TrainingCandidate], situation: Situation, limits: CurriculumLimits, *, salt: str
) -> Curriculum:
    """Cold or warm, and which records; `salt` (the night's key) draws another sample every night.

    The same candidates in any order give the same curriculum. It costs at most the budget of its kind; only a budget
    that is smaller than one record is passed, by that record.
    """
    everything = _tokens(candidates, limits)
    due = [one for one in candidates if one.due]
    why = _why_cold(situation, limits, everything, _tokens(due, limits))
    if not why:
        return _warm(candidates, due, situation, limits, salt)
    budget = max(limits.token_budget, limits.cold_token_budget)
    return _cold(candidates, why, situation, limits, budget, salt)


def _why_cold(situation: Situation, limits: CurriculumLimits, everything: float, due: float) -> str:
    """The first reason against a warm start; empty when there is none."""
    days = situation.days_since_cold
    reasons = {
        "asked": situation.cold_asked,
        "forgotten": situation.forgotten,
        "no_budget": limits.token_budget >= UNLIMITED,
        "fits": everything <= limits.token_budget,
        "first": not situation.champion,
        situation.unfit or "fit": bool(situation.unfit),
        "depth": situation.depth >= limits.lineage_depth,
        "weekly": days is None or days >= limits.cold_after_days,
        "many_new": due > limits.token_budget,
    }
    return next((name for name, holds in reasons.items() if holds), "")


def _cold(
    candidates: Sequence[TrainingCandidate],
    why: str,
    situation: Situation,
    limits: CurriculumLimits,
    budget: float,
    salt: str,
) -> Curriculum:
    """Everything; beyond the budget what is due (the oldest first), then a sample of the rest."""
    due = [one for one in candidates if one.due]
    rest = [one for one in candidates if not one.due]
    if _tokens(candidates, limits) <= budget:
        chosen = list(candidates)
    else:
        chosen = _prefix(_ranked(due), budget, limits, passes=limits.passes, at_least=1)
        left = budget - _tokens(chosen, limits)
        if len(chosen) == len(due):
            chosen += _prefix(_ranked(rest, salt), left, limits, passes=limits.passes, at_least=0 if due else 1)
    taken = {one.row.record_id for one in chosen}
    figures = _figures(candidates, chosen, situation, limits)
    return Curriculum(
        start="cold",
        why=f"continual.{why}",
        what="continual.whole" if len(taken) == len(candidates) else "continual.sampled",
        values={**figures, "budget": int(budget if why != "fits" else limits.token_budget)},
        rows=_rows(chosen),
        passed_over=tuple(sorted({one.row.record_id for one in rest} - taken)),
        still_due=tuple(sorted({one.row.record_id for one in due} - taken)),
        tokens=round(_tokens(chosen, limits)),
    )


def _warm(
    candidates: Sequence[TrainingCandidate],
    due: Sequence[TrainingCandidate],
    situation: Situation,
    limits: CurriculumLimits,
    salt: str,
) -> Curriculum:
    """What is due, some of what the champion missed, and as much as the budget holds of what it knows."""
    newest = sorted((one for one in candidates if not one.due and not one.learned), key=lambda one: -one.arrival)
    room = limits.token_budget - _tokens(due, limits)
    missed = _prefix(newest, room * MISSED_SHARE, limits, passes=limits.passes)
    must = [*due, *missed]
    known = _ranked([one for one in candidates if not one.due and one.learned], salt)
    left = limits.token_budget - _tokens(must, limits)
    replay = _prefix(known, left, limits, passes=1)
    a_pass = _deals(replay, left, limits) // limits.passes
    replay = replay[: a_pass * limits.passes]
    drawn = {one.row.record_id for one in (*must, *replay)}
    dealt = a_pass * limits.passes / len(replay) if replay else 0.0
    return Curriculum(
        start="warm",
        why="continual.warm",
        what="continual.replayed",
        values={
            **_figures(candidates, must, situation, limits),
            "budget": limits.token_budget,
            "missed": len(missed),
            "replayed": len(replay),
            "known": len(known),
        },
        rows=_rows(must),
        replay=tuple(replace(row, role="replay") for row in _rows(replay)),
        replayed_a_pass=a_pass,
        passed_over=tuple(sorted({one.row.record_id for one in candidates} - drawn)),
        tokens=round(_tokens(must, limits) + dealt * sum(map(limits.tokens_a_pass, replay))),
        parent=situation.champion,
        depth=situation.depth + 1,
    )


def _deals(replay: Sequence[TrainingCandidate], room: float, limits: CurriculumLimits) -> int:
    """How often the passes together may replay one of them, when all are dealt out once before any comes again."""
    costs = [limits.tokens_a_pass(one) for one in replay] or [UNLIMITED]
    rounds = int(room / sum(costs))
    return rounds * len(replay) + int((room - rounds * sum(costs)) / max(costs))  # whichever rows come again


def _figures(
    candidates: Sequence[TrainingCandidate],
    chosen: Sequence[TrainingCandidate],
    situation: Situation,
    limits: CurriculumLimits,
) -> dict[str, int | str]:
    return {
        "needed": round(_tokens(candidates, limits)),
        "records": len(candidates),
        "chosen": len(chosen),
        "new": sum(one.due for one in chosen),
        "parent": situation.champion[:10],
        "depth": situation.depth,
        "days": situation.days_since_cold or 0,
    }


def _tokens(candidates: Sequence[TrainingCandidate], limits: CurriculumLimits) -> float:
    """Trained tokens when all of them are in every pass."""
    return limits.passes * sum(map(limits.tokens_a_pass, candidates))


def _rows(chosen: Sequence[TrainingCandidate]) -> tuple[Example, ...]:
    return tuple(sorted((one.row for one in chosen), key=lambda row: row.record_id))


def _ranked(candidates: Sequence[TrainingCandidate], salt: str | None = None) -> list[TrainingCandidate]:
    """An order each of whose beginnings is a stratified sample: from every stratum its share, give or take a record.

    Inside a stratum the order is drawn from `salt`; without one, by arrival.
    """
    strata: dict[tuple[str, str, int], list[TrainingCandidate]] = defaultdict(list)
    for one in sorted(candidates, key=lambda one: (one.arrival, one.row.record_id)):
        strata[one.stratum].append(one)
    placed: list[tuple[float, tuple[str, str, int], TrainingCandidate]] = []
    for name, members in strata.items():
        ordered = members if salt is None else Random(f"{salt} {name}").sample(members, len(members))
        placed += [((rank + 0.5) / len(members), name, one) for rank, one in enumerate(ordered)]
    return [one for _, _, one in sorted(placed, key=lambda entry: entry[:2])]


def _prefix(
    ranked: Sequence[TrainingCandidate], budget: float, limits: CurriculumLimits, *, passes: int, at_least: int = 0
) -> list[TrainingCandidate]:
    """The longest beginning that the budget holds; skipping what is too large would favour short records."""
    spent, count = 0.0, 0
    for one in ranked:
        spent += passes * limits.tokens_a_pass(one)
        if spent > budget and count >= at_least:
            break
        count += 1
    return list(ranked[:count])
