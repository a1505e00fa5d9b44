"""`python -m research seedling`: builds the seedling and measures it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.seedling_build")
def build(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="cli.arg_seedling_out", metavar="FOLDER")],
    minutes: Annotated[float, typer.Option("--minutes", help="cli.opt_minutes")] = 50.0,
    seed: Annotated[int | None, typer.Option("--seed", help="cli.opt_seed")] = None,
) -> None:
    """Pre-train on the generated text; continues if started again."""
    from research.seedling.build import build as make

    shell = shell_of(ctx)
    with progress.shown(shell) as report:
        make(out, minutes=minutes, seed=seed, report=report)
    shell.say("cli.seedling_built", path=out)


@verb(app, "cli.seedling_replay")
def replay() -> None:
    """Write the facts that nights replay, from the seedling's world, and its own answers to invented questions."""
    from bonsai.model.seedling import weights_folder
    from research.seedling.invented import write_own_answers
    from research.seedling.replay_file import write_replay

    write_replay(weights_folder())
    write_own_answers(weights_folder())


@verb(app, "cli.seedling_measure")
def measure(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Measure the shipped weights again."""
    from dataclasses import asdict

    from bonsai.model.seedling import weights_folder
    from research.seedling import measure as measuring

    shell = shell_of(ctx)
    found = measuring.measure(weights_folder(), measuring.sample_of_known(measuring.MEASURED_QUESTIONS))
    if as_json:
        shell.json([asdict(one) for one in found])
        return
    for one in found:
        shares = f"exact {one.exact:.3f}  language {one.right_language:.3f}  ended {one.ended:.3f}"
        shell.line(f"{one.group:28} {one.questions:5} questions  {shares}")
