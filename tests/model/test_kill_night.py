"""`bonsai night run`, killed with SIGKILL in every stage and typed again: one night comes of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bonsai import bootstrap
from bonsai.model.bases import Base
from bonsai.train.checkpoints import MARKER
from bonsai.train.manifest import read_manifest
from storage.tables import nights_table, promotions_table, records_table, snapshots_table

pytestmark = pytest.mark.long

SETTINGS = """
[training]
profile = "seedling"
threads = 1
nice = 0
anchor_share = 0.0

[profiles.seedling.base]
name = "tiny"
model = "{model}"
max_tokens = 1024
answer_tokens_en = 6
answer_tokens_ja = 6
generation_batch = 128

[profiles.seedling.recipe]
learning_rate = 1e-2
epochs = 12
batch_size = 8
checkpoint_steps = 3

[benchmark]
canaries = 4

# The gate itself is tested elsewhere; here a base that knows nothing has to get through it.
[gate]
bits_cap = 100.0
language_margin_bits = 50.0
retention_margin_bits = 50.0
slice_margin_bits = 50.0
retention_floor = 0.0

[gate.guard_floors]
ended = 0.0
language = 0.0
no_loop = 0.0
not_empty = 0.0
no_leak = 0.0
"""
RECORDS = 24
KNOWING = """
import bonsai.gate.decide
from bonsai.domain.reasons import Reason
from bonsai.gate.decision import RuleResult

some_right = RuleResult("B", "right_answers", "pass", Reason("decision.some_right", (("right", 1), ("asked", 1))))
bonsai.gate.decide.right_answers = lambda pairs, left_out: some_right
said = dict.fromkeys(("gain", "low", "min", "level", "taught", "clusters", "control", "controls"), 1)
better = Reason("decision.bits_shown", (("name", "bits_personal"), *said.items()))
bonsai.gate.decide.superiority = lambda *values: (RuleResult("C", "bits_personal", "pass", better),)
"""
"""What no setting switches off: nobody is promoted without a right answer, nor without progress beyond control."""
CALLED = """
from bonsai.cli.main import main
main()
"""
DYING = """
import importlib, os, signal, sys

def dies_after(path):
    module, _, name = path.rpartition(".")
    place = importlib.import_module(module)
    original = getattr(place, name)
    def dies(*values, **named):
        original(*values, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(place, name, dies)

dies_after(sys.argv.pop(1))
"""
"""`bonsai`, killed as soon as the function that its first argument names has done its work."""


@dataclass
class Nights:
    """A home on which `bonsai` is called as a process of its own."""

    home: Path
    orphans: list[int] = field(default_factory=list)
    "Children that a killed `bonsai` left behind."

    def start(self, *words: str, dying_after: str = "") -> subprocess.Popen[str]:
        program = [KNOWING + DYING + CALLED, dying_after] if dying_after else [KNOWING + CALLED]
        return subprocess.Popen(
            [sys.executable, "-c", *program, *words],
            env={**os.environ, "BONSAI_HOME": str(self.home), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self, *words: str) -> Any:
        """The JSON of a command that ends well."""
        process = self.start(*words, "--json")
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, f"{out}\n{err}"
        return json.loads(out)

    def kill_when(self, reached: Callable[[], bool]) -> None:
        """Start a night; kill `bonsai`, and it alone, at the moment that `reached` names."""
        process = self.start("night", "run")
        wait_until(lambda: reached() or process.poll() is not None, seconds=300, pause=0.001)
        self.orphans += children(process.pid)
        process.kill()
        out, err = process.communicate()
        assert process.returncode == -signal.SIGKILL, f"it ended before it could be killed: {out}\n{err}"

    def dies_after(self, function: str) -> None:
        """A night that is killed in the middle of a transaction, exactly where `function` returns."""
        process = self.start("night", "run", dying_after=function)
        out, err = process.communicate(timeout=600)
        assert process.returncode == -signal.SIGKILL, f"it ended before it was killed: {out}\n{err}"

    def found(self, pattern: str) -> list[Path]:
        return sorted(self.home.glob(pattern))

    def counted(self) -> dict[str, int]:
        """How much of everything the database holds."""
        with bootstrap.open(self.home, {}).database.reading() as con:
            return {
                "nights": len(nights_table.list_nights(con)),
                "candidates": len(promotions_table.list_promotions(con)),
                "log": len(promotions_table.log(con)),
                "records": len(records_table.eligible(con)),
            }


@pytest.fixture(scope="module")
def nights(tiny_base: Base, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("nights")
    model = Path(shutil.copytree(tiny_base.model, folder / "tiny"))
    config = json.loads((model / "config.json").read_text("utf-8"))
    (model / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 2048}), "utf-8")
    home = folder / "home"
    bootstrap.init(home, "en", datetime.now(UTC), {})
    with (home / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS.format(model=model))
    made = Nights(home)
    told = folder / "told.jsonl"
    told.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows()), "utf-8")
    assert made.said("records", "import", str(told))["new"] == RECORDS
    yield made
    for pid in filter(is_alive, made.orphans):
        os.kill(pid, signal.SIGKILL)


def rows() -> Iterator[Mapping[str, str]]:
    for number in range(RECORDS // 2):
        yield {"instruction": f"Where does cat {number} sleep?", "output": f"Cat {number} sleeps in box {number}."}
        yield {"instruction": f"猫{number}はどこで寝ますか?", "output": f"猫{number}は箱{number}で寝ます。"}


@pytest.mark.timeout(1200)
def test_killed_in_every_stage_and_started_again_a_night_ends_once(nights: Nights) -> None:
    nights.kill_when(lambda: is_saving(nights.found("runs/*/checkpoints/checkpoint-6")))
    assert nights.found("adapters/*") == []
    nights.kill_when(lambda: bool(nights.found("reports/base-*.json")))
    assert nights.counted() == {"nights": 1, "candidates": 0, "log": 0, "records": RECORDS}
    nights.dies_after("storage.tables.promotions_table.propose")
    assert nights.counted() == {"nights": 1, "candidates": 0, "log": 0, "records": RECORDS}
    nights.dies_after("storage.tables.promotions_table.approve")
    assert nights.counted() == {"nights": 1, "candidates": 1, "log": 0, "records": RECORDS}
    assert nights.said("promotions", "list")["state"] == "waiting"

    night = nights.said("night", "run")

    assert (night["status"], night["verdict"]) == ("done", "promote"), night["reasons"]
    check_one_night(nights, night)


def check_one_night(nights: Nights, night: Mapping[str, Any]) -> None:
    """One of everything, whole; nobody left who could still write."""
    (adapter,) = nights.found("adapters/*") + nights.found("adapters/.*")
    manifest = read_manifest(adapter)
    assert adapter.name == night["challenger"] == manifest.adapter_id
    assert manifest.measured["resumed_from_step"] >= 3
    assert [one.name for one in nights.found("runs/2*")] == [night["night"]]
    assert nights.found("runs/*/checkpoints") == []
    (snapshot,) = nights.found("snapshots/*")
    assert snapshot.name == manifest.snapshot_id
    assert nights.counted() == {"nights": 1, "candidates": 1, "log": 1, "records": RECORDS}
    with bootstrap.open(nights.home, {}).database.reading() as con:
        assert promotions_table.champion(con).adapter == adapter.name
        assert promotions_table.verify(con) == nights_table.get(con, night["night"]).outcome.chain_head
        assert nights_table.get(con, night["night"]).attempts == 4  # the fifth only ends what had its verdict
        assert len(snapshots_table.record_ids(con, snapshot.name)) == RECORDS
    assert all(one["ok"] for one in nights.said("db", "check"))
    wait_until(lambda: not any(map(is_alive, nights.orphans)), seconds=20)


def is_saving(checkpoints: list[Path]) -> bool:
    """A checkpoint whose marker, written last, is not there yet."""
    return any(not (one / MARKER).exists() for one in checkpoints)


def wait_until(reached: Callable[[], bool], seconds: float, pause: float = 0.05) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(pause)


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in listed]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
