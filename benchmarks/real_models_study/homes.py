"""Homes of the study: one is prepared for a base, each owner gets a copy and a night in it, through the command line.

    FOLDER/prepared/          the home after `init`, `base add` and `base use`
    FOLDER/prepared.json      what these cost, written after each
    FOLDER/shared/            replay/ and the base's reports: made in the first night, copied into every later home
    FOLDER/OWNER-RECORDS/     home/; night.json, written last

A step whose last file is there is not made again.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.owners_data import Owner
from benchmarks.real_models_study.lines import Counts, Measured, Night
from bonsai.evaluate import report
from bonsai.evaluate.evaluation import BASE
from bonsai.evaluate.report import ItemResult, Report, accuracy
from bonsai.model.bases import SEEDLING, Base
from bonsai.model.home_bases import BASES, PROFILE_FILE, WEIGHTS, folder_of, read_base
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import python_path
from bonsai.train.manifest import AdapterManifest, read_manifest
from bonsai.train.plan import TrainingPlan

LOOK_SECONDS = 0.5
PREPARED = "prepared.json"
SELECTION = "v2-selection"
"In the names of reports."
TAIL_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended well."""

    output: str
    cost: Measured


def bonsai(home: Path, *words: str) -> Ran:
    """Run `bonsai WORDS` on a home. Raises RuntimeError, with the end of its output, when it fails."""
    environment = {**os.environ, **python_path(os.environ), "BONSAI_HOME": str(home), "BONSAI_LANG": "en"}
    log = home.parent / "commands.log"
    home.parent.mkdir(parents=True, exist_ok=True)
    began, peak = time.monotonic(), 0
    with log.open("ab") as errors, (home.parent / "output").open("w+b") as output:
        command = [sys.executable, "-P", "-m", "bonsai.cli.main", *words]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment)
        while child.poll() is None:
            peak = max(peak, _resident_bytes(child.pid))
            time.sleep(LOOK_SECONDS if time.monotonic() - began > 5 else 0.05)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    if child.returncode:
        told = said[-TAIL_CHARACTERS:] + log.read_text("utf-8", "replace")[-TAIL_CHARACTERS:]
        raise RuntimeError(f"bonsai {' '.join(words)} ended with {child.returncode}:\n{told}")
    return Ran(said, Measured(round(time.monotonic() - began, 1), peak))


def _resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants; pages that they share count more than once."""
    try:
        first = psutil.Process(pid)
        return sum(_resident_of(one) for one in (first, *first.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _resident_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def prepare(folder: Path, source: str, name: str) -> dict[str, Measured]:
    """A home that uses the base, and the cost of each command. `seedling` needs nothing to be added."""
    home, file = folder / "prepared" / "home", folder / PREPARED
    commands: dict[str, tuple[str, ...]] = {"init": ("init",)}
    if source != SEEDLING:
        commands["add"] = ("base", "add", source, "--name", name, "--yes")
        commands["use"] = ("base", "use", name, "--yes")
    known = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    costs = {command: from_values(Measured, known[command]) for command in commands if command in known}
    for command in [one for one in commands if one not in costs]:
        costs[command] = bonsai(home, *commands[command]).cost
        write_json_atomic(file, {done: to_values(cost) for done, cost in costs.items()})
    return costs


def parameters_of(folder: Path, name: str) -> int:
    """Of the base, as its manifest says; 0 where it does not."""
    manifest = read_base(folder_of(folder / "prepared" / "home", name))
    return manifest.parameters if manifest else 0


def night_of(owner: Owner, place: Path, folder: Path) -> tuple[Night, Path]:
    """Import an owner's records into a copy of the prepared home and run its night; the night, and its adapter."""
    home, done = place / "home", place / "night.json"
    if not done.is_file():
        if not home.is_dir():
            _copy_home(folder / "prepared" / "home", home)
        _copy((folder / "shared" / "replay").glob("*"), home / "replay")
        _copy((folder / "shared" / "reports").glob("*.json"), home / "reports")
        bonsai(home, "records", "import", str(written(owner, place / "records.csv")))
        cost = bonsai(home, "night", "run").cost
        _copy((home / "replay").glob("*.gz"), folder / "shared" / "replay")
        _copy((home / "reports").glob(f"{BASE}-*.json"), folder / "shared" / "reports")
        write_json_atomic(done, to_values(_read_night(home, cost)))
    night = from_values(Night, json.loads(done.read_text("utf-8")))
    return night, home / "adapters" / night.challenger


def _copy_home(prepared: Path, home: Path) -> None:
    """A copy that reads the base's weights where the prepared home has them.

    The path of the weights is one of the things that a stored report is named after.
    """
    partial = home.with_name("partial")
    shutil.copytree(prepared, partial, ignore=shutil.ignore_patterns("*.safetensors"), dirs_exist_ok=True)
    for profile in partial.glob(f"{BASES}/*/{PROFILE_FILE}"):
        inside = f"{BASES}/{profile.parent.name}/{WEIGHTS}"
        text = profile.read_text("utf-8")
        profile.write_text(text.replace(json.dumps(inside), json.dumps(str(prepared / inside))), "utf-8")
    partial.rename(home)


def _copy(files: Iterable[Path], folder: Path) -> None:
    """Copy what is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not (folder / file.name).exists():
            shutil.copy2(file, folder)


def written(owner: Owner, path: Path) -> Path:
    """The owner's records as a file to import."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("question", "answer", "subject", "date"))
        rows.writerows((fact.instruction, fact.output, fact.subject, fact.happened_on) for fact in owner.facts)
    return path


def _read_night(home: Path, cost: Measured) -> Night:
    nights = [json.loads(line) for line in bonsai(home, "night", "list", "--json").output.splitlines()]
    key = next(one["night"] for one in nights if one["status"] == "done")
    told = json.loads(bonsai(home, "night", "show", key, "--json").output)
    manifest = read_manifest(home / "adapters" / told["challenger"])
    return Night(
        cost=cost,
        steps_seconds={name: round(seconds, 1) for name, seconds in told["cost"]["seconds"].items()},
        verdict=told["verdict"],
        reasons=tuple(told["reasons"]),
        challenger=told["challenger"],
        steps=plan_of(manifest).steps,
        own=told["learned"]["own"],
        replayed=told["learned"]["anchors"],
        tokens=told["cost"]["tokens"],
        measured=manifest.measured,
        general=_general(home / "reports", told["challenger"]),
    )


def plan_of(manifest: AdapterManifest) -> TrainingPlan:
    """The plan that an adapter was trained by."""
    return from_values(TrainingPlan, manifest.plan)


def base_of(adapter: Path) -> tuple[Base, str, str]:
    """Base, device and template of an adapter."""
    plan = plan_of(read_manifest(adapter))
    return plan.base, plan.device, plan.recipe.template


def _general(reports: Path, challenger: str) -> dict[str, Counts]:
    """Right answers before and after by domain and language, from both reports on the selection pool."""
    after = _reports(reports, challenger)[-1]
    before = next(one for one in reversed(_reports(reports, BASE)) if one.items_hash == after.items_hash)
    groups: dict[str, list[tuple[bool, bool]]] = {}
    for old, new in zip(before.items, after.items, strict=True):
        if accuracy(old) is not None:
            groups.setdefault(f"{old.domain}/{old.language}", []).append((_right(old), _right(new)))
    return {group: _counts(pairs) for group, pairs in sorted(groups.items())}


def _reports(folder: Path, subject: str) -> list[Report]:
    found = [report.read(path) for path in folder.glob(f"{subject}-{SELECTION}-*.json")]
    return sorted(found, key=lambda one: one.created_at)


def _right(item: ItemResult) -> bool:
    return accuracy(item) == 1


def _counts(pairs: Sequence[tuple[bool, bool]]) -> Counts:
    before, after = (sum(pair[at] for pair in pairs) for at in (0, 1))
    return Counts(len(pairs), before, after, sum(all(pair) for pair in pairs))
