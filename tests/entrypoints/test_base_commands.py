"""`bonsai base` as a person types it, with a check made by hand; the real one is in tests/model/test_base_check.py."""

from __future__ import annotations

import io
import json
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hand_bases import FAILED, PASSED, HandChecker, HandHub
from rich.cells import cell_len

from bonsai.cli import main as cli
from bonsai.i18n import TextLanguage, text
from bonsai.model.bases import Device
from bonsai.model.home_bases import CheckFinding
from bonsai.model.seedling import weights_folder
from bonsai.queries import base_offers
from bonsai.queries.base_plans import GIB, Machine


@dataclass
class Typed:
    """`bonsai base ...` in a home, with a folder to add and a checker made by hand."""

    home: Path
    folder: Path
    checker: HandChecker
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: str, types: str = "", language: str = "en", code: int = 0) -> tuple[str, str]:
        self.monkeypatch.setattr("sys.stdin", io.StringIO(types))
        found = cli.run(["base", *words, "--lang", language], {"BONSAI_HOME": str(self.home), "USER": "mika"})
        said = self.capsys.readouterr()
        assert found == code, said.err
        return said.out, said.err

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code)[0])


@pytest.fixture
def bonsai(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    checker = HandChecker()
    monkeypatch.setattr("bonsai.train.base_check.ProcessBaseChecker", lambda _nice: checker)
    monkeypatch.setattr("bonsai.model.base_sources.HuggingFaceHub", HandHub)
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi there
    monkeypatch.setenv("COLUMNS", "80")
    return Typed(home, Path(shutil.copytree(weights_folder(), tmp_path / "oak")), checker, capsys, monkeypatch)


def test_a_base_is_looked_at_asked_for_and_added(bonsai: Typed) -> None:
    out, err = bonsai("add", str(bonsai.folder), types="y\n")
    for told in ("oak", "unknown: look whether you may use it", "2.96 M", "cpu-small", "this machine has", "Go on?"):
        assert told in err
    assert "tokens a character" in out
    assert "bonsai base use oak" in " ".join(out.split())
    found = bonsai.json("show", "oak")
    assert (found["origin"], found["kind"], found["check"]["passed"]) == ("added", "cpu-small", True)
    assert [one["name"] for one in found["check"]["findings"]] == ["tokenizer", "template"]
    bonsai("use", "oak")
    settings = (bonsai.home / "bonsai.toml").read_text()
    assert tomllib.loads(settings)["training"]["profile"] == "oak"
    assert settings.startswith("# The settings of this home.")
    assert bonsai.json("use", "auto") == {"profile": "auto", "base": "seedling", "rolled_back": ""}
    assert bonsai.json("remove", "oak") == {"name": "oak", "kept": str(bonsai.folder)}
    assert bonsai.folder.is_dir()


def test_no_is_no(bonsai: Typed) -> None:
    for answer in ("", "n\n", "nein\n"):
        _, err = bonsai("add", str(bonsai.folder), types=answer, code=1)
        assert "Nothing was added" in err
    assert not (bonsai.home / "bases").exists()
    bonsai("add", str(bonsai.folder), types="はい\n", language="ja")


def test_a_base_that_fails_is_not_added(bonsai: Typed) -> None:
    bonsai.checker.findings = FAILED
    out, _ = bonsai("add", str(bonsai.folder), "--yes", code=1)
    assert "✗" in out
    assert "oak was not added" in out
    bonsai("show", "oak", code=2)


def test_the_list_needs_no_home(bonsai: Typed, tmp_path: Path) -> None:
    nowhere = Typed(tmp_path / "nowhere", bonsai.folder, bonsai.checker, bonsai.capsys, bonsai.monkeypatch)
    for language in ("en", "ja"):
        out, _ = nowhere("list", language=language)
        assert all(len(line) <= 80 for line in out.splitlines())
        assert "sarashina2.2-0.5b" in out
        assert "* " in out.splitlines()[2]
    rows = [json.loads(line) for line in nowhere("list", "--json")[0].splitlines()]
    assert [one["name"] for one in rows if one["in_use"]] == ["seedling"]
    assert nowhere.json("show", "qwen3-4b")["origin"] == "table"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("base", ["phi-2", "phi2-lora", "seedling", "sarashina2.2-3b"])
def test_a_plan_needs_no_home_no_hub_and_80_columns(bonsai: Typed, tmp_path: Path, base: str, language: str) -> None:
    nowhere = Typed(tmp_path / "nowhere", bonsai.folder, bonsai.checker, bonsai.capsys, bonsai.monkeypatch)
    out, _ = nowhere("plan", base, language=language)
    assert all(cell_len(line) <= 80 for line in out.splitlines())
    assert base in out


def test_a_plan_tells_the_kind_for_each_card_and_this_machine(bonsai: Typed) -> None:
    found = bonsai.json("plan", "phi-2")
    *cards, here = found["machines"]
    assert [(one["memory_gib"], one["kind"], one["fits"]) for one in cards] == [
        (8, "gpu-qlora", True), (12, "gpu-qlora", True), (16, "gpu-qlora", True), (24, "gpu-qlora", True),
        (80, "gpu-lora", True),
    ]  # fmt: skip
    assert (here["machine"], here["device"], here["kind"]) == ("here", "cpu", "cpu-small")
    assert found["night"] is None
    assert "bonsai base add phi-2" in " ".join(bonsai("plan", "phi-2")[0].split())
    [small, _] = bonsai.json("plan", "phi-2", "--memory", "3")["machines"]
    assert (small["memory_gib"], small["fits"]) == (3, False)
    assert bonsai.json("plan", "sarashina2.2-3b")["machines"] == []
    assert "no GPU" in bonsai("plan", "phi2-lora")[0]


def test_a_plan_leads_to_the_source_that_was_given(bonsai: Typed) -> None:
    folder = bonsai.folder.rename(bonsai.folder.with_name("my oak"))
    said = "".join(bonsai("plan", str(folder))[0].split())
    assert f"bonsaibaseadd'{folder.parent}/myoak'" in said


@pytest.mark.parametrize("language", ["en", "ja"])
def test_one_base_says_what_comes_next(bonsai: Typed, language: TextLanguage) -> None:
    for name in ("phi2-lora", "phi2-qlora", "seed-script"):
        assert "hf download microsoft/phi-2" in " ".join(bonsai("show", name, language=language)[0].split())
    said = "".join(bonsai("show", "seedling", language=language)[0].split())
    assert "".join(text("bases.check_shipped", language).split()) in said


def test_a_plan_tells_the_time_once_a_check_has_measured_a_step(bonsai: Typed) -> None:
    told = {"steps": 2, "seconds": 9, "loss": 3.1, "tokens_per_second": 100.0}
    bonsai.checker.findings = (CheckFinding("training", True, "bases.found_training", told),)
    bonsai("add", str(bonsai.folder), "--yes")
    night = bonsai.json("plan", "oak", "--records", "10")["night"]
    assert night == {"tokens": 300_000, "most": True, "tokens_per_second": 100.0, "seconds": 3000}
    for language, said in (("en", "at most 50 min"), ("ja", "長くて 50 分")):
        assert said in bonsai("plan", "oak", language=language)[0].replace("\n", " ")
    bonsai.checker.findings = PASSED
    bonsai("check", "oak")
    assert "bonsai base check oak" in " ".join(bonsai("plan", "oak")[0].split())


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_new_home_is_offered_a_real_base_until_another_than_the_seedling_is_in_use(
    bonsai: Typed, tmp_path: Path, language: str
) -> None:
    def init(**environ: str) -> str:
        home = {"BONSAI_HOME": str(tmp_path / "new"), **environ}
        assert cli.run(["init", "--lang", language], home) == 0
        return bonsai.capsys.readouterr().out

    def machine(gib: int) -> None:
        bonsai.monkeypatch.setattr(base_offers, "free_machine", lambda: Machine(Device("cpu", 0.0), gib * GIB))

    name = {"en": "smollm2-135m", "ja": "sarashina2.2-0.5b"}[language]
    machine(16)
    _, *offer = init().splitlines()
    assert f"bonsai base add {name}" in " ".join(offer)
    assert all(cell_len(line) <= 80 for line in offer)
    assert "bonsai base add" not in init(BONSAI_TRAINING__PROFILE="phi2-qlora")
    machine(1)
    assert "bonsai base add" not in init()


def test_a_check_speaks_both_languages_and_has_an_exit_code(bonsai: Typed) -> None:
    assert bonsai.json("check", "seedling")["passed"] is True
    assert "トークナイザー" in bonsai("check", "seedling", language="ja")[0]
    bonsai.checker.findings = FAILED
    assert bonsai.json("check", "seedling", code=1)["findings"][-1]["name"] == "training"


WRONG = {
    ("add", ""): 2,
    ("add", "nothing"): 2,
    ("add", "seedling"): 2,
    ("add", "phi2-qlora"): 2,
    ("add", "{oak}", "--name", "phi-2"): 2,
    ("add", "{oak}", "--name", "auto"): 2,
    ("use", "phi-2"): 2,
    ("check", "phi-2"): 2,
    ("plan", ""): 2,
    ("add", "~/nowhere"): 2,
    ("add", "owner/model"): 1,
    ("add", "{oak}", "--name", "seedling"): 2,
    ("add", "{oak}", "--name", "My Oak"): 2,
    ("check", "oak"): 2,
    ("use", "oak"): 2,
    ("use", "phi2-qlora"): 2,
    ("show", "oak"): 2,
    ("plan", "nothing"): 2,
    ("plan", "owner/model"): 1,
    ("plan", "~/nowhere"): 2,
    ("plan", "phi-2", "--memory", "0"): 2,
    ("remove", "oak"): 2,
    ("remove", "../adapters"): 2,
    ("remove", ".."): 2,
    ("remove", ""): 2,
}
"Words -> exit code."


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_word_is_one_clear_line(bonsai: Typed, words: tuple[str, ...]) -> None:
    (bonsai.home / "bases").mkdir()
    given = [word.replace("{oak}", str(bonsai.folder)) for word in words]
    said = {}
    for language in ("en", "ja"):
        out, err = bonsai(*given, language=language, code=WRONG[words])
        assert out == ""
        assert err.count("\n") == 1
        said[language] = err
    assert said["en"] != said["ja"]
