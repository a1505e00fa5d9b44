"""The tables of docs/real-models.md, from `benchmarks/results/real_models/` and `base_recipe.json` only.

Intervals are Wilson's (1927) at 95 %, with the questions taken as independent; two paraphrases of a record are not
quite that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from benchmarks.gate_study.document import put
from benchmarks.real_models_study.lines import (
    ARMS,
    OWNERS_FILE,
    TEMPLATES_FILE,
    Asked,
    Counts,
    Line,
    TemplateLine,
    read,
)

NORMAL_95 = 1.959964
GIB = 1 << 30
RIGHT_QUOTED, WRONG_QUOTED = 3, 2
STEPS = ("replay", "snapshot", "train", "benchmark", "twin")
"Of a night, without those that take no time."
NOTHING = "Not measured yet."
RECIPES_FILE = "base_recipe.json"
"Of `benchmarks/base_recipe.py`."


def report(results: Path, docs: Path) -> None:
    """Print every table and write them into the document."""
    lines = [line for file in sorted(results.glob(f"*/{OWNERS_FILE}")) for line in read(file, Line)]
    compared = [line for file in sorted(results.glob(f"*/{TEMPLATES_FILE}")) for line in read(file, TemplateLine)]
    file = results.parent / RECIPES_FILE
    searched = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    tables = {
        "summary": summary(lines),
        "bases": bases(lines),
        "recipes": recipes(searched),
        "templates": templates(compared),
    }
    for name, text in tables.items():
        print(f"\n## {name}\n\n{text}")
        put(docs / "real-models.md", name, text)


def summary(lines: Sequence[Line]) -> str:
    """A base and number of records a row, its owners together."""
    head = ("base", "records", "owners", *ARMS, "declined, base", "declined, adapter", "general, kept", "promoted")
    rows = [
        (
            base,
            str(records),
            str(len(group)),
            *(share(_right(group, arm)) for arm in ARMS),
            share(_declined(group, "base")),
            share(_declined(group, "adapter")),
            share(_kept(group, "general")),
            f"{sum(line.night.verdict == 'promote' for line in group)} of {len(group)}",
        )
        for (base, records), group in _grouped(lines).items()
    ]
    return table(head, rows) if rows else NOTHING


def bases(lines: Sequence[Line]) -> str:
    """A section for each base and number of records."""
    return "\n\n".join(_section(group) for group in _grouped(lines).values()) or NOTHING


def _grouped(lines: Sequence[Line]) -> dict[tuple[str, int], list[Line]]:
    groups: dict[tuple[str, int], list[Line]] = {}
    for line in sorted(lines, key=lambda one: (one.parameters, one.base, one.records, one.owner)):
        groups.setdefault((line.base, line.records), []).append(line)
    return groups


def _section(lines: Sequence[Line]) -> str:
    first = lines[0]
    size = f", {first.parameters / 1e6:.0f} million parameters" if first.parameters else ""
    prepared = ", ".join(f"`{name}` {cost.seconds:.0f} s" for name, cost in first.prepared.items())
    parts = (
        f"### {first.base}, {first.records} records",
        f"From `{first.source}`{size}. Prepared once: {prepared}.",
        "**Nights.**",
        nights(lines),
        reasons(lines),
        "**Facts right on unseen paraphrases.** `retrieved`: the right record was among the three that were found.",
        facts(lines),
        "**How it answers.** Of all questions: the share in the right language, looping, and ended within its tokens.",
        manners(lines),
        "**General knowledge** on the selection pool, before and after the night.",
        general(lines),
        "**The seed's questions.** Nobody scored these; the first owner's adapter answered.",
        seed(first),
        "**Answers of the adapter**, the first three right and the first two wrong ones of each owner.",
        quotes(lines),
    )
    return "\n\n".join(parts)


def nights(lines: Sequence[Line]) -> str:
    """Cost and verdict by owner."""
    steps = [step for step in STEPS if any(step in line.night.steps_seconds for line in lines)]
    head = ("owner", "verdict", "night s", *(f"{step} s" for step in steps), "records learned", "replay samples",
            "updates", "tokens", "peak GiB", "asking s")  # fmt: skip
    rows = [
        (
            line.owner,
            line.night.verdict,
            f"{line.night.cost.seconds:.0f}",
            *(_seconds(line.night.steps_seconds.get(step)) for step in steps),
            str(line.night.own),
            str(line.night.replayed),
            str(line.night.steps),
            f"{line.night.tokens:,}",
            f"{line.night.cost.peak_bytes / GIB:.1f}",
            f"{line.asking_seconds:.0f}",
        )
        for line in lines
    ]
    return table(head, rows)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def reasons(lines: Sequence[Line]) -> str:
    """Why each night ended as it did."""
    return "\n".join(f"- {line.owner}: {' '.join(line.night.reasons)}" for line in lines)


def facts(lines: Sequence[Line]) -> str:
    """Right answers by arm, the unanswerable questions that were declined, and what was retrieved."""
    declined = tuple(f"declined, {arm}" for arm in ARMS)
    head = ("owner", *ARMS, "retrieved", *declined)
    groups: list[tuple[str, Sequence[Line]]] = [(line.owner, [line]) for line in lines]
    if len(lines) > 1:
        groups.append(("all", lines))
    rows = [
        (
            name,
            *(share(_right(group, arm)) for arm in ARMS),
            share(_retrieved(group)),
            *(share(_declined(group, arm)) for arm in ARMS),
        )
        for name, group in groups
    ]
    return table(head, rows)


def manners(lines: Sequence[Line]) -> str:
    """By arm, all owners together."""
    rows = []
    for arm in ARMS:
        replies = [one.replies[arm] for line in lines for one in line.asked]
        bits = [one.bits for one in replies if one.bits is not None]
        rows.append(
            (
                arm,
                share(_counted(one.language_ok for one in replies)),
                share(_counted(one.looping for one in replies)),
                share(_counted(one.ended for one in replies)),
                f"{sum(bits) / len(bits):.2f}" if bits else "-",
            )
        )
    return table(("arm", "right language", "looping", "ended", "bits/byte of the reference"), rows)


def general(lines: Sequence[Line]) -> str:
    """By owner and language, the domain `general`, and all domains together."""
    rows = []
    for line in lines:
        for group, counts in line.night.general.items():
            domain, _, language = group.partition("/")
            if domain == "general":
                rows.append((f"{line.owner}, {language}", *_before_after(counts)))
        rows.append((f"{line.owner}, all domains", *_before_after(_sum(line.night.general.values()))))
    return table(("owner", "questions", "before", "after", "of those right before, kept"), rows)


def _before_after(counts: Counts) -> tuple[str, ...]:
    before, after = (share((right, counts.asked)) for right in (counts.before, counts.after))
    return str(counts.asked), before, after, share((counts.kept, counts.before))


def _sum(counts: Iterable[Counts]) -> Counts:
    each = list(counts)
    return Counts(
        sum(one.asked for one in each),
        sum(one.before for one in each),
        sum(one.after for one in each),
        sum(one.kept for one in each),
    )


def seed(line: Line) -> str:
    """Both answers to each of the seed's questions."""
    rows = [(quoted(one.question), quoted(one.base), quoted(one.adapter)) for one in line.seed]
    return table(("question", "base", f"adapter of {line.owner}"), rows, numbers=False)


def quotes(lines: Sequence[Line]) -> str:
    """Some answers of each owner's adapter, chosen by position."""
    rows = []
    for line in lines:
        for one in chosen(line.asked):
            reply, mark = one.replies["adapter"], "right" if one.replies["adapter"].right else "wrong"
            informed = one.replies["adapter+records"].response
            rows.append(
                (
                    line.owner,
                    quoted(one.question),
                    quoted(one.reference),
                    mark,
                    *map(quoted, (reply.response, informed)),
                )
            )
    head = ("owner", "question", "the record says", "", "adapter", "adapter+records")
    return table(head, rows, numbers=False)


def chosen(asked: Sequence[Asked]) -> list[Asked]:
    """The first right and the first wrong answers of the adapter about facts; more of one kind if the other is rare."""
    about_facts = [one for one in asked if one.fact is not None]
    right = [one for one in about_facts if one.replies["adapter"].right]
    wrong = [one for one in about_facts if not one.replies["adapter"].right]
    most = RIGHT_QUOTED + WRONG_QUOTED
    few_wrong = min(len(wrong), max(WRONG_QUOTED, most - len(right)))
    return [*right[: most - few_wrong], *wrong[:few_wrong]]


def templates(lines: Sequence[TemplateLine]) -> str:
    """A training a row."""
    head = ("base", "owner", "template", "seed", "records", "right", "right language", "bits/byte of the reference",
            "first loss", "last loss", "training s")  # fmt: skip
    rows = [
        (
            line.base,
            line.owner,
            f"`{line.template}`",
            str(line.seed),
            str(line.records),
            share((line.right, line.asked)),
            share((line.language_ok, line.asked)),
            f"{line.bits:.2f}",
            f"{line.first_loss:.2f}",
            f"{line.last_loss:.2f}",
            f"{line.seconds:.0f}",
        )
        for line in sorted(lines, key=lambda one: (one.base, one.owner, one.records, one.template, one.seed))
    ]
    return table(head, rows) if rows else NOTHING


def recipes(searched: Mapping[str, Mapping[str, Any]]) -> str:
    """An arm of the search a row, the bare base first and the profile's recipe last."""
    head = ("base, owner, records", "recipe", "own questions right", "paraphrases right", "general right",
            "general, ended", "training s")  # fmt: skip
    rows = []
    for key, found in sorted(searched.items(), key=lambda one: _place(json.loads(one[0])[3])):
        base, owner, records, arm = json.loads(key)
        changed = "the bare base" if arm is None else ", ".join(f"`{name} = {arm[name]:g}`" for name in arm)
        shares = [
            share((round(found[f"{name}_{part}"] * found[f"{name}_n"]), found[f"{name}_n"]))
            for name, part in (("own", "right"), ("facts", "right"), ("general", "right"), ("general", "ended"))
        ]
        name = f"{base}, {owner}, {records}"
        rows.append((name, changed or "the profile's", *shares, "" if arm is None else f"{found['seconds']:.0f}"))
    return table(head, rows) if rows else NOTHING


def _place(arm: Mapping[str, Any] | None) -> tuple[int, str]:
    return (0 if arm is None else 1 if arm else 2), json.dumps(arm)


def _right(lines: Iterable[Line], arm: str) -> tuple[int, int]:
    return _counted(one.replies[arm].right for line in lines for one in line.asked if one.fact is not None)


def _declined(lines: Iterable[Line], arm: str) -> tuple[int, int]:
    return _counted(one.replies[arm].right for line in lines for one in line.asked if one.fact is None)


def _retrieved(lines: Iterable[Line]) -> tuple[int, int]:
    return _counted(one.fact in one.found for line in lines for one in line.asked if one.fact is not None)


def _kept(lines: Iterable[Line], domain: str) -> tuple[int, int]:
    counts = [one for line in lines for group, one in line.night.general.items() if group.partition("/")[0] == domain]
    return sum(one.kept for one in counts), sum(one.before for one in counts)


def _counted(flags: Iterable[bool]) -> tuple[int, int]:
    found = list(flags)
    return sum(found), len(found)


def share(counts: tuple[int, int]) -> str:
    """A share with its interval; a dash without questions."""
    hits, of = counts
    if not of:
        return "-"
    low, high = wilson(hits, of)
    return f"{100 * hits / of:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion."""
    squared = NORMAL_95**2
    centre = (hits + squared / 2) / (of + squared)
    half = NORMAL_95 * sqrt(hits * (of - hits) / of + squared / 4) / (of + squared)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def quoted(text: str) -> str:
    """A text as one cell: on one line, nothing of it read as Markdown."""
    line = " ".join(text.split()).replace("\\", "\\\\")
    for mark in "|`*_<>[]":
        line = line.replace(mark, f"\\{mark}")
    return line or "(nothing)"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """A Markdown table; with `numbers`, all columns but the first are right-aligned."""
    marks = ["---", *(["---:" if numbers else "---"] * (len(head) - 1))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, marks, *rows))
