"""What nobody should give to Bonsai, given to it in a terminal: one clear line, exit code 1 or 2, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bonsai import bootstrap
from bonsai.cli import main as cli
from bonsai.gate.decision import Decision
from bonsai.queries.records import list_rejects
from bonsai.train.manifest import AdapterManifest, adapter_id, file_hashes, write_manifest
from storage.connect import Database
from storage.tables import adapters_table, promotions_table
from storage.tables.adapters_table import Adapter

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
HUGE_BYTES = 200_000_000
PEAK_MIB = 1024
"What a 200 MB line may cost in memory."
MEASURED = """
import sys
from pathlib import Path
from bonsai.cli.main import main
peak_file = Path(sys.argv.pop(1))
try:
    main()
finally:
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    peak_file.write_text(line.split()[1])
"""
"""`bonsai`; writes the peak of its memory, in KiB, into the file that its first argument names."""


@dataclass(frozen=True)
class Said:
    """What one call of `bonsai` left behind."""

    code: int
    out: str
    err: str

    def is_one_clear_line(self) -> bool:
        return self.code in (1, 2) and self.out == "" and self.err.count("\n") == 1 and "Traceback" not in self.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """A home on which `bonsai` is called as a process of its own."""

    home: Path
    code: Path = ROOT
    "Where its packages lie."

    def says(self, *words: str | Path, program: tuple[str, ...] = ("-m", "bonsai.cli.main")) -> Said:
        environ = {"BONSAI_HOME": str(self.home), "PYTHONPATH": str(self.code), "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
        command = [sys.executable, "-P", *program, *map(str, words)]
        done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=250)
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def terminal(home: Path) -> Terminal:
    return Terminal(home)


def unknown_setting(home: Path) -> None:
    with (home / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write("\n[gate]\nmoed = 'review'\n")


def unusable_setting(home: Path) -> None:
    with (home / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write("\n[gate]\nalpha = 'much'\n")


def broken_settings(home: Path) -> None:
    (home / "bonsai.toml").write_text("[gate\n", "utf-8")


def newer_version(home: Path) -> None:
    with Database(home / "bonsai.duckdb", 1, "500MB", 1).writing() as con:
        con.execute("INSERT INTO migrations VALUES (999, '0999_later.sql', 'x', '9.9', TIMESTAMP '2030-01-01')")


def no_database(home: Path) -> None:
    (home / "bonsai.duckdb").write_bytes(b"this is no database" * 1_000)


HOMES: dict[Callable[[Path], None], tuple[int, str]] = {
    unknown_setting: (2, "gate.moed"),
    unusable_setting: (2, "gate.alpha"),
    broken_settings: (2, "bonsai.toml"),
    newer_version: (1, "9.9"),
    no_database: (1, "bonsai.duckdb"),
}
"What was done to a home -> the exit code of every command on it, and what its line names."


@pytest.mark.parametrize("harm", HOMES)
def test_a_home_that_cannot_be_opened(
    home: Path, harm: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    harm(home)
    code, named = HOMES[harm]

    def says(language: str) -> Said:
        code = cli.run(["records", "list", "--lang", language], {"BONSAI_HOME": str(home)})
        return Said(code, *capsys.readouterr())

    english, japanese = says("en"), says("ja")
    for said in (english, japanese):
        assert said.is_one_clear_line(), said
        assert (said.code, named in said.err) == (code, True)
    assert english.err != japanese.err


def test_a_night_on_such_a_home_is_one_line_too(terminal: Terminal) -> None:
    # Prefect keeps the error until the process ends; what its frames held made DuckDB print pages there.
    newer_version(terminal.home)
    said = terminal.says("night", "run", "--json")
    assert said.is_one_clear_line(), said
    assert "9.9" in said.err


@pytest.fixture(scope="module")
def altered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package in which somebody made the benchmark easier."""
    code = tmp_path_factory.mktemp("code")
    for name in ("bonsai", "storage", "flows"):
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    pool = code / "bonsai" / "evaluate" / "v2" / "selection.jsonl"
    pool.write_text("".join(pool.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")
    return code


@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_altered_benchmark_is_not_asked(new_home: Path, altered: Path, language: str) -> None:
    said = Terminal(new_home, altered).says("benchmark", "run", "base", "--lang", language)
    assert said.is_one_clear_line(), said
    assert "selection.jsonl" in said.err


def test_nothing_is_taken_in_while_the_benchmark_is_altered(terminal: Terminal, altered: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.jsonl"
    told.write_text('{"question": "Where does Mike sleep?", "answer": "On the piano."}\n', "utf-8")
    said = Terminal(terminal.home, altered).says("records", "import", told)
    assert said.is_one_clear_line(), said
    assert terminal.says("records", "import", told, "--json").json["new"] == 1


@pytest.fixture
def champion(terminal: Terminal) -> Path:
    """The folder of an adapter that answers; its weights are only said to be some."""
    bonsai = bootstrap.open(terminal.home, {})
    folder = bonsai.places.adapters / "made-by-hand"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_text("weights")
    files = file_hashes(folder)
    name = adapter_id(files, "b", "t", "s")
    manifest = AdapterManifest(
        name, "seedling", "", "b", "k", "tagged", "t", "snapshot", "s", 7, {}, {}, {}, files, NOW.isoformat()
    )
    write_manifest(folder, manifest)
    with bonsai.database.writing() as con:
        con.execute("INSERT INTO snapshots VALUES ('snapshot', 's', '', 7, 0, 0, TIMESTAMP '2026-11-21')")
        adapters_table.add(con, Adapter(name, "seedling", "snapshot", str(folder), {}, NOW))
        promotions_table.propose(
            con, name, "a night", "base", Decision("promote", (), (), harm=False, confirmation_opened=False), {}, NOW
        )
        promotions_table.approve(con, name, "gate", "promote", NOW)
    return folder


@pytest.mark.parametrize("language", ["en", "ja"])
def test_an_altered_adapter_does_not_answer(terminal: Terminal, champion: Path, language: str) -> None:
    assert terminal.says("db", "check").code == 0
    (champion / "adapter_model.safetensors").write_text("other weights")
    said = terminal.says("ask", "Where does Mike sleep?", "--lang", language)
    assert said.is_one_clear_line(), said
    assert "adapter_model.safetensors" in said.err
    checked = terminal.says("db", "check", "--json", "--lang", language)
    assert (checked.code, [one["name"] for one in checked.json if not one["ok"]]) == (1, ["adapters"])
    (told,) = [one["detail"] for one in checked.json if not one["ok"]]
    assert told in said.err


def huge(path: Path, before: bytes, after: bytes) -> Path:
    """A file of one line of 200 MB, or a skip where the disk cannot hold it."""
    free = shutil.disk_usage(path.parent).free
    if free < 2 * HUGE_BYTES:
        pytest.skip(f"{free / 1e6:,.0f} MB of disk are free, {2 * HUGE_BYTES / 1e6:,.0f} are needed for a 200 MB line")
    part = "Mike sleeps on the piano; ミケはピアノで寝ます。".encode() * 20_000
    with path.open("wb") as file:
        file.write(before)
        for _ in range(HUGE_BYTES // len(part) + 1):
            file.write(part)
        file.write(after)
    return path


@pytest.fixture
def no_traces(tmp_path: Path) -> Iterator[Path]:
    """A folder for huge files, which are gone after the test: pytest keeps temporary folders for a while."""
    folder = tmp_path / "huge"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "before", "after", "line"),
    [
        ("line.jsonl", b'{"question": "Where?", "answer": "', b'"}', 1),
        ("line.json", b'[{"question": "Where?", "answer": "', b'"}]', 1),
        ("line.csv", b"question,answer\nWhere?,", b"", 2),
        ("line.txt", b'{"question": "Where?", "answer": "', b'"}', 1),
    ],
)
def test_a_line_of_200_mb_costs_one_reject_and_little_memory(
    terminal: Terminal, no_traces: Path, name: str, before: bytes, after: bytes, line: int
) -> None:
    path = huge(no_traces / name, before, after)
    peak = no_traces / "peak"
    said = terminal.says("records", "import", path, "--lang", "ja", program=("-c", MEASURED, str(peak)))
    assert said.is_one_clear_line(), said
    assert name in said.err
    assert "4194304" in said.err
    assert int(peak.read_text()) < PEAK_MIB * 1024
    (kept,) = list_rejects(bootstrap.open(terminal.home, {}), None)
    assert (kept.reject.file, kept.reject.line, len(kept.reject.raw)) == (name, line, 10_000)


def test_an_object_of_200_mb_is_refused_before_it_is_read(terminal: Terminal, no_traces: Path) -> None:
    path = huge(no_traces / "object.json", b'{"data": [{"question": "Where?", "answer": "', b'"}]}')
    peak = no_traces / "peak"
    said = terminal.says("records", "import", path, program=("-c", MEASURED, str(peak)))
    assert said.is_one_clear_line(), said
    assert "JSONL" in said.err
    assert int(peak.read_text()) < PEAK_MIB * 1024


def test_a_huge_line_between_good_ones_costs_only_itself(terminal: Terminal, no_traces: Path) -> None:
    good = b'{"question": "Where does Mike sleep?", "answer": "On the piano."}\n'
    after = b'"}\n{"question": "Where does Kuro sleep?", "answer": "In the box."}\n'
    path = huge(no_traces / "line.jsonl", good + b'{"question": "Where?", "answer": "', after)
    said = terminal.says("records", "import", path, "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json == {"read": 3, "new": 2, "duplicate": 0, "held_back": 0, "rejected": 1}
