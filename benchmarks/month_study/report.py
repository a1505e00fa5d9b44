"""Tables and plot of the month, from `benchmarks/results/month.jsonl` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.gate_study.document import put
from benchmarks.month_study.nights import BASE, POLICIES, Line, read
from benchmarks.month_study.world import NEW_NIGHTS, NIGHTS, SHIFT

NAMES = {"replay": "warm + replay", "cold": "cold", "alone": "warm without replay"}
COLOURS = {"replay": "#2a7f62", "cold": "#333333", "alone": "#b5462f"}
GROUPS = {"new": "new facts", "old": "old own facts", "general": "general questions"}
OLD_FROM = NEW_NIGHTS + 1
"The first night with old facts."
Months = Mapping[str, Sequence[Line]]
"Policy -> its nights, in order."


def report(results: Path, docs: Path) -> None:
    """Print the tables, write them into the document, draw the plot."""
    lines = read(results)
    months = {policy: [line for (name, _), line in sorted(lines.items()) if name == policy] for policy in POLICIES}
    months = {policy: nights for policy, nights in months.items() if nights}
    tables = {"accuracy": accuracy_table(months, lines.get((BASE, 0))), "cost": cost_table(months)}
    for name, table in tables.items():
        print(f"\n## {name}\n\n{table}")
        put(docs / "continual.md", name, table)
    draw(months, docs / "plots")


def share(lines: Iterable[Line], group: str) -> float | None:
    """Share of right answers over these nights; None if nothing was asked."""
    found = [line.right[group] for line in lines]
    asked = sum(of for _, of in found)
    return sum(right for right, _ in found) / asked if asked else None


def accuracy_table(months: Months, base: Line | None) -> str:
    """Shares of right answers by policy."""
    head = (
        "policy", "nights", "new facts", f"new, nights {SHIFT} to {SHIFT + NEW_NIGHTS - 1}", "old own facts",
        "old, last night", "general", "general, worst night", "forgotten facts still told",
    )  # fmt: skip
    rows = [
        (
            NAMES[policy],
            str(len(nights)),
            percent(share(nights, "new")),
            percent(share([one for one in nights if SHIFT <= one.night < SHIFT + NEW_NIGHTS], "new")),
            percent(share([one for one in nights if one.night >= OLD_FROM], "old")),
            percent(share(nights[-1:], "old")),
            percent(share(nights, "general")),
            percent(min((share([one], "general") or 0.0) for one in nights)),
            counted(nights, "forgotten"),
        )
        for policy, nights in months.items()
    ]
    if base:
        rows.append(("the bare base", "", "", "", "", "", percent(share([base], "general")), "", ""))
    return markdown(head, rows)


def cost_table(months: Months) -> str:
    """Cost of the nights by policy."""
    head = ("policy", "records", "tokens, night 1", "tokens, last night", "tokens, largest night", "tokens, month",
            "CPU seconds, last night", "CPU minutes, month", "cold nights")  # fmt: skip
    rows = [
        (
            NAMES[policy],
            f"{nights[0].records} to {nights[-1].records}",
            f"{nights[0].tokens:,}",
            f"{nights[-1].tokens:,}",
            f"{max(one.tokens for one in nights):,}",
            f"{sum(one.tokens for one in nights):,}",
            f"{nights[-1].cpu_seconds:.0f}",
            f"{sum(one.cpu_seconds for one in nights) / 60:.1f}",
            str(sum(one.start == "cold" for one in nights)),
        )
        for policy, nights in months.items()
    ]
    return markdown(head, rows)


def percent(value: float | None) -> str:
    """A share for a table."""
    return "" if value is None else f"{value:.0%}"


def counted(nights: Sequence[Line], group: str) -> str:
    """`3 of 8`: right answers and questions."""
    found = [line.right[group] for line in nights]
    return f"{sum(right for right, _ in found)} of {sum(of for _, of in found)}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with right-aligned numbers."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---", *["---:"] * (len(head) - 1)], *rows)]
    return "\n".join(lines)


def draw(months: Months, folder: Path) -> None:
    """Accuracy of each group and cost, night by night; crosses are cold nights."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "bonsai", "svg.fonttype": "none", "font.size": 9})
    figure = Figure(figsize=(7.5, 8.0), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True)
    for axes, (group, title) in zip(panels, GROUPS.items(), strict=False):
        _plot(axes, months, {policy: [share([one], group) for one in nights] for policy, nights in months.items()})
        axes.set_ylim(-0.03, 1.03)
        axes.set_ylabel(f"{title}, right")
    _plot(panels[3], months, {policy: [one.tokens / 1000 for one in nights] for policy, nights in months.items()})
    panels[3].set_ylim(0, None)
    panels[3].set_xlim(0.5, NIGHTS + 0.5)
    panels[3].set_xticks([1, *range(5, NIGHTS + 1, 5)])
    panels[3].set_ylabel("trained tokens, thousands")
    panels[3].set_xlabel("night (dotted: another topic begins; crosses: nights that start cold)")
    panels[0].legend(frameon=False, ncols=3, loc="lower left")
    figure.savefig(folder / "month.svg", metadata={"Date": None})
    figure.savefig(folder / "month.png", dpi=110, metadata={"Software": None})


def _plot(axes: Axes, months: Months, values: Mapping[str, Sequence[float | None]]) -> None:
    """One panel: one line per policy."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.axvline(SHIFT - 0.5, color="#999999", linestyle=":")
    for policy, nights in months.items():
        points = [(one, value) for one, value in zip(nights, values[policy], strict=True) if value is not None]
        xs, ys = [one.night for one, _ in points], [value for _, value in points]
        axes.plot(xs, ys, color=COLOURS[policy], label=NAMES[policy], linewidth=1.4)
        cold = [(one.night, value) for one, value in points if one.start == "cold" and policy != "cold"]
        axes.plot([x for x, _ in cold], [y for _, y in cold], "x", color=COLOURS[policy], markersize=4)
