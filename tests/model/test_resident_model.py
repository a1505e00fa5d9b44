"""The seedling in a process that stays: the same answers as in one that ends, and the second one comes at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bonsai.config.settings import load_config
from bonsai.errors import IntegrityError
from bonsai.inference.client import InferenceRequest, ModelRef, ProcessClient
from bonsai.inference.resident import ResidentClient
from bonsai.model.prompt import AnswerTags, Question

QUESTIONS = (Question("What is the capital of Japan?"), Question("日本の首都はどこですか?"))


@pytest.mark.long
def test_a_model_that_stays_answers_as_one_that_ends_and_sooner(tmp_path: Path) -> None:
    profile = load_config(tmp_path, {}).profiles["seedling"]
    voice = ModelRef(profile.base, "cpu", profile.recipe.template)
    asking = InferenceRequest(voice, QUESTIONS, (None, AnswerTags("", "open_qa", "ja")))
    inference = ResidentClient(tmp_path, idle_seconds=60, timeout_seconds=120)
    try:
        begun = time.monotonic()
        first = inference.complete(asking)
        loaded = time.monotonic()
        again = inference.complete(asking)
        answered = time.monotonic()
        (tmp_path / "adapter").mkdir()
        with pytest.raises(IntegrityError):  # no manifest: refused, and the model stays
            inference.complete(
                InferenceRequest(
                    ModelRef(voice.base, "cpu", voice.template, "a", str(tmp_path / "adapter")), *rest(asking)
                )
            )
        assert inference.complete(asking) == first
    finally:
        inference.close()
    assert first == again == ProcessClient(tmp_path).complete(asking)
    assert all(one.response for one in first)
    assert answered - loaded < (loaded - begun) / 2
    assert "Japan" not in (tmp_path / "ask.log").read_text("utf-8")  # a question is personal


def rest(asking: InferenceRequest) -> tuple[tuple[Question, ...], tuple[AnswerTags | None, ...]]:
    return asking.questions, asking.forced
