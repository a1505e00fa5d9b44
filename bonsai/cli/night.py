"""`bonsai night`: learn now, and read what the nights decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.gate_shown import gate_fields
from bonsai.cli.help import noun, verb
from bonsai.cli.records_shown import short
from bonsai.cli.shell import AsJson, Shell, shell_of
from bonsai.config_layers import SETTINGS_FILE

if TYPE_CHECKING:
    from bonsai.views import NightReport

app = noun()


@verb(app, "cli.night_run")
def run(
    ctx: typer.Context,
    cold: Annotated[bool, typer.Option("--cold", help="cli.opt_cold")] = False,
    as_json: AsJson = False,
) -> None:
    """The nightly flow, here and now. A second start on the same records does nothing."""
    from flows import here

    shell = shell_of(ctx)
    if not (shell.home / SETTINGS_FILE).is_file():
        shell.open()  # says what is wrong; the rest is loaded while the server starts
    with progress.shown(shell, quiet=as_json) as report:
        night = here.run_night(shell.home, shell.config().prefect, cold=cold, report=report)
    from bonsai import views

    found = views.show_night(shell.open(), night)
    tell(shell, found, as_json)
    raise typer.Exit(1 if found.status == "failed" else 0)


@verb(app, "cli.night_list", name="list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Newest first."""
    from bonsai import views

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = views.list_nights(bonsai, limit or (None if as_json else bonsai.config.cli.list_limit))
    if as_json:
        shell.json_lines(night_object(shell, night) for night in found)
        return
    rows = (
        (
            n.night,
            start_text(shell, n),
            verdict_text(shell, n) or status_text(shell, n),
            short(n.challenger),
            short(n.champion),
        )
        for n in found
    )
    shell.table(("night", "start", "result", "challenger", "champion"), rows)


@verb(app, "cli.night_show")
def show(
    ctx: typer.Context,
    night: Annotated[str, typer.Argument(help="cli.arg_night", metavar="NIGHT")],
    as_json: AsJson = False,
) -> None:
    """One night: its verdict, the reasons in words and figures, and accuracy before and after."""
    from bonsai import views

    shell = shell_of(ctx)
    tell(shell, views.show_night(shell.open(), night), as_json)


def tell(shell: Shell, night: NightReport, as_json: bool) -> None:
    """A night as JSON or for reading."""
    if as_json:
        shell.json(night_object(shell, night))
        return
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
    """How far it came, in the caller's language."""
    return shell.text(f"cli.night_{night.status}")


def start_text(shell: Shell, night: NightReport) -> str:
    """Cold or warm, in the caller's language; empty when nothing trained."""
    return shell.text(f"cli.start_{night.start}") if night.start else ""


def verdict_text(shell: Shell, night: NightReport) -> str:
    """The gate's word, in the caller's language; empty when nothing was judged."""
    return shell.text(f"cli.verdict_{night.verdict}") if night.verdict else ""


def night_object(shell: Shell, night: NightReport) -> dict[str, object]:
    """The JSON shape of a night; reasons in the caller's language."""
    return {
        "night": night.night,
        "status": night.status,
        "start": night.start,
        "parent": night.parent,
        "why": night.why_in(shell.language),
        "verdict": night.verdict,
        "reasons": night.reasons_in(shell.language),
        "challenger": night.challenger,
        "champion": night.champion,
        "accuracy": night.accuracy,
        "suite": night.suite,
        "gate": night.gate,
    }


def accuracy_rows(shell: Shell, night: NightReport) -> Iterator[tuple[str, str, str, str]]:
    """A line for each domain and language: the champion before the night, the challenger after it."""
    from bonsai.benchmark.report import domain_name

    for domain, languages in night.accuracy.items():
        for language, figures in languages.items():
            yield (
                domain_name(domain, shell.language),
                language,
                percent(figures.get("before")),
                percent(figures.get("after")),
            )


def percent(share: float | None) -> str:
    """A share for a table; empty where it was not measured."""
    return "" if share is None else f"{share:.1%}"
