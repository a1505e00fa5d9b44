"""The study's values as Markdown tables for `docs/gate.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from benchmarks.gate_study import plan
from benchmarks.gate_study.values import Detected, Study
from benchmarks.gate_study.verdicts import Share

MOST_RULES = 4
"Number of rules that a table names."


def render(study: Study) -> dict[str, str]:
    """Every table by the name of its mark in the document."""
    return {
        "progress": progress(study),
        "minimum": minimum(study),
        "no-progress": no_progress(study),
        "slices": slices(study),
        "gains": gains(study.detected, study.minimum.bits),
        "night-gains": gains(study.night_detected, plan.policy_of(plan.defaults()).min_gain_bits),
        "harms": harms(study),
        "year": grown_year(study),
        "coverage": coverage(study),
    }


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float, digits: int = 1) -> str:
    """`0.6 %`."""
    return f"{100 * share:.{digits}f} %"


def ranged(share: Share) -> str:
    """A share with its interval."""
    return f"{percent(share.value)} ({percent(share.low)} to {percent(share.high)})"


def rules(caught: Counter[str]) -> str:
    """The rules that refused, most frequent first."""
    named = [f"{rule} ({count})" for rule, count in caught.most_common(MOST_RULES)]
    return ", ".join([*named, *(["..."] if len(caught) > MOST_RULES else [])]) or "-"


def minimum(study: Study) -> str:
    """The fitted minima."""
    fits = {
        "on v1, short plan": study.minimum,
        "on v1, short plan, test adapters too": study.all_minimum,
        "on v1, as long as a night": study.night_minimum,
        "on a personal evaluation set, as long as a night": study.suite_minimum,
    }
    rows = [
        (name, str(one.seeds), f"{one.spread:.4f}", f"{one.seen:.4f}", f"**{one.bits:.4f}**")
        for name, one in fits.items()
        if one
    ]
    return table(("bits/byte", "seeds", "deviation of a seed", "97.5 % of the pairs seen", "for a further pair"), rows)


def no_progress(study: Study) -> str:
    """A/A."""
    one = study.no_progress
    gains = one.gains[np.isfinite(one.gains)]
    rows = [
        ("adapters, other seeds than the minimum's", str(one.seeds)),
        ("ordered pairs", str(one.pairs)),
        ("standard deviation of the gain, bits/byte", f"{gains.std():.4f}"),
        ("pairs whose gain reached the minimum", f"{one.reached} ({percent(one.reached / max(one.pairs, 1))})"),
        ("**promoted by this gate**, 95 % at adapter level", ranged(one.promoted)),
        ("upper bound, had none been promoted, from pairs without a common adapter", percent(one.bound)),
        *((f"promoted had the minimum been {least}", percent(share)) for least, share in one.smaller.items()),
        ("promoted by `new >= old` on right answers", ranged(one.bare)),
        (
            "no-better promotions a year, these adapters drawn again",
            f"{one.a_year.value:.2f} ({one.a_year.low:.2f} to {one.a_year.high:.2f})",
        ),
        ("no-better promotions a year, 365 fresh adapters (normal effects)", f"{one.fresh:.2f}"),
        ("what stopped those that reached the minimum", rules(one.caught)),
    ]
    return table(("A/A", ""), rows)


def slices(study: Study) -> str:
    """Differences between seeds in the slices of rule D."""
    rows = [
        (f"`{one.slice}`", str(one.facts), f"{one.deviation:.4f}", f"{one.seen:.4f}", f"{one.margin:.2f}")
        for one in study.slices
    ]
    return table(("slice", "facts", "deviation of a gain", "97.5 % of the pairs", "margin"), rows)


def progress(study: Study) -> str:
    """Progress of the study."""
    shown = [(f"`{kind}`", f"{there} of {planned}") for kind, there, planned in study.progress]
    harms = [(there, planned) for kind, there, planned in study.progress if kind.startswith("harm/")]
    rows = [one for one in shown if not one[0].startswith("`harm/")]
    rows.append(("`harm/*`, each kind", f"{min(there for there, _ in harms)} of {harms[0][1]}"))
    return table(("runs", "made"), rows)


def gains(found: Sequence[Detected], least: float) -> str:
    """The detection curve."""
    rows = [
        (
            f"`{one.champion}`", f"{one.gain:+.4f}", f"{one.gain / least:.1f}", f"{one.won} of {one.tries}",
            f"{percent(one.promoted.value, 0)} of {one.pairs}", percent(one.faulty / one.pairs, 0),
            percent(one.found, 0), rules(one.caught),
        )
        for one in sorted(found, key=lambda one: one.gain)
    ]  # fmt: skip
    head = (
        "champion", "planted gain, bits/byte", "x minimum", "promoted, each challenger once", "promoted, all pairs",
        "refused for what the seed lost", "promoted of the others", "refused by",
    )  # fmt: skip
    return table(head, rows)


def harms(study: Study) -> str:
    """The planted harms."""
    rows = [
        (
            one.name.replace("_", " "), str(one.tries), f"**{one.promoted}**", str(one.promoted_over_base),
            f"{one.control} of {one.tries}", f"{one.gain:+.3f} / {one.confirmed:+.3f}".replace("+nan", "-"),
            rules(one.caught),
        )
        for one in study.harmed
    ]  # fmt: skip
    head = (
        "harm", "tries", "promoted", "over the base", "the same without the harm", "gain, selection / confirmation",
        "refused by (tries)",
    )  # fmt: skip
    kept = [
        f"At intake the contamination check holds back {percent(one.held_back, 0)} of what `{one.name}` was taught of"
        " the pool."
        for one in study.harmed
        if np.isfinite(one.held_back)
    ]
    return "\n\n".join([table(head, rows), *kept])


def grown_year(study: Study) -> str:
    """Both gates over the same years."""
    head = (
        "gate", "better", "no better", "truly worse", "points shown / true", "bits/byte shown / true",
        "bits/byte saved at the end",
    )  # fmt: skip
    rows = []
    for name, one in study.years.items():
        points, bits = (np.mean(pairs or [(0.0, 0.0)], axis=0) for pairs in (one.accuracy, one.bits))
        sorts = (f"{one.a_year(sort):.1f}" for sort in ("better", "no better", "worse"))
        shown = (f"{100 * points[0]:+.1f} / {100 * points[1]:+.1f}", f"{bits[0]:+.4f} / {bits[1]:+.4f}")
        rows.append((name, *sorts, *shown, f"{float(np.mean(one.last or [0.0])):.3f}"))
    return table(head, rows)


def coverage(study: Study) -> str:
    """Coverage of the bounds."""
    rows = [
        (
            one.measure,
            one.slice,
            str(one.facts),
            f"{one.skew:+.1f}",
            percent(one.lower),
            percent(one.upper),
            str(one.worlds),
        )
        for one in study.coverage
    ]
    return table(
        ("measure", "slice", "facts", "skew", "lower holds", "upper holds", "worlds"),
        rows,
    )
