"""Progress bars on stderr for `Progress` reports: one per step, with the loss during training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bonsai.cli.shell import Shell
from bonsai.system.progress import Progress, Report, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


__all__ = ["shown", "silent"]


@contextmanager
def shown(shell: Shell, *, quiet: bool = False) -> Iterator[Report]:
    """A `Report` that draws; silent with `quiet` or if stderr is not a terminal."""
    if quiet or not shell.err.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(file=shell.err), expand=True) as bars:
        yield drawing(shell, bars)


def drawing(shell: Shell, bars: Bars) -> Report:
    """A `Report` that draws each step as its own line of `bars`."""
    lines: dict[str, TaskID] = {}

    def report(progress: Progress) -> None:
        if progress.step not in lines:
            lines[progress.step] = bars.add_task(shell.text(f"cli.step_{progress.step}"), note="")
        note = "" if progress.loss is None else shell.text("cli.loss", loss=f"{progress.loss:.3f}")
        bars.update(lines[progress.step], completed=progress.done, total=progress.total or None, note=note)

    return report
