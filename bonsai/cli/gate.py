"""`bonsai gate`: by what nights are judged, and measuring the smallest gains that count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, Shell, shell_of
from bonsai.i18n import duration

if TYPE_CHECKING:
    from bonsai.actions.calibration import CalibrationPlan
    from bonsai.queries.gate import GateTonight


app = noun()


@verb(app, "cli.gate_calibrate")
def calibrate(
    ctx: typer.Context,
    seeds: Annotated[int, typer.Option("--seeds", help="cli.opt_seeds", min=3, max=16)] = 4,
    yes: Annotated[bool, typer.Option("--yes", help="cli.opt_yes")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the newest night's records with several seeds, and fit the minimum gains; resumes."""
    from bonsai.actions import calibration

    shell = shell_of(ctx)
    bonsai = shell.open()
    _tell_plan(shell, calibration.plan_calibration(bonsai, seeds))
    if not yes and not shell.agreed("gate.go_on"):
        shell.complain("gate.not_begun")
        raise typer.Exit(1)
    with progress.shown(shell, quiet=as_json) as report:
        made = calibration.calibrate(bonsai, seeds, shell.now(), report)
    if as_json:
        from bonsai.serializers.gate import calibration as serialized

        shell.json(serialized(made))
        return
    from bonsai.queries.gate import gate_tonight

    _tell_minima(shell, gate_tonight(bonsai))


@verb(app, "cli.gate_show")
def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The policy that holds tonight, and where it comes from."""
    from bonsai.queries.gate import floor_rows, gate_tonight, other_lines

    shell = shell_of(ctx)
    tonight = gate_tonight(shell.open())
    if as_json:
        from bonsai.serializers.gate import gate_tonight as serialized

        shell.json(serialized(tonight))
        return
    _tell_minima(shell, tonight)
    for line in other_lines(tonight, shell.language):
        shell.show(line)
    shell.line("")
    shell.table(("floor", "at_least"), floor_rows(tonight, shell.language), right=(1,))


def _tell_plan(shell: Shell, plan: CalibrationPlan) -> None:
    """What a calibration will do; on stderr, as `--json` has stdout for itself."""
    from rich.console import Console

    console = Console(file=shell.err, highlight=False, markup=False, emoji=False)
    own = len(plan.lessons[0].own)
    console.print(shell.text("gate.plan", seeds=plan.seeds, own=own, base=plan.settings.base.name))
    key = "gate.plan_form" if plan.form_rows else "gate.plan_no_form"
    console.print(shell.text(key, rows=plan.form_rows))
    if plan.trained:
        console.print(shell.text("gate.plan_resumed", trained=plan.trained, all=len(plan.lessons)))
    seconds = plan.seconds
    console.print(
        shell.text("gate.takes_unknown")
        if seconds is None
        else shell.text("gate.takes", time=duration(seconds, shell.language))
    )


def _tell_minima(shell: Shell, tonight: GateTonight) -> None:
    from bonsai.queries.gate import minimum_rows, origin

    shell.fields((("base", tonight.base), ("recipe", tonight.recipe[:12])))
    shell.show(origin(tonight, shell.language))
    shell.line("")
    shell.table(("claim", "minimum", "set_by"), minimum_rows(tonight, shell.language), right=(1,))
    shell.line("")
