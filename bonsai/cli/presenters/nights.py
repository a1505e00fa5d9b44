"""Presenter of nights: verdict, steps with their times, cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bonsai.cli.presenters.promotions import gate_fields
from bonsai.cli.presenters.records import short
from bonsai.cli.shell import Shell
from bonsai.i18n import duration

if TYPE_CHECKING:
    from bonsai.queries.nights import NightDetail, NightReport


GIB = 1024**3


def tell(shell: Shell, night: NightReport) -> None:
    """Print a night: outcome, reasons, accuracy."""
    shell.fields(
        (
            ("night", night.night),
            ("status", status_text(shell, night)),
            ("start", night.why_in(shell.language)),
            ("verdict", verdict_text(shell, night)),
            ("challenger", short(night.challenger)),
            ("champion", short(night.champion) or "base"),
            *gate_fields(night.gate, shell.language),
        )
    )
    shell.bullets(night.reasons_in(shell.language))
    if night.accuracy:
        shell.table(("domain", "language", "before", "after"), accuracy_rows(shell, night), right=(2, 3))


def status_text(shell: Shell, night: NightReport) -> str:
    """Status, localised."""
    return shell.text(f"cli.night_{night.status}")


def start_text(shell: Shell, night: NightReport) -> str:
    """Cold or warm, localised; empty if nothing was trained."""
    return shell.text(f"cli.start_{night.start}") if night.start else ""


def verdict_text(shell: Shell, night: NightReport) -> str:
    """Verdict, localised; empty if nothing was judged."""
    return shell.text(f"cli.verdict_{night.verdict}") if night.verdict else ""


def accuracy_rows(shell: Shell, night: NightReport) -> Iterator[tuple[str, str, str, str]]:
    """One row per domain and language: champion before the night, challenger after it."""
    from bonsai.evaluate.report import domain_name

    for domain, languages in night.accuracy.items():
        for language, figures in languages.items():
            yield (
                domain_name(domain, shell.language),
                language,
                percent(figures.get("before")),
                percent(figures.get("after")),
            )


def percent(share: float | None) -> str:
    """A share; empty if it was not measured."""
    return "" if share is None else f"{share:.1%}"


def tell_detail(shell: Shell, night: NightDetail) -> None:
    """Print the steps with their times, and the cost."""
    if night.steps:
        rows = ((shell.text(f"cli.step_{one.name}"), one.started_at, took(shell, one.seconds)) for one in night.steps)
        shell.table(("step", "began_at", "took"), rows, right=(2,))
    cost, learned = night.cost, night.learned
    shell.fields(
        (
            ("learned", shell.text("nights.learned", own=learned.own, anchors=learned.anchors) if learned else ""),
            ("tokens", f"{cost.tokens:,}" if cost.tokens else ""),
            ("memory", f"{cost.memory_bytes / GIB:.1f} GiB" if cost.memory_bytes else ""),
            ("gpu_memory", f"{cost.gpu_memory_bytes / GIB:.1f} GiB" if cost.gpu_memory_bytes else ""),
            ("gpu_seconds", f"{night.gpu_seconds:.0f}" if night.gpu_seconds else ""),
        )
    )


def took(shell: Shell, seconds: float | None) -> str:
    """A duration in words; empty while it runs."""
    return "" if seconds is None else duration(seconds, shell.language)
