"""`bonsai benchmark`: the fixed questions, put to any adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, Shell, shell_of

if TYPE_CHECKING:
    from bonsai.benchmark.compare import Comparison
    from bonsai.benchmark.report import Report

app = noun()

AdapterArgument = Annotated[str, typer.Argument(help="cli.arg_adapter", metavar="ADAPTER")]
Pool = Annotated[str, typer.Option("--pool", help="cli.opt_pool")]


@verb(app, "cli.benchmark_run")
def run(
    ctx: typer.Context, adapter: AdapterArgument = "champion", pool: Pool = "selection", as_json: AsJson = False
) -> None:
    """Ask all questions of a pool; a report made before with the same parts is read instead."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    with progress.shown(shell, quiet=as_json) as report:
        made = pipeline.run_benchmark(bonsai, adapter, pool, shell.now(), report)
    _tell(shell, made, as_json)


@verb(app, "cli.benchmark_show")
def show(
    ctx: typer.Context, adapter: AdapterArgument = "champion", pool: Pool = "selection", as_json: AsJson = False
) -> None:
    """A report that was made before."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    made = pipeline.benchmark_report(shell.open(), adapter, pool)
    _tell(shell, made, as_json)


@verb(app, "cli.benchmark_compare")
def compare(
    ctx: typer.Context,
    left: Annotated[str, typer.Argument(help="cli.arg_left", metavar="ADAPTER")],
    right: Annotated[str, typer.Argument(help="cli.arg_right", metavar="ADAPTER")] = "champion",
    pool: Pool = "selection",
    as_json: AsJson = False,
) -> None:
    """Two adapters on the same questions, with the interval of the difference."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    alpha = bonsai.config.gate.alpha
    found = pipeline.compare_adapters(bonsai, left, right, pool)
    compared = [_comparison(one, alpha) for one in found if one.items]
    if as_json:
        shell.json(compared)
        return
    headings = ("slice", "measure", "items", "clusters", "gain", "low", "high")
    shell.table(headings, ([one[name] for name in headings] for one in compared), right=(2, 3, 4, 5, 6))
    shell.say("cli.gain_meaning")


def _comparison(one: Comparison, alpha: float) -> dict[str, object]:
    """One slice in one measure; no bounds where there are too few facts for them."""
    return {
        "slice": one.slice.name,
        "measure": one.measure,
        "items": one.items,
        "clusters": one.clusters,
        "gain": one.mean,
        "low": one.estimate.lower(alpha) if one.estimate else None,
        "high": one.estimate.upper(alpha) if one.estimate else None,
    }


def _tell(shell: Shell, made: Report, as_json: bool) -> None:
    from bonsai.benchmark.report import render_table, summary

    if as_json:
        about = {"benchmark": made.benchmark, "subject": made.subject, "created_at": made.created_at}
        shell.json({**about, "seconds": made.seconds, "rows": summary(made)})
    else:
        shell.show(render_table(made, shell.language))
