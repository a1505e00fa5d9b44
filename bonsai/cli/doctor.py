"""`bonsai doctor`: checks whether machine, installation and home are ready for a night.

torch is looked up, never imported. Every check takes milliseconds but one: the weights of the base in use are hashed,
about a second a GiB.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.findings import Finding, tell
from bonsai.cli.shell import AsJson, Shell, shell_of
from bonsai.errors import BonsaiError
from bonsai.system.processes import CODE

if TYPE_CHECKING:
    from packaging.requirements import Requirement


app = noun()

LOWEST_PYTHON = (3, 11)
NEEDED_GIB = 3.0
"Free disk space for a night on the samples: a snapshot, an adapter and its checkpoints."
CONSTRAINTS = CODE / "constraints.txt"
"Next to the package in a clone; an installed wheel has none, and its requirements are checked instead."


@verb(app, "cli.doctor")
def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Run all checks; exit code 1 if any fails."""
    shell = shell_of(ctx)
    raise typer.Exit(tell(shell, tuple(examine(shell)), as_json))


def examine(shell: Shell) -> Iterator[Finding]:
    """Yields one finding per check."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info[:2] >= LOWEST_PYTHON, f"{version} ({sys.executable})")
    yield _packages(shell)
    yield _settings(shell)
    yield _home(shell)
    yield _disk(shell)
    yield _gpu(shell)
    yield from _shipped(shell)
    yield _base(shell)
    yield _prefect(shell)


def _packages(shell: Shell) -> Finding:
    requirements = tuple(_requirements())
    wrong = [problem for requirement in requirements if (problem := _mismatch(requirement))]
    detail = ", ".join(wrong) or shell.text("cli.packages_fit", count=len(requirements))
    return Finding("packages", not wrong, detail)


def _requirements() -> Iterator[Requirement]:
    from packaging.requirements import Requirement

    if CONSTRAINTS.is_file():
        lines: list[str] = CONSTRAINTS.read_text("utf-8").splitlines()
    else:
        lines = metadata.requires("bonsai") or []
    for line in lines:
        bare = line.partition("#")[0].strip()
        if bare and not bare.startswith("-"):
            requirement = Requirement(bare)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                yield requirement


def _mismatch(requirement: Requirement) -> str | None:
    """`torch 2.12.0 (==2.13.0)`; None if it matches, or is constrained but neither installed nor required."""
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return None if CONSTRAINTS.is_file() else f"{requirement.name} (-)"
    fits = requirement.specifier.contains(found, prereleases=True)
    return None if fits else f"{requirement.name} {found} ({requirement.specifier})"


def _settings(shell: Shell) -> Finding:
    try:
        shell.config()
    except BonsaiError as error:
        return Finding("settings", False, error.render(shell.language))
    return Finding("settings", True, str(shell.home / "bonsai.toml"))


def _home(shell: Shell) -> Finding:
    if not shell.home.is_dir():
        return Finding("home", None, shell.text("cli.no_home_yet", home=shell.home))
    try:
        shell.open()
    except BonsaiError as error:
        return Finding("home", False, error.render(shell.language))
    return Finding("home", True, str(shell.home))


def _disk(shell: Shell) -> Finding:
    at = next(path for path in (shell.home, *shell.home.parents) if path.is_dir())
    free = shutil.disk_usage(at).free / 2**30
    return Finding(
        "disk", free >= NEEDED_GIB, shell.text("cli.disk_free", free=f"{free:.1f}", needed=f"{NEEDED_GIB:g}")
    )


def _gpu(shell: Shell) -> Finding:
    """Asks the driver's own tool: importing torch would take seconds."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding("gpu", None, shell.text("cli.no_gpu"))
    import subprocess

    query = [tool, "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader"]
    asked = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    lines = asked.stdout.strip().splitlines()
    return Finding("gpu", asked.returncode == 0, "; ".join(lines) or asked.stderr.strip())


def _shipped(shell: Shell) -> Iterator[Finding]:
    """Checksums of the seedling's weights and the benchmark."""
    from bonsai.evaluate import questions
    from bonsai.model.seedling import card as seedling_card

    try:
        yield Finding("seedling", True, seedling_card.verify())
    except BonsaiError as error:
        yield Finding("seedling", False, error.render(shell.language))
    try:
        yield Finding("benchmark", True, questions.verify())
    except BonsaiError as error:
        yield Finding("benchmark", False, error.render(shell.language))


def _base(shell: Shell) -> Finding:
    """The base in use: whether it is whole, and was checked as it is."""
    from bonsai.model.bases import choose_profile, find_device
    from bonsai.queries.bases import readiness

    try:
        config = shell.config()
        name = choose_profile(config.training.profile, tuple(config.profiles), find_device())
    except BonsaiError as error:
        return Finding("base", False, error.render(shell.language))
    found = readiness(shell.home, name, config.profiles[name])
    return Finding("base", found.ok, shell.text(found.key, **found.values))


def _prefect(shell: Shell) -> Finding:
    from flows import server

    running = server.running(shell.home)
    version = metadata.version("prefect")
    state = shell.text("cli.prefect_up", url=running.url) if running else shell.text("cli.prefect_down")
    return Finding("prefect", True, f"{version}; {state}")
