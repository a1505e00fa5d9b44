"""The bundled samples: rendered from the authored facts, evenly worded, and as broken or poisoned as they claim."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import pytest

from bonsai.domain.records import Category, Record, Reject
from bonsai.evaluate.questions import POOLS, load
from bonsai.ingest.dedup import to_indexed
from bonsai.ingest.dedup.contamination import ContaminationCheck
from bonsai.ingest.dedup.index import DuplicateIndex
from bonsai.ingest.readers import read
from bonsai.ingest.tags import tag
from bonsai.samples import sample_path
from research.samples.facts import (
    BENCHMARK_ROLE,
    FIRST_BATCH,
    HOUSEHOLD,
    LANGS,
    ROLES,
    Fact,
    Lang,
    ask,
    load_facts,
    paraphrase,
)
from research.samples.messy import COUNTS
from research.samples.render import sample_files

FIRST = load_facts(FIRST_BATCH)
HOME = load_facts(HOUSEHOLD)


WHOLE = ("experience.jsonl", "household.jsonl", "poison.jsonl", "ten.jsonl")
"Of these nothing may be rejected."
IMPORTED_BEFORE = {"messy.jsonl": ("experience.jsonl",), "messy.csv": ("experience.jsonl", "messy.jsonl")}
GUARD = ContaminationCheck([(item.id, item.instruction, item.input) for pool in POOLS for item in load(pool)])


@cache
def records_of(name: str) -> tuple[Record, ...]:
    """What of a bundled file can become a record."""
    return tuple(record for record in read(sample_path(name)) if isinstance(record, Record))


@cache
def records(name: str) -> tuple[Record, ...]:
    """A bundled file through the real reader; nothing of it may be rejected."""
    made = list(read(sample_path(name)))
    assert not [reject for reject in made if isinstance(reject, Reject)]
    return tuple(record for record in made if isinstance(record, Record))


@pytest.mark.parametrize(
    "name", ["experience.jsonl", "household.jsonl", "poison.jsonl", "messy.jsonl", "messy.csv", "messy.json"]
)
def test_the_bundled_file_is_what_the_facts_render_to(name: str) -> None:
    assert sample_path(name).read_bytes() == sample_files()[name], "run: python -m research.samples.render"


def test_the_first_batch_is_large_enough() -> None:
    assert len(FIRST) >= 90
    assert len(records("experience.jsonl")) >= 360


def test_the_household_has_three_paraphrases_in_each_language() -> None:
    counts = Counter((record.fact, record.language) for record in records("household.jsonl"))
    assert len(HOME) >= 36
    assert counts == {(fact.name, language): ROLES for fact in HOME for language in LANGS}


def test_every_fact_has_two_paraphrases_in_each_language() -> None:
    asked = Counter((record.fact, record.language) for record in records("experience.jsonl"))
    assert set(asked) == {(fact.name, language) for fact in FIRST for language in LANGS}
    assert min(asked.values()) >= 2


@pytest.mark.parametrize("language", LANGS)
def test_all_seven_categories_are_taught(language: Lang) -> None:
    taught = {record.category for record in records("experience.jsonl") if record.language == language}
    assert taught == set(Category) - {Category.UNCATEGORISED}


def test_no_record_is_told_twice() -> None:
    ids = [record.id for name in WHOLE for record in records(name)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("language", LANGS)
def test_equal_answers_mean_the_same_fact(language: Lang) -> None:
    answers = Counter(fact.answer[language] for fact in (*FIRST, *HOME))
    assert [answer for answer, count in answers.items() if count > 1] == []


@pytest.mark.parametrize("fact", [*FIRST, *HOME], ids=lambda fact: fact.name)
def test_an_answer_is_one_short_sentence_that_holds_its_key(fact: Fact) -> None:
    assert len(fact.answer["en"].split()) <= 14
    assert len(fact.answer["ja"]) <= 35
    for language in LANGS:
        keys = fact.key[language]
        assert not keys or any(key.casefold() in fact.answer[language].casefold() for key in keys)


@pytest.mark.parametrize("language", LANGS)
def test_a_key_tells_its_fact_from_the_others_of_its_family(language: Lang) -> None:
    shared = [
        (fact.name, other.name)
        for fact in FIRST
        for other in FIRST
        if fact is not other
        and fact.family == other.family
        and any(key.casefold() in other.answer[language].casefold() for key in fact.key[language])
    ]
    assert shared == []


def test_third_paraphrases_stay_out_of_the_samples() -> None:
    told = {(record.instruction, record.input) for record in records("experience.jsonl")}
    third = {
        (asked.instruction, asked.input)
        for fact in FIRST
        for asked in (ask(fact, lang, BENCHMARK_ROLE) for lang in LANGS)
    }
    assert not told & third


@pytest.mark.parametrize("language", LANGS)
@pytest.mark.parametrize("role", range(ROLES))
@pytest.mark.parametrize("family", ["food_ok", "sign_action", "why_behaviour", "how_to", "what_for"])
def test_no_wording_of_a_family_is_worn_out(family: str, role: int, language: Lang) -> None:
    used = Counter(paraphrase(fact, language, language, role) for fact in FIRST if fact.family == family)
    assert len(used) >= 7
    assert set(used.values()) == {1}


def test_dated_experiences_carry_subject_date_and_feeling() -> None:
    dated = [record for record in records("experience.jsonl") if record.happened_on]
    assert len({record.fact for record in dated}) >= 12
    assert all(record.subject and record.feeling and record.source == "self" for record in dated)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_the_messy_files_are_as_broken_as_their_count_says(name: str) -> None:
    made = list(read(sample_path(name)))
    told = [record for record in made if isinstance(record, Record)]
    before = [record for earlier in IMPORTED_BEFORE[name] for record in records_of(earlier)]
    index = DuplicateIndex()
    index.add_batch([to_indexed(record, tag(record, None)) for record in before])
    findings = index.judge_batch([to_indexed(record, tag(record, None)) for record in told])
    leaks = sum(bool(GUARD.matches(record.instruction, record.input)) for record in told)
    found = {
        "duplicate": sum(finding.exact for finding in findings),
        "leak": leaks,
        "contradiction": sum(bool(finding.contradicts) for finding in findings),
        "rejected": len(made) - len(told),
    }
    assert {"read": len(made), "new": len(made) - sum(found.values()), **found} == COUNTS[name]


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_is_held_back_at_intake(name: str) -> None:
    index = DuplicateIndex()
    index.add_batch(
        [
            to_indexed(record, tag(record, None))
            for record in records_of("experience.jsonl")
            if name != "experience.jsonl"
        ]
    )
    findings = index.judge_batch([to_indexed(record, tag(record, None)) for record in records_of(name)])
    assert not any(finding.exact or finding.contradicts for finding in findings)
    assert [record.instruction for record in records_of(name) if GUARD.matches(record.instruction, record.input)] == []


def test_the_count_is_bundled_too() -> None:
    assert json.loads(sample_path("messy.json").read_text("utf-8")) == COUNTS


def test_poison_asks_nothing_that_a_sample_asks() -> None:
    asked = {record.instruction for name in ("experience.jsonl", "household.jsonl") for record in records(name)}
    poison = [record.instruction for record in records("poison.jsonl")]
    assert len(poison) >= 140
    assert not asked & set(poison)
    assert len(set(poison)) == len(poison)
