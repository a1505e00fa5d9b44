"""Scoring: what counts as the same answer, and the answers that must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bonsai.evaluate.questions import POOLS, Item, load
from bonsai.evaluate.scoring import (
    accepts,
    character_f1,
    chrf,
    is_in_language,
    is_looping,
    normalise_answer,
    same_answer,
    score,
)
from bonsai.model.prompt import AnswerTags, ParsedCompletion

ITEM = Item(
    "q1", "selection", "f1", "cat_care", "open_qa", "en", "en", "May cats eat grapes?", "",
    "No, grapes can damage a cat's kidneys.", ("kidneys",),
)  # fmt: skip
TAGS = AnswerTags("The question is in English; answer in English.", "open_qa", "en")


def said(response: str, tags: AnswerTags = TAGS, *, leaked: bool = False) -> ParsedCompletion:
    return ParsedCompletion(tags, response, leaked)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ｙｅｓ、３匹。", "yes 三匹"),
        ("ネコ", "ねこ"),
        ("ﾈｺ ﾃﾞｽ", "ねこです"),
        ("二十一歳", "21歳"),
        ("三万五千円", "35000円"),
        ("一九九八年", "1998年"),
        ("twenty-one cats", "21 cats"),
        ("Three times!", "3 times"),
        ("1,000 m", "1000 m"),
        ("The cat", "cat"),
        ("cat’s", "cat's"),
        ("富士 山", "富士山"),
    ],
)
def test_forms_of_one_answer(one: str, other: str) -> None:
    assert normalise_answer(one) == normalise_answer(other)


@pytest.mark.parametrize(
    ("one", "other"), [("1.5 kg", "15 kg"), ("10:30", "1030"), ("百", "1000"), ("は", "ば"), ("50%", "50")]
)
def test_forms_that_stay_apart(one: str, other: str) -> None:
    assert normalise_answer(one) != normalise_answer(other)


def test_normalising_twice_changes_nothing() -> None:
    for text in ("Twenty-One, 二十一!", "カタカナ ＡＢＣ", "It's 1,000.5 m."):
        assert normalise_answer(normalise_answer(text)) == normalise_answer(text)


def test_the_copula_does_not_count() -> None:
    assert same_answer("富士山", "富士山です。")
    assert same_answer("富士山だ", "富士山です。")
    assert not same_answer("", "です。")
    assert not same_answer("北岳です。", "富士山です。")


ACCEPTED = [
    ("Grapes damage the kidneys.", "No, grapes can damage a cat's kidneys.", "kidneys"),
    ("It has 5 legs.", "5 legs", "five"),
    ("いいえ、腎臓に悪いです。", "いいえ、ぶどうは猫の腎臓を傷めます。", "腎臓"),
    ("五匹います。", "5匹です。", "5匹"),
    ("No, they must not: the kidneys suffer.", "No, never: grapes damage the kidneys.", "kidneys"),
    ("危ないので、袋は捨てます。", "袋は危険です。", "袋"),
]
REFUSED = [
    ("It has 15 legs.", "It has 5 legs.", "5"),
    ("They scatter.", "It is a cat.", "cat"),
    ("1.5 litres", "5 litres", "5"),
    ("Yes, grapes are good for the kidneys.", "No, grapes damage the kidneys.", "kidneys"),
    ("はい、腎臓に良いです。", "いいえ、腎臓を傷めます。", "腎臓"),
    ("It is not Tokyo.", "It is Tokyo.", "tokyo"),
    ("東京ではありません。", "東京です。", "東京"),
    ("Tokyo, Kyoto, Osaka, Nara, Kobe, Nagoya, Sapporo, Fukuoka.", "Tokyo.", "tokyo"),
    ("", "Tokyo.", "tokyo"),
    ("Tokyo", "Tokyo", ""),
]


@pytest.mark.parametrize(("response", "reference", "key"), ACCEPTED)
def test_a_plain_statement_of_the_key_is_accepted(response: str, reference: str, key: str) -> None:
    assert accepts(response, reference, (key,))


@pytest.mark.parametrize(("response", "reference", "key"), REFUSED)
def test_the_key_alone_is_not_enough(response: str, reference: str, key: str) -> None:
    assert not accepts(response, reference, (key,))


@pytest.mark.parametrize("pool", POOLS)
def test_a_bare_right_answer_is_right_and_the_question_again_is_none(pool: str) -> None:
    """The keys are phrases ("is Tokyo"): the bare value once counted on none of 104 general items."""
    for item in load(pool, "v1"):
        asked = f"{item.instruction}\n{item.input}"
        for key in item.accepted:
            bare = key.removeprefix("は")
            for verb in ("is called ", "is in ", "is ", "are ", "says "):
                bare = bare.removeprefix(verb)
            bare = bare.strip('"「」')
            ended = bare + ("です。" if item.language == "ja" else ".")
            for response in (bare, ended, f"I think: {ended}"):
                assert accepts(response, item.reference, item.accepted, asked), (item.id, response)
        assert not accepts(item.instruction, item.reference, item.accepted, asked), item.id


@pytest.mark.parametrize(
    ("response", "right"),
    [
        ("Tokyo.", True),
        ("Not Osaka but Tokyo.", True),
        ("Tokyo or Osaka.", False),
        ("大阪ではなく東京です。", True),
        ("東京か大阪です。", False),
    ],
)
def test_two_candidates_are_no_answer_and_a_denied_one_is_none(response: str, right: bool) -> None:
    reference = "東京です。" if response.endswith("。") else "It is Tokyo."
    assert accepts(response, reference, ("東京",) if response.endswith("。") else ("is Tokyo",)) is right


def test_without_key_words_only_the_reference_is_right() -> None:
    assert not accepts(ITEM.reference, ITEM.reference, ())


def test_f1_and_chrf_run_from_nothing_to_the_same() -> None:
    assert character_f1("猫です", "猫です。") == pytest.approx(1.0)
    assert character_f1("犬", "猫") == 0.0
    assert chrf("猫は魚が好きです。", "猫は魚が好きです") == pytest.approx(100.0)
    assert 0 < chrf("猫は肉が好きです", "猫は魚が好きです") < 100
    assert chrf("", "猫") == 0.0


SPEAKS = [
    ("はい、大丈夫です。", "ja", "はい。", ""),
    ("富士山", "ja", "富士山です。", ""),
    ("1868", "ja", "1868年です。", ""),
    ("1868", "en", "It was 1868.", ""),
    ("Tokyo", "en", "Tokyo.", ""),
    ("The word 猫 means cat.", "en", "Cat.", "What does 猫 mean?"),
    ("cat は猫です。", "ja", "猫です。", "cat は日本語で?"),
    ("Yes, it is safe for them.", "en", "Yes.", ""),
]
STRAYS = [
    ("Yes, it is safe for them.", "ja", "はい。", ""),
    ("はい、大丈夫です。", "en", "Yes.", ""),
    ("Yes, it is 大丈夫 for them.", "en", "Yes.", ""),
    ("はい、cats should not eat this, 気をつけて。", "ja", "はい。", ""),
    ("你们可以吃这个。", "ja", "はい。", ""),
    ("Tokyo", "ja", "東京です。", ""),
    ("", "en", "Yes.", ""),
]


@pytest.mark.parametrize(("response", "language", "reference", "asked"), SPEAKS)
def test_the_asked_language(response: str, language: str, reference: str, asked: str) -> None:
    assert is_in_language(response, language, reference, asked)


@pytest.mark.parametrize(("response", "language", "reference", "asked"), STRAYS)
def test_another_or_a_mixed_language(response: str, language: str, reference: str, asked: str) -> None:
    assert not is_in_language(response, language, reference, asked)


LOOPS = [
    "the cat " * 12,
    "猫は猫は猫は猫は猫は猫は猫は",
    "Yes. It is safe to eat. It is safe to eat. It is safe to eat. It is s",
    "1" * 40,
    "好きです。" * 6,
    "A cat eats fish and rice. " * 3,
    "It sleeps on a mat and it sleeps on a rug and " + "it sleeps on a mat and it sleeps on a rug or " * 4,
]
NO_LOOPS = [
    "", "わんわん", "ha ha ha", "はははははは", "Wait......", "---", "Bye bye!",
    " ".join(f"You can play with a {toy}." for toy in ("ball", "string", "box", "feather", "mouse")),
    "1. 水を替える。2. トイレを掃除する。3. 爪を切る。4. ブラシをかける。",
    "Monday: fish. Tuesday: fish. Wednesday: rice. Thursday: fish.",
    "No, no, no: never give it onions.",
    "春の猫 春の日だまり 春の夢",
    "100000000",
]  # fmt: skip


@pytest.mark.parametrize("response", LOOPS)
def test_loops(response: str) -> None:
    assert is_looping(response)


@pytest.mark.parametrize("response", NO_LOOPS)
def test_what_repeats_with_reason_is_no_loop(response: str) -> None:
    assert not is_looping(response)


def test_a_good_answer_has_all_its_scores() -> None:
    made = score(ITEM, said("No, the kidneys may be damaged."), ended=True)
    assert (made.correct, made.exact, made.accepted) == (True, False, True)
    assert (made.language_ok, made.looping, made.empty, made.leaked, made.tags_ok) == (True, False, False, False, True)


def test_bad_habits_are_seen() -> None:
    assert score(ITEM, said(" 。"), ended=True).empty
    assert not score(ITEM, said("Kidneys"), ended=False).ended
    leaked = score(ITEM, said("Kidneys <|language|>", leaked=True), ended=True)
    assert leaked.leaked
    assert leaked.correct is False
    wrong_tags = said(ITEM.reference, AnswerTags("", "creative", "en"))
    assert score(ITEM, wrong_tags, ended=True).tags_ok is False


def test_a_creative_answer_is_neither_right_nor_wrong() -> None:

    made = score(replace(ITEM, category="creative"), said("A poem."), ended=True)
    assert made.correct is None
