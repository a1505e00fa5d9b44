"""What holds of the gate whatever the reports say (property tests)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from planted import bare, default_policy, shifted, world

from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import Report
from bonsai.gate.decide import decide
from bonsai.gate.decision import Decision

POLICY = default_policy(resamples=200)
FACTS = {"cat_care": 32, "general": 14, "translation": 12, "control": 32}
Change = Callable[[Report], Report]


@dataclass(frozen=True)
class Night:
    """Two models on v1 and on the personal evaluation set; `a` gains what is said."""

    a: Report
    b: Report
    base: Report
    anchor: Report | None
    suite: ReportPair
    left_out: frozenset[str]

    def judged(self, change: Change = lambda report: report, *, seed: int = POLICY.seed) -> Decision:
        """`a` against `b`; confirmation always agrees."""
        return promote_over(
            change(self.a), change(self.b), ReportPair(change(self.suite.challenger), change(self.suite.champion)),
            change(self.base), change(self.anchor) if self.anchor else None, self.left_out, seed,
        )  # fmt: skip

    def turned(self) -> Decision:
        """`b` against `a`, from the same reports."""
        swapped = ReportPair(self.suite.champion, self.suite.challenger)
        return promote_over(self.b, self.a, swapped, self.base, self.anchor, self.left_out)


def promote_over(
    challenger: Report, champion: Report, suite: ReportPair, base: Report, anchor: Report | None = None,
    left_out: frozenset[str] = frozenset(), seed: int = POLICY.seed, *, champion_must_go: bool = False,
) -> Decision:  # fmt: skip
    agrees = ReportPair(shifted(world(90, pool="c", facts=FACTS), -0.5), world(91, pool="c", facts=FACTS))
    return decide(
        challenger, champion, base=base, confirm=lambda: agrees, policy=replace(POLICY, seed=seed), anchor=anchor,
        suite=suite, left_out=left_out, champion_must_go=champion_must_go,
    )  # fmt: skip


@st.composite
def nights(draw: st.DrawFn) -> Night:
    seed = draw(st.integers(10, 10_000))
    gain = draw(st.floats(-0.2, 0.2))
    a = shifted(world(seed, subject="a", facts=FACTS), -gain, domain=draw(st.sampled_from([None, "cat_care"])))
    b = world(seed + 1, subject="b", facts=FACTS)
    own = {"own": draw(st.sampled_from([8, 34]))}
    suite_gain = draw(st.floats(-0.2, 0.2))
    suite = ReportPair(
        shifted(world(seed + 2, subject="a", pool="suite", facts=own), -suite_gain),
        world(seed + 3, subject="b", pool="suite", facts=own),
    )
    anchor = world(seed + 4, subject="old", facts=FACTS) if draw(st.booleans()) else None
    left_out = frozenset(item.id for item in a.items[: draw(st.integers(0, 6))])
    return Night(a, b, bare(FACTS), anchor, suite, left_out)


def shuffled(order: random.Random) -> Change:
    """The items in another order in every report."""
    return lambda report: replace(report, items=tuple(order.sample(report.items, len(report.items))))


def renamed(order: random.Random) -> Change:
    """Other names for the clusters, which also sort otherwise; the same ones in every report."""
    names: dict[str, str] = {}

    def name(cluster: str) -> str:
        return names.setdefault(cluster, f"{order.random():.16f}")

    return lambda report: replace(
        report, items=tuple(replace(item, cluster=name(item.cluster)) for item in report.items)
    )


@settings(max_examples=25, deadline=None)
@given(nights(), st.integers(0, 2**31))
def test_the_order_of_the_items_changes_nothing(night: Night, seed: int) -> None:
    assert night.judged(shuffled(random.Random(seed))) == night.judged()


@settings(max_examples=25, deadline=None)
@given(nights(), st.integers(0, 2**31))
def test_the_names_of_the_clusters_change_nothing(night: Night, seed: int) -> None:
    assert night.judged(renamed(random.Random(seed))) == night.judged()


@settings(max_examples=15, deadline=None)
@given(nights(), st.integers(0, 2**31))
def test_one_seed_gives_one_decision_and_another_moves_no_figure(night: Night, seed: int) -> None:
    first, again, other = night.judged(seed=seed), night.judged(seed=seed), night.judged(seed=seed + 1)
    assert first == again
    figures = [{(r.rule, r.name): r.figure for r in one.rules if r.rule in "BC"} for one in (first, other)]
    common = figures[0].keys() & figures[1].keys()
    assert len(common) > 10
    assert all(figures[0][name] == figures[1][name] for name in common)


@settings(max_examples=15, deadline=None)
@given(nights(), st.booleans())
def test_a_report_is_never_promoted_against_itself(night: Night, must_go: bool) -> None:
    alone = ReportPair(night.suite.champion, night.suite.champion)
    decision = promote_over(night.b, night.b, alone, night.base, night.anchor, champion_must_go=must_go)
    assert decision.verdict != "promote"
    again = replace(night.b, subject="again", adapter_hash="again", logits=(9.0, 9.0))
    assert promote_over(again, night.b, alone, night.base, night.anchor).verdict != "promote"


@settings(max_examples=60, deadline=None)
@given(nights())
def test_two_models_are_never_promoted_over_each_other(night: Night) -> None:
    assert [night.judged().verdict, night.turned().verdict].count("promote") <= 1


def test_progress_here_and_there_goes_one_way_only() -> None:
    facts = {"cat_care": 120, "general": 120, "control": 120}
    a = shifted(world(30, subject="a", facts=facts), -0.08, domain="cat_care")
    b = world(31, subject="b", facts=facts)
    own = {"own": 60}
    a_suite = shifted(world(22, subject="a", pool="suite", facts=own), 0.12)
    b_suite = world(23, subject="b", pool="suite", facts=own)
    forth = promote_over(a, b, ReportPair(a_suite, b_suite), bare(facts))
    back = promote_over(b, a, ReportPair(b_suite, a_suite), bare(facts))
    assert (forth.verdict, back.verdict) == ("keep", "promote"), "what the owner taught weighs more than v1"
    assert [one.name for one in forth.rules if one.outcome == "fail"] == ["suite_lost"]
