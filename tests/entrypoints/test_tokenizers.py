"""Real tokenizers: Phi-2's, which splits markers into pieces, and the seedling's, where a marker is one token."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bonsai.errors import ConfigError
from bonsai.model.bases import Base, model_folder
from bonsai.model.encoding import IGNORED, Encoder, load_encoder
from bonsai.model.prompt import CURRENT, MARKERS, AnswerTags, Question, completion, prompt
from bonsai.model.seedling import weights_folder

JA = AnswerTags("The question is in Japanese; answer in Japanese.", "closed_qa", "ja")
QUESTIONS = [
    (Question("日本で一番高い山は?"), "富士山です。"),
    (
        Question("Ｗｈｙ <|response|>?", "today: 2026-11-21\n2024-03-02 · ミケ · 心配 · self · くしゃみ🐈"),
        "(一週間)です。",
    ),
    (Question("What is\n\n1 + 1?"), "> 2"),
]


def check(encoder: Encoder) -> None:
    for question, answer in QUESTIONS:
        made = encoder.encode(CURRENT, question, JA, answer)
        learned = [label for label in made.labels if label != IGNORED]
        assert learned[-1] == encoder.end
        assert encoder.end not in made.input_ids[:-1]
        assert encoder.text(made.prompt) == prompt(CURRENT, question)
        assert encoder.text(learned[:-1]) == completion(CURRENT, JA, answer)
        assert encoder.question(CURRENT, question, JA) == made.prompt + made.declaration


def test_phi2_masks_end_with_its_own_end_token(shared_data: Path) -> None:
    encoder = load_encoder(shared_data / "phi2_tokenizer")

    assert encoder.end == 50256
    check(encoder)


def test_the_seedlings_markers_are_single_tokens() -> None:
    encoder = load_encoder(weights_folder())

    assert [len(encoder.ids(marker)) for marker in MARKERS] == [1] * len(MARKERS)
    assert len(encoder.digest) == 64
    check(encoder)


BASE = Base("oak", "bonsai/no-such-model", "c0ffee", "nf4", True, "float32", 64, 24, 32, 4)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_base_that_is_not_on_the_disk_is_told_at_once_with_the_command(
    monkeypatch: pytest.MonkeyPatch, language: Literal["en", "ja"]
) -> None:
    def no_network(*_args: object) -> None:
        raise AssertionError("a base is looked for on the disk alone")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)

    with pytest.raises(ConfigError) as caught:
        model_folder(BASE)

    said = caught.value.render(language)
    files = " ".join(f"--include '{pattern}'" for pattern in ("*.json", "*.safetensors", "chat_template.jinja"))
    assert f"hf download bonsai/no-such-model --revision c0ffee {files}" in said
    assert "\n" not in said


def test_the_command_has_the_options_of_the_installed_tool() -> None:
    from huggingface_hub.cli.download import download

    assert {"repo_id", "revision", "include"} <= set(inspect.signature(download).parameters)


def test_a_download_that_broke_off_is_no_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--bonsai--no-such-model" / "snapshots" / ("0" * 40)
    folder.mkdir(parents=True)
    pinned = replace(BASE, revision="0" * 40)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    (folder / "model.safetensors.index.json").write_text(
        '{"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}'
    )
    (folder / "one.safetensors").touch()

    with pytest.raises(ConfigError, match=r"two\.safetensors.*hf download bonsai/no-such-model"):
        model_folder(pinned)

    (folder / "two.safetensors").touch()
    assert model_folder(pinned) == folder


def test_a_folder_is_a_base_when_it_holds_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json, tokenizer\.json, model\.safetensors"):
        model_folder(replace(BASE, model=str(tmp_path)))
    with pytest.raises(ConfigError, match="neither a folder"):
        model_folder(replace(BASE, model=str(tmp_path / "nowhere")))

    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).touch()
    assert model_folder(replace(BASE, model=str(tmp_path))) == tmp_path
