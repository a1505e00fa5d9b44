"""The table of docs/forgetting.md, from `benchmarks/results/forgetting.jsonl` only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.forgetting_study.arms import ARMS, BASE, SEEDS
from benchmarks.forgetting_study.runs import REHEARSED, Line, read
from benchmarks.gate_study.document import put
from bonsai.evaluate.statistics import exact_interval

UNREHEARSED = ("general", "reading", "classification", "brainstorming", "unanswerable")
TAUGHT = ("cat_care",)


def report(results: Path, docs: Path) -> None:
    """Print the table and write it into the document."""
    made = table(list(read(results).values()))
    print(made)
    put(docs / "forgetting.md", "arms", made)


def table(lines: Sequence[Line]) -> str:
    """An arm a row: what was learned, what is kept of what nothing rehearses and of what is rehearsed, the cost."""
    head = ("recipe", "runs", "taught, right", "unrehearsed, kept", "rehearsed, kept", "CPU s")
    rows = [("the bare base", "1", *_shares([one for one in lines if one.arm == BASE]), "")]
    for name, arm in ARMS.items():
        of_arm = [one for one in lines if one.arm == name]
        seconds = f"{sum(one.cpu_seconds for one in of_arm) / len(of_arm):.0f}" if of_arm else ""
        rows.append((f"`{name}`: {arm.about}", f"{len(of_arm)} of {len(SEEDS)}", *_shares(of_arm), seconds))
    marks = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *rows))


def _shares(lines: Sequence[Line]) -> tuple[str, str, str]:
    if not lines:
        return ("not measured yet",) * 3
    return (
        _share(one.right[group] for one in lines for group in one.right if _is_in(group, TAUGHT)),
        _share(one.kept[group] for one in lines for group in one.kept if _is_in(group, UNREHEARSED)),
        _share(one.kept[group] for one in lines for group in one.kept if _is_in(group, (REHEARSED,))),
    )


def _is_in(group: str, domains: Iterable[str]) -> bool:
    return group.partition("/")[0] in domains


def _share(counts: Iterable[tuple[int, int]]) -> str:
    """A share with its 95 % interval, questions taken as independent."""
    pairs = list(counts)
    right, asked = (sum(pair[at] for pair in pairs) for at in (0, 1))
    low, high = exact_interval(right, asked)
    return f"{100 * right / asked:.0f} % ({100 * low:.0f} to {100 * high:.0f})" if asked else "-"
