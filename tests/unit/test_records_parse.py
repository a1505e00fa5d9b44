from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonsai.domain.characters import normalise
from bonsai.domain.records import (
    LIMITS,
    Category,
    Defaults,
    Origin,
    Record,
    Reject,
    content_id,
    parse,
    reasoning_sentence,
)
from bonsai.i18n import text

HERE = Origin("cats.jsonl", 7)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=["Cs"]), max_size=60)


def record(**fields: object) -> Record:
    made = parse({"instruction": "Can cats swim?", "output": "Yes.", **fields}, HERE)
    assert isinstance(made, Record), made
    return made


def refused(**fields: object) -> Reject:
    made = parse({"instruction": "Can cats swim?", "output": "Yes.", **fields}, HERE)
    assert isinstance(made, Reject), made
    for language in ("en", "ja"):
        assert "{" not in text(made.reason_key, language, **dict(made.values))  # type: ignore[arg-type]
    return made


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing(written: str) -> None:
    once = normalise(written)
    assert normalise(once) == once
    assert once == once.strip()
    assert "\r" not in once
    assert "\x00" not in once


@given(st.text(st.sampled_from("aé²½①´¨゛ｶﾞが\u0301\u200b\r\n \t…ﬁ１"), max_size=12))
def test_normalising_twice_changes_nothing_for_the_difficult_characters(written: str) -> None:
    assert normalise(normalise(written)) == normalise(written)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_an_id_does_not_depend_on_how_the_text_was_typed(question: str, passage: str, answer: str) -> None:
    typed = [unicodedata.normalize("NFD", normalise(part)) + "\r\n" for part in (question, passage, answer)]
    assert content_id(*typed) == content_id(question, passage, answer)


@given(
    st.lists(st.text("ab|", max_size=3), min_size=3, max_size=3),
    st.lists(st.text("ab|", max_size=3), min_size=3, max_size=3),
)
def test_different_fields_never_share_an_id(one: list[str], other: list[str]) -> None:
    assert (content_id(*one) == content_id(*other)) == (one == other)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ﾈｺﾊﾞｽ", "ネコバス"),
        ("ＡＢＣ１２３", "ABC123"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("  猫\u3000", "猫"),
        ("x² is ½ of ①②", "x² is ½ of ①②"),
        ("a\x00b\u200bc\ufeff", "abc"),
        ("👩‍👧 cat", "👩‍👧 cat"),
        ("…", "…"),
    ],
)
def test_normalising_joins_variants_and_keeps_meaning(typed: str, stored: str) -> None:
    assert normalise(typed) == stored


def test_all_fields_are_taken_and_unknown_ones_ignored() -> None:
    made = record(
        input="Mike", language="JA", category="creative_writing", happened_on="2024年3月2日", feeling="worried",
        subject="Mike", source="self", author="Ann", fact="swim", reasoning="Because.", index=3,
    )  # fmt: skip
    assert (made.language, made.category, made.happened_on) == ("ja", Category.CREATIVE, date(2024, 3, 2))
    assert (made.feeling, made.subject, made.source, made.author) == ("worried", "Mike", "self", "Ann")
    assert (made.fact, made.reasoning, made.origin) == ("swim", "Because.", HERE)
    assert made.id == content_id("Can cats swim?", "Mike", "Yes.")


@pytest.mark.parametrize(
    ("named", "category"),
    [
        ("general_qa", "open_qa"),
        ("information_extraction", "closed_qa"),
        ("summarization", "closed_qa"),
        ("Open QA", "open_qa"),
    ],
)
def test_known_names_of_categories_are_mapped(named: str, category: str) -> None:
    assert record(category=named).category == category


def test_what_is_left_empty_is_to_be_tagged() -> None:
    made = record(language="", category="uncategorised", happened_on=None)
    assert (made.language, made.category, made.happened_on) == (None, None, None)


def test_defaults_fill_only_what_the_fields_do_not_say() -> None:
    defaults = Defaults(source="self", author="Ann")
    made = parse({"instruction": "q", "output": "a", "author": "Bob"}, HERE, defaults)
    assert isinstance(made, Record)
    assert (made.source, made.author) == ("self", "Bob")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"instruction": " \u200b\u3000"}, "records.empty_instruction"),
        ({"output": None}, "records.empty_output"),
        ({"output": ["a"]}, "records.not_a_text"),
        ({"output": True}, "records.not_a_text"),
        ({"output": "\ud800"}, "records.broken_character"),
        ({"language": "klingon"}, "records.unknown_language"),
        ({"category": "generic"}, "records.unknown_category"),
        ({"source": "the moon"}, "records.unknown_source"),
        ({"happened_on": "yesterday"}, "records.unknown_date"),
        ({"happened_on": "2024-02-30"}, "records.unknown_date"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(fields: dict[str, object], reason: str) -> None:
    made = refused(**fields)
    assert (made.reason_key, made.file, made.line) == (reason, "cats.jsonl", 7)
    assert "Can cats swim?" in made.raw or "instruction" in fields


def test_too_long_a_text_is_refused_not_cut() -> None:
    made = parse({"instruction": "abc", "output": "defg"}, HERE, limits=replace(LIMITS, output_characters=3))
    assert isinstance(made, Reject)
    assert dict(made.values) == {"field": "output", "characters": "4", "limit": "3"}


def test_a_reject_keeps_a_bounded_raw_text_that_can_be_stored() -> None:
    made = refused(output="\ud800" + "x" * 20_000)
    assert len(made.raw.encode("utf-8")) <= 11_000


def test_a_number_is_a_text() -> None:
    assert record(output=5).output == "5"


def test_the_reasoning_names_both_languages() -> None:
    assert reasoning_sentence("en", "ja") == "The question is in English; answer in Japanese."


def test_a_number_that_is_none_is_a_missing_text() -> None:
    assert record(input=float("nan"), subject=float("nan")) == record()
    assert refused(output=float("nan")).reason_key == refused(output="").reason_key
