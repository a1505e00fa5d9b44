"""Real tokenizers: Phi-2's, which splits markers into pieces, and the seedling's, where a marker is one token."""

from __future__ import annotations

from pathlib import Path

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


def test_a_base_that_cannot_be_found_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    missing = Base("oak", "bonsai/no-such-model", "", "nf4", True, "float32", 64, 24, 32, 4)

    with pytest.raises(ConfigError, match=r"bonsai/no-such-model.*profiles"):
        model_folder(missing)
