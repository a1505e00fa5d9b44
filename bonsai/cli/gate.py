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
    from bonsai.gate.calibration import Calibration
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
    from bonsai.queries.gate import gate_tonight

    shell = shell_of(ctx)
    tonight = gate_tonight(shell.open())
    if as_json:
        from bonsai.serializers.gate import gate_tonight as serialized

        shell.json(serialized(tonight))
        return
    _tell_minima(shell, tonight)
    claims, policy = tonight.claims, tonight.claims.policy
    looks, promoted = len(claims.looks), sum(claims.looks)
    values = {"share": policy.false_promotions, "looks": looks, "promoted": promoted}
    shell.show(shell.text("gate.level", level=_digits(claims.level), **values))
    shell.show(shell.text(f"gate.form_{_form_state(tonight)}", adapter=tonight.form[:10]))
    shell.show(shell.text("gate.facts", facts=policy.min_clusters, control=policy.min_control_clusters))
    shell.line("")
    shell.table(("floor", "at_least"), _floor_rows(shell, tonight), right=(1,))


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
    found = tonight.claims.calibration
    shell.fields((("base", tonight.base), ("recipe", tonight.recipe[:12])))
    shell.show(_origin(shell, found, tonight.base))
    shell.line("")
    shell.table(("claim", "minimum", "set_by"), _minimum_rows(shell, tonight), right=(1,))
    shell.line("")


def _origin(shell: Shell, found: Calibration | None, base: str) -> str:
    if found is None:
        return shell.text("gate.uncalibrated", base=base)
    return shell.text("gate.calibrated", seeds=found.seeds, date=found.made_at[:10])


def _minimum_rows(shell: Shell, tonight: GateTonight) -> list[tuple[str, str, str]]:
    found, rows = tonight.claims.calibration, []
    for claim, value in tonight.minima.items():
        in_bits = claim.startswith("bits")
        words = shell.text("gate.bits", value=value) if in_bits else shell.text("gate.points", value=100 * value)
        measured = found is not None and claim in found.measured
        origin = shell.text("gate.from_seeds" if measured else "gate.from_settings", seeds=found.seeds if found else 0)
        rows.append((shell.text(f"gate.claim_{claim}"), words, origin))
    return rows


def _floor_rows(shell: Shell, tonight: GateTonight) -> list[tuple[str, str]]:
    from dataclasses import asdict

    policy = tonight.claims.policy
    floors = {**asdict(policy.guard_floors), "retention": policy.retention_floor}
    return [(shell.text(f"explain.rule_{name}"), f"{share:.0%}") for name, share in floors.items()]


def _form_state(tonight: GateTonight) -> str:
    found = tonight.claims.calibration
    if tonight.form:
        return "used" if tonight.measured_from_form else "known"
    return "unusable" if found and found.form else "unknown"


def _digits(level: float) -> str:
    """Two digits, no exponent."""
    from decimal import Decimal

    return f"{Decimal(f'{level:.2g}'):f}"
