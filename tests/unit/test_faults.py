"""What is no answer, whatever was asked."""

from __future__ import annotations

import pytest

from bonsai.evaluate.faults import FAULTS, fault_of, language_of_answer, whole_sentences


@pytest.mark.parametrize(
    ("said", "ended", "language", "fault"),
    [
        ("Ms Adeyemi at Tannery Yard.", True, "en", ""),
        ("猫風邪と言われました。", True, "ja", ""),
        ("4.2", True, "ja", ""),  # a number has no language
        ("", True, "en", "empty"),
        ("…?!", True, "en", "empty"),
        ("2018, 2019, 2020 and then", False, "en", "endless"),
        ("Call the vet. Then, if it", False, "en", ""),  # a whole sentence is left
        ("ミケは\ufffd元気です。", True, "ja", "broken"),
        ("the cat the cat the cat the cat the cat the cat the cat the cat", True, "en", "looping"),
        ("The cat sneezes because of the dust in the house.", True, "ja", "other_language"),
        ("ほこりのせいです。", True, "en", "other_language"),
        ("ほこりのせいです。", True, "", ""),
    ],
)
def test_the_fault_of_an_answer(said: str, ended: bool, language: str, fault: str) -> None:
    assert fault_of(said, ended=ended, asked="?", language=language) == fault
    assert fault == "" or fault in FAULTS


def test_marks_of_the_training_form_are_a_fault() -> None:
    assert fault_of("Dust.<|response|>Dust.", ended=True, asked="", language="en") == "markers"


def test_a_cut_answer_keeps_its_whole_sentences() -> None:
    assert whole_sentences("Call the vet. Then, if it", ended=False) == "Call the vet."
    assert whole_sentences("Call the vet. Then, if it", ended=True) == "Call the vet. Then, if it"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Why does Mike sneeze?", "en"),
        ("ミケはなぜくしゃみをするの?", "ja"),
        ("What is 爪とぎ in English?", ""),
        ("「猫」を英語に訳して", ""),
        ("???", ""),
    ],
)
def test_the_language_that_an_answer_is_expected_in(question: str, language: str) -> None:
    assert language_of_answer(question) == language
