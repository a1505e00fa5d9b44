"""`bonsai adapters export --as`: target, model card and cleaning up, with an exporter made by hand."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hand_exporter import HandExporter
from hand_nights import EVENING, Stage, hand_report, open_stage

from bonsai.actions import export
from bonsai.actions.model_card import model_card
from bonsai.cli import main as cli
from bonsai.errors import BonsaiError, IntegrityError, NoRoom, UsageError, WorkerDied
from bonsai.evaluate import export as evaluated
from bonsai.evaluate import report as reports
from bonsai.evaluate.export import ASKED, Certificate, ExportJob
from bonsai.evaluate.questions import load
from bonsai.queries.adapters import show_adapter
from bonsai.system.files import new_folder


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    made = open_stage(tmp_path_factory.mktemp("night") / "home")
    made.tell(3)
    made.night()
    return made


def exported(stage: Stage, path: Path, exporter: HandExporter, form: Any = "peft") -> export.ExportedAdapter:
    return export.export_form(stage.b, "champion", path, form, EVENING, {"PATH": ""}, exporter)


def test_the_folder_appears_with_the_card_and_nothing_else(stage: Stage, tmp_path: Path) -> None:
    exporter = HandExporter()
    made = exported(stage, tmp_path / "mika", exporter)
    assert made.path == tmp_path / "mika"
    assert [one.name for one in tmp_path.iterdir()] == ["mika"]
    assert [one.name for one in made.path.iterdir()] == ["README.md"]


def test_only_open_questions_are_asked(stage: Stage, tmp_path: Path) -> None:
    exporter = HandExporter()
    exported(stage, tmp_path / "mika", exporter)
    assert exporter.job
    assert (exporter.job.question_set, len(exporter.job.items)) == ("v2/selection", ASKED)
    selection = {one.id for one in load("selection")}
    assert {one.id for one in exporter.job.items} <= selection
    assert {one.language for one in exporter.job.items} == {"en", "ja"}
    assert evaluated.sample(exporter.job.items[::-1]) == exporter.job.items


def test_the_card_counts_records_and_shows_none(stage: Stage, tmp_path: Path) -> None:
    adapter = exported(stage, tmp_path / "before", HandExporter()).adapter
    report = hand_report("v2/selection", load("selection"), adapter, 1.0, forgets=True)
    reports.write(report, stage.b.places.reports / f"{adapter}-v2-selection-0.json")
    assert "It was not asked the benchmark." in (tmp_path / "before/README.md").read_text()
    card = (exported(stage, tmp_path / "mika", HandExporter()).path / "README.md").read_text()
    for said in (
        "library_name: peft", "`seedling`, which is on no hub", "3 records of its owner's", "`promote`",
        "Base model (seedling): mit.", "belongs to its owner", "cat_care | en |", "Clopper-Pearson", "| en |",
        "BitsAndBytesConfig",
    ):  # fmt: skip
        assert said in card, said
    for hidden in (str(stage.b.home), str(tmp_path), "Mike", "o'clock", "chair"):
        assert hidden not in card, hidden


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (IntegrityError("export.answers_differ", equal=3, questions=200, before=50, after=2), IntegrityError),
        (WorkerDied("processes.killed", module="x", signal="SIGKILL", log="-"), WorkerDied),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, "full"), NoRoom),
        (OSError(errno.EIO, "broken"), OSError),
    ],
)
def test_what_fails_leaves_nothing(stage: Stage, tmp_path: Path, error: Exception, raised: type[BaseException]) -> None:
    with pytest.raises(raised):
        exported(stage, tmp_path / "mika", HandExporter(error))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_goes_with_the_next(stage: Stage, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from bonsai.system.files import new_folder\n"
        "with new_folder(Path(sys.argv[1])) as made:\n"
        "    (made / 'model.safetensors').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    target = tmp_path / "mika"
    done = subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    assert len(list(tmp_path.iterdir())) == 1
    with new_folder(tmp_path / "other"):
        pass
    assert len(list(tmp_path.glob(".*"))) == 1, "what another export left is not touched"
    exported(stage, target, HandExporter())
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mika", "other"]


def test_a_folder_that_a_living_export_fills_stays(stage: Stage, tmp_path: Path) -> None:
    name = evaluated.hashlib.sha256(b"mika").hexdigest()[:16]
    beside = tmp_path / f".{name}.{os.getppid()}.unfinished"
    beside.mkdir()
    exported(stage, tmp_path / "mika", HandExporter())
    assert beside.is_dir()


def test_a_target_that_appears_meanwhile_is_not_overwritten(stage: Stage, tmp_path: Path) -> None:
    class Slow(HandExporter):
        def export(self, job: ExportJob, log: Path, on_progress: Callable[[int, int], None]) -> Certificate:
            (tmp_path / "mika").mkdir()
            (tmp_path / "mika" / "own").write_text("mine")
            return super().export(job, log, on_progress)

    with pytest.raises(UsageError, match="exists already"):
        exported(stage, tmp_path / "mika", Slow())
    assert [str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*")] == ["mika", "mika/own"]


@pytest.mark.parametrize(
    ("form", "target", "told"),
    [
        ("peft", "there", "exists already"),
        ("peft", "no/such", "does not exist"),
        ("gguf", "new", "git clone https://github.com/ggml-org/llama.cpp"),
        ("ollama", "new", "BONSAI_CONVERT_GGUF"),
    ],
)
def test_what_cannot_begin_is_said(stage: Stage, tmp_path: Path, form: str, target: str, told: str) -> None:
    (tmp_path / "there").mkdir()
    exporter = HandExporter()
    with pytest.raises(UsageError, match=told):
        exported(stage, tmp_path / target, exporter, form)
    assert exporter.job is None
    assert [one.name for one in tmp_path.iterdir()] == ["there"]


def test_a_converter_is_found_by_variable_or_path(tmp_path: Path) -> None:
    program = tmp_path / "convert_hf_to_gguf.py"
    program.write_text("#!/usr/bin/env python3\n")
    assert export.find_converter({"BONSAI_CONVERT_GGUF": str(program), "PATH": ""}) == str(program)
    program.chmod(0o755)
    assert export.find_converter({"PATH": str(tmp_path)}) == str(program)
    with pytest.raises(BonsaiError):
        export.find_converter({"BONSAI_CONVERT_GGUF": str(tmp_path / "gone"), "PATH": str(tmp_path)})


def said(stage: Stage, *argv: str) -> int:
    return cli.run(argv, {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8", "USER": "mika", "PATH": ""})


def test_the_command_makes_archives_as_before_and_forms(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluated, "ProcessExporter", lambda _nice: HandExporter())
    assert said(stage, "adapters", "export", str(tmp_path / "one.tar"), "--as", "archive") == 0
    assert tarfile.is_tarfile(tmp_path / "one.tar")
    capsys.readouterr()
    assert said(stage, "adapters", "export", str(tmp_path / "mika"), "--as", "peft", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["path"], found["certificate"]["equal"]) == (str(tmp_path / "mika"), 0.995)
    assert said(stage, "adapters", "export", str(tmp_path / "ken"), "--as", "merged", "--lang", "ja") == 0
    assert "99.5 %" in capsys.readouterr().out
    assert said(stage, "adapters", "export", str(tmp_path / "new"), "--as", "onnx") == 2
    assert "archive, peft, merged, gguf, ollama" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("peft", 'from_pretrained("cats/phi", revision="ef38", dtype=torch.bfloat16)\nmodel = PeftModel'),
        ("merged", 'AutoModelForCausalLM.from_pretrained("FOLDER", dtype=torch.bfloat16)'),
        ("gguf", "opens `model.gguf`"),
        ("ollama", "ollama create mine -f Modelfile"),
    ],
)
def test_a_card_says_how_its_form_is_asked(stage: Stage, form: Any, told: str) -> None:
    shown = show_adapter(stage.b, "champion")
    base = replace(stage.b.config.profiles["phi2-lora"].base, model="cats/phi", revision="ef38")
    facts = export._facts(stage.b, shown, "seedling", form)
    card = model_card(replace(facts, base=base, hub_id=export.hub_id(base), licence=""))
    for one in (told, "base_model: cats/phi", "`cats/phi` at commit `ef38`", "unknown: look whether you may use it"):
        assert one in card, one
    assert "BitsAndBytes" not in card


def test_an_adapter_that_was_never_judged_says_so(stage: Stage) -> None:
    facts = export._facts(stage.b, show_adapter(stage.b, "champion"), "seedling", "peft")
    card = model_card(replace(facts, decision=None, report=None, contents={}))
    assert "It was never judged." in card
    assert "It was not asked the benchmark." in card


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EROFS, "read-only"), (errno.EACCES, "permissions"), (errno.EISDIR, "file name")]
)
def test_what_the_file_system_refuses_is_one_sentence(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refused(*_: object) -> str:
        raise OSError(number, "words of the system", "/elsewhere/mika.tar")

    monkeypatch.setattr("bonsai.queries.adapters.export_adapter", refused)
    code = cli.run(["adapters", "export", "/elsewhere/mika.tar"], {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8"})
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert "/elsewhere/mika.tar: " in err
    assert said in err
