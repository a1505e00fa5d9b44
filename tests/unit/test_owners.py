"""The invented households keep their format: what is asked is answered, and not given away by the question."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from benchmarks import owners_data
from benchmarks.owners_data import Owner

LEAST_FACTS, LEAST_UNANSWERABLE = 64, 21


@pytest.fixture(params=owners_data.OWNERS)
def owner(request: pytest.FixtureRequest) -> Owner:
    return owners_data.read(request.param)


def test_every_file_is_a_household() -> None:
    assert sorted(file.stem for file in owners_data.FOLDER.glob("*.jsonl")) == sorted(owners_data.OWNERS)
    assert len(owners_data.OWNERS) == len(set(owners_data.OWNERS)) == 12


def test_there_is_enough_of_each(owner: Owner) -> None:
    assert len(owner.facts) >= LEAST_FACTS
    assert len(owner.unanswerable) >= LEAST_UNANSWERABLE
    assert owner.about
    assert set(owner.languages) <= {"ja", "en"}


def test_no_line_is_neither_a_fact_nor_unanswerable(owner: Owner) -> None:
    lines = (owners_data.FOLDER / f"{owner.household}.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 1 + len(owner.facts) + len(owner.unanswerable)


def test_each_fact_has_two_paraphrases_and_no_question_comes_twice(owner: Owner) -> None:
    assert {len(fact.paraphrases) for fact in owner.facts} == {2}
    asked = Counter(question for fact in owner.facts for question in fact.questions)
    asked.update(one.unanswerable for one in owner.unanswerable)
    assert [question for question, times in asked.items() if times > 1] == []


def test_the_answer_states_what_is_accepted_and_no_question_does(owner: Owner) -> None:
    for fact in owner.facts:
        assert fact.accepted, fact.instruction
        for group in fact.accepted:
            assert any(value.casefold() in fact.output.casefold() for value in group), fact.instruction
        told = [
            (value, question)
            for group in fact.accepted
            for value in group
            for question in fact.questions
            if value.casefold() in question.casefold()
        ]
        assert told == []


def test_dates_are_iso_and_languages_known(owner: Owner) -> None:
    for fact in owner.facts:
        assert not fact.happened_on or date.fromisoformat(fact.happened_on).isoformat() == fact.happened_on
        assert fact.answer_language in owner.languages


def test_an_owner_is_cut_to_its_first_facts() -> None:
    whole = owners_data.read("mike")
    cut = whole.first(3)
    assert cut.facts == whole.facts[:3]
    assert len(cut.unanswerable) == 3
