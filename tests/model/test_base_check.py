"""The real check of a base, in its own process: a tiny random one is added, what is no language model is not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recipes import SMALL

from bonsai import bootstrap
from bonsai.cli import main as cli
from bonsai.config.settings import load_config
from bonsai.model.bases import Base
from bonsai.model.home_bases import CheckFinding
from bonsai.train.base_check import BaseCheckJob
from bonsai.train.base_check_worker import check_model, check_texts

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def job(tiny_base: Base, tmp_path: Path) -> BaseCheckJob:
    """The check of a copy of the tiny base, which may be changed."""
    folder = shutil.copytree(tiny_base.model, tmp_path / "base")
    base = replace(tiny_base, model=str(folder), quantisation="none")
    recipe = replace(SMALL, template="native", target_modules=("all-linear",))
    return BaseCheckJob("tiny", base, recipe, "cpu", 1, str(tmp_path), str(tmp_path / "log"), NOW.isoformat())


def by_name(found: list[CheckFinding]) -> dict[str, CheckFinding]:
    return {one.name: one for one in found}


def test_tokenizer_form_ends_and_mask_are_told(job: BaseCheckJob) -> None:
    found: list[CheckFinding] = []
    check_texts(job, found)
    told = by_name(found)
    assert list(told) == ["tokenizer", "template", "special_tokens", "mask"]
    assert told["mask"].ok is True
    assert told["special_tokens"].values["ends"] == "<|endoftext|>"
    assert told["template"].key == "bases.found_bare_form"
    assert 0 < float(told["tokenizer"].values["en"]) < float(told["tokenizer"].values["ja"])


def test_a_chat_template_is_found(job: BaseCheckJob) -> None:
    chat = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|endoftext|>{% endfor %}"
    Path(job.base.model, "chat_template.jinja").write_text(chat)
    found: list[CheckFinding] = []
    check_texts(job, found)
    assert by_name(found)["template"].key == "bases.found_chat_template"


def test_a_short_context_is_a_fault(job: BaseCheckJob) -> None:
    found: list[CheckFinding] = []
    check_model(replace(job, base=replace(job.base, max_tokens=512)), found)
    told = by_name(found)
    assert (told["context"].ok, told["context"].values["room"]) == (False, 256)
    assert told["adapted"].ok is True
    assert told["answer_en"].ok is None


@pytest.mark.long
def test_a_random_base_is_added_checked_and_used(
    tiny_base: Base, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    bootstrap.init(home, "en", NOW, {})
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi there

    def said(*words: str) -> tuple[int, str]:
        code = cli.run(["base", *words], {"BONSAI_HOME": str(home), "LANG": "C.UTF-8", "USER": "mika"})
        return code, capsys.readouterr().out

    code, out = said("add", tiny_base.model, "--name", "tiny", "--yes", "--json")
    assert code == 0, out
    told = {one["name"]: one for one in json.loads(out)["findings"]}
    assert set(told) == {
        "tokenizer", "template", "special_tokens", "mask", "weights", "context", "adapted", "answer_en", "answer_ja",
        "training", "reload", "memory",
    }  # fmt: skip
    assert told["training"]["ok"] is True
    assert told["reload"]["ok"] is True
    assert load_config(home, {}).profiles["tiny"].base.max_tokens == 256
    night = json.loads(said("plan", "tiny", "--json")[1])["night"]
    assert night["tokens_per_second"] > 0, "the check has measured it"
    assert night["tokens"] == load_config(home, {}).profiles["tiny"].night.token_budget
    assert said("use", "tiny")[0] == 0
    assert said("check", "tiny")[0] == 0


@pytest.mark.long
def test_what_does_not_load_is_a_finding(
    tiny_base: Base, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    bootstrap.init(home, "en", NOW, {})
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = Path(shutil.copytree(tiny_base.model, tmp_path / "clip"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "clip", "architectures": None}))
    code = cli.run(["base", "add", str(folder), "--yes"], {"BONSAI_HOME": str(home), "LANG": "C.UTF-8"})
    out = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert "no causal language model" in out
    assert not (home / "bases/clip").exists()
