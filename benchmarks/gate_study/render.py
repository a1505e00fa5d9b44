"""The study's values as Markdown tables for `docs/gate.md`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.gate_study.values import Detected, OverBase, Study
from benchmarks.gate_study.verdicts import Share

MOST_RULES = 4
"Number of rules that a table names."


def render(study: Study) -> dict[str, str]:
    """Every table by the name of its mark in the document."""
    return {
        "progress": progress(study),
        "minimum": _and_runs(study, minimum(study), "seed", "night", "house"),
        "no-progress": _and_runs(study, no_progress(study), "seed", "night", "house"),
        "slices": _and_runs(study, slices(study), "seed"),
        "form": _and_runs(study, over_base(study.form), "form", "harm/form_only", "seed", "night"),
        "gains": _and_runs(study, gains(study.detected), "night", "night-scaled", "fresh", "fresh-scaled"),
        "harms": _and_runs(study, harms(study), "harm", "night", "house", "night-scaled/0.7"),
        "kept": _and_runs(study, kept(study), "form", "night", "house", "harm/forgets_unrehearsed"),
        "year": _and_runs(study, years(study), "night", "house"),
        "coverage": _and_runs(study, coverage(study), "seed", "night"),
        "other": _and_runs(study, over_base(study.other), "other"),
    }


def _and_runs(study: Study, text: str, *kinds: str) -> str:
    """A table, and below it how many of the runs that it needs are made, unless all are."""
    wanted = [one for one in study.progress if any(one[0] == kind or one[0].startswith(f"{kind}/") for kind in kinds)]
    there, planned = sum(one[1] for one in wanted), sum(one[2] for one in wanted)
    if there == planned:
        return text
    return f"{text}\n\nFrom {there} of {planned} runs: " + ", ".join(f"`{kind}`" for kind in kinds) + "."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; without rows, that nothing is measured yet."""
    if not rows:
        return "Not measured yet."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float, digits: int = 1) -> str:
    """`0.6 %`."""
    return f"{100 * share:.{digits}f} %"


def ranged(share: Share) -> str:
    """A share with its interval."""
    return f"{percent(share.value)} ({percent(share.low)} to {percent(share.high)})"


def largest(units: Mapping[str, float]) -> float:
    """The largest of some gains; NaN without one."""
    return max(units.values(), default=math.nan)


def signed(value: float, digits: int = 3) -> str:
    """`+0.123`; a dash for NaN."""
    return "-" if math.isnan(value) else f"{value:+.{digits}f}"


def figure(claim: str, value: float) -> str:
    """A gain of a claim: points of right answers, or bits per byte."""
    if math.isnan(value):
        return "-"
    return f"{100 * value:+.1f} points" if claim.startswith("right") else f"{value:+.4f}"


def rules(caught: Counter[str]) -> str:
    """The rules that refused, most frequent first."""
    named = [f"{rule} ({count})" for rule, count in caught.most_common(MOST_RULES)]
    return ", ".join([*named, *(["..."] if len(caught) > MOST_RULES else [])]) or "-"


def minimum(study: Study) -> str:
    """The fitted minima."""
    head = (
        "seeds of the", "claim", "seeds", "deviation of a seed", "97.5 % of the pairs seen", "for a further pair",
        "default",
    )  # fmt: skip
    rows = [
        (
            one.plan, f"`{one.claim}`", str(one.seeds), f"{one.spread:.4f}", f"{one.seen:.4f}",
            f"**{one.predicted:.4f}**", f"{one.default:.2f}",
        )
        for one in study.minima
    ]  # fmt: skip
    return table(head, rows)


def no_progress(study: Study) -> str:
    """A/A, one column for each plan."""
    found = study.no_progress
    rows = {
        "adapters": [str(one.seeds) for one in found],
        "ordered pairs": [str(one.pairs) for one in found],
        "pairs with a gain that reached its minimum": [str(one.reached) for one in found],
        "**promoted at a first night's level**, 95 % at adapter level": [ranged(one.promoted) for one in found],
        "promoted at `gate.alpha` every time": [ranged(one.at_alpha) for one in found],
        "promoted by `new >= old` on right answers": [ranged(one.bare) for one in found],
        "upper bound, had none been promoted, from pairs without a common adapter": [
            percent(one.bound) for one in found
        ],
        "no-better promotions a year, each at a first night's level": [f"{one.a_year:.2f}" for one in found],
        "what stopped those that reached a minimum": [rules(one.caught) for one in found],
    }
    return table(
        ("A/A", *(one.plan for one in found)), [(name, *cells) for name, cells in rows.items()] if found else []
    )


def slices(study: Study) -> str:
    """Differences between seeds in the slices of rule D."""
    rows = [
        (f"`{one.slice}`", str(one.facts), f"{one.deviation:.4f}", f"{one.seen:.4f}", f"{one.margin:.2f}")
        for one in study.slices
    ]
    return table(("slice", "facts", "deviation of a gain", "97.5 % of the pairs", "margin"), rows)


def progress(study: Study) -> str:
    """Progress of the study."""
    rows = [(f"`{kind}`", f"{there} of {planned}") for kind, there, planned in study.progress]
    return table(("runs", "made"), rows)


def gains(found: Sequence[Detected]) -> str:
    """The detection curve."""
    rows = [
        (
            f"`{one.champion}`", "; ".join(figure(*each) for each in one.gains.items()), signed(one.score, 4),
            " / ".join(f"{units:.1f}" for units in one.units.values()), f"{one.won} of {one.tries}",
            f"{percent(one.promoted.value, 0)} of {one.pairs}", percent(one.faulty / one.pairs, 0),
            "-" if one.found is None else percent(one.found, 0), rules(one.caught),
        )
        for one in sorted(found, key=lambda one: largest(one.units))
    ]  # fmt: skip
    head = (
        "champion", "planted gain beyond control, right answers and preference", "preference on the score pool",
        "x minimum", "promoted, each challenger once", "promoted, all pairs", "refused for what the seed lost",
        "promoted of the others", "refused by",
    )  # fmt: skip
    return table(head, rows)


def harms(study: Study) -> str:
    """The planted harms."""
    rows = [
        (
            one.name.replace("_", " "), str(one.tries), f"**{one.promoted}**", str(one.promoted_over_base),
            f"{one.control} of {one.tries}", f"{signed(one.gain)} / {signed(one.confirmed)}", rules(one.caught),
        )
        for one in study.harmed
    ]  # fmt: skip
    head = (
        "harm", "tries", "promoted", "over the base", "the same without the harm",
        "gain beyond control, selection / confirmation", "refused by (tries)",
    )  # fmt: skip
    held = [
        f"At intake the contamination check holds back {percent(one.held_back, 0)} of what `{one.name}` was taught of"
        " the pool."
        for one in study.harmed
        if not math.isnan(one.held_back)
    ]
    return "\n\n".join([table(head, rows), *held])


def over_base(found: Sequence[OverBase]) -> str:
    """Kinds of adapters over the bare base."""
    rows = [
        (
            f"`{one.kind}`", f"`{claim}`", figure(claim, one.taught[claim]), figure(claim, one.control[claim]),
            figure(claim, one.taught[claim] - one.control[claim]), f"{one.promoted} of {one.tries}", rules(one.caught),
        )
        for one in found
        for claim in one.taught
    ]  # fmt: skip
    head = (
        "adapter", "claim", "gain on taught questions", "gain on control", "beyond control", "promoted over the base",
        "refused by (tries)",
    )  # fmt: skip
    return table(head, rows)


def kept(study: Study) -> str:
    """What is kept of the base's general facts."""
    rows = [
        (
            f"`{one.kind}`", str(one.adapters), "rehearsed" if rehearsed else "not rehearsed",
            str(one.facts[rehearsed]), percent(one.right[rehearsed]),
            "-" if math.isnan(one.kept[rehearsed]) else percent(one.kept[rehearsed]), signed(one.bits[rehearsed]),
        )
        for one in study.kept
        for rehearsed in (True, False)
    ]  # fmt: skip
    head = (
        "adapter", "adapters", "facts of the seedling's world", "facts", "right", "of the base's right answers, kept",
        "bits/byte saved",
    )  # fmt: skip
    return table(head, rows)


def years(study: Study) -> str:
    """All gates over the same years."""
    head = (
        "home, what happens", "gate", "better", "no better", "truly worse", "of all promotions, for nothing",
        "lessons held at the end, of 4",
    )  # fmt: skip
    rows = [
        (
            name, label, *(f"{one.a_year(sort):.2f}" for sort in ("better", "no better", "worse")),
            "-" if one.false_share is None else percent(one.false_share), f"{sum(one.held) / one.years:.2f}",
        )
        for name, ledgers in study.years.items()
        for label, one in ledgers.items()
    ]  # fmt: skip
    made = table(head, rows)
    return f"{made}\n\nDrawn from the differences between the runs `{study.years_from}`." if rows else made


def coverage(study: Study) -> str:
    """Coverage of the bounds."""
    rows = [
        (
            one.measure, one.slice, str(one.facts), f"{one.skew:+.1f}", percent(1 - one.level, 2), percent(one.lower),
            percent(one.upper), str(one.worlds),
        )
        for one in study.coverage
    ]  # fmt: skip
    return table(("measure", "slice", "facts", "skew", "should hold", "lower holds", "upper holds", "worlds"), rows)
