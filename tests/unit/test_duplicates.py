from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonsai.domain.records import Origin, Record, content_id, parse
from bonsai.i18n import TEXT_LANGUAGES, text
from bonsai.ingest.dedup import held_back_reason
from bonsai.ingest.dedup.comparison import contradict
from bonsai.ingest.dedup.contamination import Contamination, ContaminationCheck
from bonsai.ingest.dedup.index import DuplicateFinding, DuplicateIndex, IndexedRecord, question_key
from bonsai.ingest.dedup.paraphrases import paraphrase_groups
from bonsai.ingest.readers import read
from bonsai.samples import sample_path


def known(question: str, answer: str, passage: str = "", **more: str) -> IndexedRecord:
    language = more.pop("language", "en")
    id = content_id(question, passage, answer)
    return IndexedRecord(id=id, instruction=question, input=passage, output=answer, language=language, **more)  # type: ignore[arg-type]


def judged(*records: IndexedRecord) -> list[DuplicateFinding]:
    return DuplicateIndex().judge_batch(records)


# --- exact and near


def test_the_same_record_is_an_exact_duplicate_within_a_batch_and_across() -> None:
    index = DuplicateIndex()
    cat = known("Can cats swim?", "Most do not like it.")
    assert [found.exact for found in index.judge_batch([cat, cat])] == [False, True]
    assert index.judge_batch([cat])[0].exact
    assert len(index) == 1


def test_a_forgotten_id_stays_taken() -> None:
    index = DuplicateIndex()
    cat = known("Can cats swim?", "Most do not like it.")
    index.add_ids([cat.id])
    assert index.judge_batch([cat])[0].exact


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (("Can cats eat raw onions?", "No."), ("Can a cat eat raw onions?", "No, never."), True),
        (("ブラシの頻度はどのくらいですか?", "週2回。"), ("ブラシの頻度はどれくらいですか?", "週2回。"), True),
        (("What happened on 2 March?", "Mike sneezed."), ("What happened on 3 March?", "Mike sneezed."), False),
        (("What is the capital of France?", "Paris."), ("What is the capital of Greece?", "Athens."), False),
        (("Can cats eat onions?", "No."), ("How often should I brush my cat?", "No."), False),
    ],
)  # fmt: skip
def test_near_means_nearly_the_same_words_and_the_same_numbers(
    one: tuple[str, str], other: tuple[str, str], near: bool
) -> None:
    first, second = known(*one), known(*other)
    assert judged(first, second)[1].near == ((first.id,) if near else ())


def test_records_that_are_not_active_are_no_reason_for_a_flag() -> None:
    index = DuplicateIndex()
    index.add_batch([replace(known("Can cats eat raw onions?", "No."), active=False)])
    found = index.judge_batch([known("Can cats eat raw onions?", "Yes."), known("Can a cat eat raw onions?", "Yes.")])
    assert [bool(one.contradicts) for one in found] == [False, False]


def test_a_record_that_is_held_back_for_another_reason_is_none_for_a_flag_either() -> None:
    leaking = known("Can cats eat raw onions?", "No.")
    found = judged(replace(leaking, active=False), known("Can a cat eat raw onions?", "No."), leaking)
    assert [one.near for one in found] == [(), (), ()]
    assert [one.exact for one in found] == [False, False, True]


def test_a_correction_takes_the_place_of_what_it_contradicts() -> None:
    wrong, right = known("Where does Mike sleep?", "On the sofa."), known("Where does Mike sleep?", "In the box.")
    found = judged(wrong, replace(right, correction=True), known("Where does Mike sleep?", "On the piano."))
    assert found[1].contradicts == (wrong.id,)
    assert found[2].contradicts == (right.id,)


@given(st.lists(st.text("abc 12猫犬?", max_size=12), max_size=12))
def test_judging_in_one_batch_or_one_by_one_is_the_same(questions: list[str]) -> None:
    records = [known(question, f"a{number % 3}") for number, question in enumerate(questions)]
    together = DuplicateIndex().judge_batch(records)
    index = DuplicateIndex()
    assert [index.judge_batch([record])[0] for record in records] == together


def test_the_question_key_leaves_only_what_tells_questions_apart() -> None:
    assert question_key("Can cats  SWIM?") == question_key("can cats swim")
    for one, other in (("What is C++?", "What is C?"), ("1.5 kg?", "15 kg?"), ("Is -5 < 0?", "Is 5 < 0?")):
        assert question_key(one) != question_key(other)
    assert question_key("q", "a b") != question_key("q a", "b")
    assert question_key("?!") == "?!"


# --- contradictions


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Yes.", "Yes, they can.", False),
        ("No, onions harm cats.", "Yes, cats may eat onions.", True),
        ("Mike sleeps on the sofa.", "Mike sleeps in the box.", True),
        ("The vet said it was asthma.", "Asthma.", False),
        ("Twice a day: 2 meals.", "3 meals.", True),
        ("食べられます。", "食べられません。", True),
        ("獣医は喘息だと言いました。", "獣医はアレルギーだと言いました。", True),
        ("It is 42.", "It is 42!", False),
        ("x " * 200, "y " * 200, False),
    ],
)
def test_answers_to_one_question_contradict_when_they_are_clearly_different(
    one: str, other: str, expected: bool
) -> None:
    assert contradict("What about Mike and the onions?", one, other) is expected
    assert contradict("What about Mike and the onions?", other, one) is expected


def test_a_contradiction_holds_the_new_record_back_only_where_there_is_one_right_answer() -> None:
    old = known("Where does Mike sleep?", "On the sofa.", fact="sleep")
    new = known("where does Mike sleep", "In the box.")
    assert judged(old, new)[1].contradicts == (old.id,)
    for excused in (
        replace(new, fact="sleep"),
        replace(new, language="ja"),
        replace(new, category="brainstorming"),
        known("Where does Mike sleep?", "In the box.", "Notes of 2024"),
    ):
        assert judged(old, excused)[1].contradicts == ()


def test_a_record_that_was_held_back_does_not_hold_back_the_next() -> None:
    old, wrong = known("Where does Mike sleep?", "On the sofa."), known("Where does Mike sleep?", "In the box.")
    again = known("Where does Mike sleep?", "On the sofa, mostly.")
    assert [bool(found.contradicts) for found in judged(old, wrong, again)] == [False, True, False]


# --- leaks

ITEMS = (
    ("onion", "Can cats eat onions?", ""),
    ("grape", "猫にぶどうを食べさせてもいいですか?", ""),
    ("long", "What should the owner of an old cat with weak kidneys change first about her food?", ""),
    ("word", 'Give me the English word for "くつ".', ""),
    ("sum", "What is 12 plus 3?", ""),
    ("passage", "Who won?", "The race in Kobe was won by Ann, who came from Osaka on her own bicycle."),
)


@pytest.mark.parametrize(
    ("question", "leaked"),
    [
        ("can cats eat ONIONS", "onion"),
        ("Please answer shortly: can cats eat onions?", "onion"),
        ("Is it okay to give a cat onions?", ""),
        ("Can cats eat grapes?", ""),
        ("猫にぶどうを食べさせてもいいですか", "grape"),
        ("猫にチーズを食べさせてもいいですか?", ""),
        ("猫にいちごを食べさせてもいいですか?", ""),
        ("Tell me: what should the owner of an old cat with weak kidneys change first about her food?", "long"),
        ("What should the owner of an old cat with weak eyes change first about her food?", ""),
        ('Give me the English word for "ねこ".', ""),
        ("What is 12 plus 4?", ""),
        ("Who won?", ""),
    ],
)
def test_contamination_asks_the_same_with_the_same_entities_and_numbers(question: str, leaked: str) -> None:
    assert ContaminationCheck(ITEMS).matches(question) == ((leaked,) if leaked else ())


def test_an_item_with_a_passage_is_contaminated_only_with_it() -> None:
    guard = ContaminationCheck(ITEMS)
    assert guard.matches("Who won?", ITEMS[5][2]) == ("passage",)
    assert guard.matches("Who won?", "The chess game was won by Bob after nine hours of quiet play.") == ()


def test_the_owners_own_record_is_accepted_and_the_item_retires() -> None:
    def records_of(source: str) -> Record:
        made = parse({"instruction": "Can cats eat onions?", "output": "No.", "source": source}, Origin("f"))
        assert isinstance(made, Record)
        return made

    guard = ContaminationCheck(ITEMS)
    assert guard.judge(records_of("self")) == Contamination(retires=("onion",))
    assert guard.judge(records_of("community")) == Contamination(contaminated=("onion",))


def test_a_held_back_record_says_why_in_both_languages() -> None:
    for finding, contamination in (
        (DuplicateFinding(False, contradicts=("a" * 64,)), Contamination()),
        (DuplicateFinding(False), Contamination(("onion",))),
    ):
        reason = held_back_reason(finding, contamination)
        assert reason is not None
        for language in TEXT_LANGUAGES:
            assert text(reason[0], language, **reason[1])
    assert held_back_reason(DuplicateFinding(False, near=("b",)), Contamination(retires=("onion",))) is None


# --- wordings


def test_paraphrases_of_one_fact_are_found_by_its_key() -> None:
    asked = [known(question, "On the sofa.", fact="sleep") for question in ("Where does Mike sleep?", "Mike's bed?")]
    answer = known("マイクはどこで寝る?", "ソファーです。", fact="sleep", language="ja")
    groups = paraphrase_groups([*asked, answer, known("Why?", "Because.")])
    assert [(group.key[:7], len(group.record_ids)) for group in groups] == [("sleep", 2), ("sleep", 1), ("answer:", 1)]


def test_a_generic_answer_binds_no_different_questions() -> None:
    groups = paraphrase_groups([known("Can cats swim?", "Yes."), known("Is snow white?", "Yes.")])
    assert [len(group.record_ids) for group in groups] == [1, 1]


def test_without_fact_keys_the_households_paraphrases_are_found_by_their_answers() -> None:
    records = [one for one in read(sample_path("household.jsonl")) if isinstance(one, Record)]
    told = [known(r.instruction, r.output, r.input, language=str(r.language)) for r in records]
    facts = {content_id(r.instruction, r.input, r.output): r.fact for r in records}
    expected = defaultdict(set)
    for one in told:
        expected[(facts[one.id], one.language)].add(one.id)
    found = {frozenset(group.record_ids) for group in paraphrase_groups(told)}
    assert all(len({facts[id] for id in group}) == 1 for group in found)
    whole = sum(frozenset(group) in found for group in expected.values())
    assert whole >= 0.9 * len(expected)
    assert len(expected) >= 72
