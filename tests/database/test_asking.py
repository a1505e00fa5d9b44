"""Questions on a real home; only the model is made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hand_client import HandClient

from bonsai import bootstrap
from bonsai.actions.ask import ask
from bonsai.context import Bonsai
from bonsai.errors import UnknownId, UsageError
from bonsai.model.prompt import AnswerTags


@pytest.fixture
def inference() -> HandClient:
    made = HandClient()
    made.may_speak.set()
    return made


@pytest.fixture
def b(tmp_path: Path, inference: HandClient) -> Bonsai:
    bootstrap.init(tmp_path / "home", "en", datetime(2026, 11, 21, tzinfo=UTC), {})
    environ = {"BONSAI_TRAINING__PROFILE": "seedling"}
    return replace(bootstrap.open(tmp_path / "home", environ), inference=inference)


@pytest.mark.parametrize(
    ("question", "asked_in", "language"),
    [
        ("What is 「爪とぎ」 in English?", "English", "en"),
        ('"Scratching post" は日本語で何といいますか?', "Japanese", "ja"),
        ("ミケはどこで寝ますか?", "Japanese", "ja"),
    ],
)
def test_a_forced_category_answers_in_the_language_of_the_question_not_of_its_quotation(
    b: Bonsai, inference: HandClient, question: str, asked_in: str, language: str
) -> None:
    answer = ask(b, question, category="translation")
    assert inference.asked[0].forced == (
        AnswerTags(f"The question is in {asked_in}; answer in {asked_in}.", "translation", language),
    )
    assert (answer.category, answer.language, answer.adapter) == ("translation", language, "base")


def test_the_model_declares_its_own_tags_unless_told(b: Bonsai, inference: HandClient) -> None:
    ask(b, "Where does Mike sleep?")
    ask(b, "Where does Mike sleep?", language="ja")
    assert inference.asked[0].forced == (None,)
    assert inference.asked[1].forced == (
        AnswerTags("The question is in English; answer in Japanese.", "open_qa", "ja"),
    )


def test_what_cannot_be_asked_is_refused_before_a_model_is_loaded(b: Bonsai, inference: HandClient) -> None:
    with pytest.raises(UsageError):
        ask(b, " \n")
    with pytest.raises(UsageError, match="zz"):
        ask(b, "Where?", language="zz")
    with pytest.raises(UnknownId, match="abc"):
        ask(b, "Where?", adapter="abc")
    assert inference.asked == []
