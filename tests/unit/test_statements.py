"""Scoring 2 agrees with hand-judged answers, and with the sources of benchmark 2.

a, b and c have 160 answers each, half of them English, with keys of their own. a and b were read while the rules were
written. c agreed in 137 of 160 while it was unseen at the time, and is development data since then.

d and e have 230 answers each to the pools' own questions, judged without sight of the keys: 120 Japanese ones in the
manner of assistants, 110 English ones that SmolLM2-135M-Instruct wrote. d agreed in 203 (88 %) while it was unseen, and
is development data since then, read for the keys of benchmark 1's questions. e, other questions mostly, was judged
after that and nothing was changed for it: 224 (97 %) is the figure to expect of new answers.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bonsai.evaluate import questions
from bonsai.evaluate.statements import Expected, Kind, is_right

TESTS = Path(__file__).parents[1]
SOURCES = sorted((TESTS.parent / "research" / "benchmark_v2").glob("*.toml"))


@dataclass(frozen=True)
class Item:
    """One question of a source in one language."""

    name: str
    question: str
    reference: str
    expected: Expected


def expected_of(row: dict[str, Any], kind: Kind) -> Expected:
    return Expected(tuple(map(tuple, row["accepted"])), tuple(row.get("wrong", ())), row.get("at_least", 0), kind)


def items_of(source: Path) -> Iterator[Item]:
    for fact in tomllib.loads(source.read_text(encoding="utf-8"))["fact"]:
        if "kind" not in fact:
            continue  # judged by its form, not by what it states
        for language in ("en", "ja"):
            row = fact[language]
            yield Item(f"{fact['name']}.{language}", row["question"], row["reference"], expected_of(row, fact["kind"]))


ITEMS = [item for source in SOURCES for item in items_of(source)]
POOLED = {item.id: item for pool in questions.POOLS for item in questions.load(pool)}


def judged(file: str) -> list[dict[str, Any]]:
    text = (TESTS / "unit" / "data" / f"judged_answers_{file}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("file", "at_least"), [("a", 158), ("b", 158), ("c", 156)])
def test_agrees_with_hand_judged_answers(file: str, at_least: int) -> None:
    rows = judged(file)
    disagreed = [
        f"{row['answer']} ({row['why']})"
        for row in rows
        if is_right(row["answer"], expected_of(row, row["kind"]), row["question"]) != row["right"]
    ]

    assert len(rows) == 160
    assert len(rows) - len(disagreed) >= at_least, "\n".join(disagreed)


@pytest.mark.parametrize(("file", "at_least"), [("d", 226), ("e", 224)])
def test_agrees_with_judged_answers_to_the_pools_own_questions(file: str, at_least: int) -> None:
    rows = judged(file)
    disagreed = [
        f"{row['answer']} ({row['why']})"
        for row in rows
        if is_right(row["answer"], (item := POOLED[row["item"]]).expected or Expected(), item.instruction)
        != row["right"]
    ]

    assert len(rows) == 230
    assert len(rows) - len(disagreed) >= at_least, "\n".join(disagreed)


def test_reads_every_source() -> None:
    assert len(SOURCES) == 9
    assert len(ITEMS) == 556


def test_every_reference_is_right() -> None:
    assert [item.name for item in ITEMS if not is_right(item.reference, item.expected, item.question)] == []


def test_every_accepted_spelling_alone_is_right() -> None:
    alone = [
        (item, spelling)
        for item in ITEMS
        if item.expected.kind == "states" and 1 in (item.expected.at_least, len(item.expected.accepted))
        for group in item.expected.accepted
        for spelling in group
    ]

    assert alone
    assert [(i.name, spelling) for i, spelling in alone if not is_right(spelling, i.expected, i.question)] == []


def test_every_rival_alone_is_wrong() -> None:
    alone = [(item, rival) for item in ITEMS for rival in item.expected.wrong]

    assert alone
    assert [(item.name, rival) for item, rival in alone if is_right(rival, item.expected, item.question)] == []


def test_every_spelling_and_rival_of_the_pools_is_what_it_says() -> None:
    """The pools' keys, most of which no source above holds."""
    wrong: list[tuple[str, str]] = []
    for item in POOLED.values():
        if (expected := item.expected) is None:
            continue
        if expected.kind == "states" and 1 in (expected.at_least, len(expected.accepted)):
            spellings = (spelling for group in expected.accepted for spelling in group)
            wrong += [(item.id, one) for one in spellings if not is_right(one, expected, item.instruction)]
        wrong += [(item.id, one) for one in expected.wrong if is_right(one, expected, item.instruction)]

    assert wrong == []


TOKYO = Expected((("Tokyo", "東京"),), ("Osaka", "大阪"))
LARGEST = Expected((("Jupiter", "木星"),), ("Saturn", "土星"))
KYOTO = Expected((("京都",),), ("東京",))
LEGS = Expected((("6本", "6"),), ("8本",))
TOXIC = Expected((("no", "toxic", "いいえ", "危険"),), ("yes", "safe", "はい", "安全"))
UNKNOWN = Expected(kind="unknown")
GLASS = Expected((("glass",),), ("wood", "paper"))
LAMPS = Expected((("ランプ",), ("懐中電灯",), ("電灯",), ("ろうそく",)), at_least=3)
OCEAN = Expected((("太平洋",),), ("大西洋",))
OLIVE = Expected((("Olive",),), ("Princess",))
HAND = Expected((("手", "て"),))
DONG = Expected((("ドン",),))
TENTH = Expected((("10%",),))
WHEN = Expected((("when", "what time", "何時", "いつ"),), kind="asks")


@pytest.mark.parametrize(
    ("answer", "expected", "question", "right"),
    [
        ("Tokyo", TOKYO, "", True),
        ("東京は日本の首都です。", TOKYO, "", True),
        ("Is Tokyo the capital?", TOKYO, "Is Tokyo the capital?", False),
        ("Tokyo or Osaka.", TOKYO, "", False),
        ("東京か大阪です。", TOKYO, "", False),
        ("Not Osaka but Tokyo.", TOKYO, "", True),
        ("大阪ではなく東京です。", TOKYO, "", True),
        ("Anything but Tokyo.", TOKYO, "", False),
        ("It can't be anything but Tokyo.", TOKYO, "", True),
        ("Saturn has rings, but Jupiter is larger.", LARGEST, "", True),
        ("土星には環がありますが、一番大きいのは木星です。", LARGEST, "", True),
        ("Tokyo, near Osaka.", TOKYO, "", True),
        ("大阪の隣の東京です。", TOKYO, "", True),
        ("クモが8本で、昆虫は6本です。", LEGS, "昆虫の足は何本ですか？", True),
        ("クモが6本で、昆虫は8本です。", LEGS, "昆虫の足は何本ですか？", False),
        ("It's Osaka. Tokyo is a port.", TOKYO, "", False),
        ("Osaka? No, Tokyo.", TOKYO, "", True),
        ("東京、いや、大阪です。", TOKYO, "", False),
        ("100 cm", Expected((("1 m",),)), "", True),
        ("An hour and a half.", Expected((("90 minutes",),)), "", True),
        ("一時間三十分です。", Expected((("90分",),)), "", True),
        ("60 minutes", Expected((("60 hours",),)), "", False),
        ("三対です。", LEGS, "", True),
        ("3 May 2024", Expected((("2024-05-03",),)), "", True),
        ("令和6年5月3日です。", Expected((("2024-05-03",),)), "", True),
        ("A quarter to seven in the evening.", Expected((("18:45",),)), "", True),
        ("午後7時15分前です。", Expected((("18:45",),)), "", True),
        ("東京都です。", KYOTO, "", False),
        ("Papua New Guinea.", Expected((("Guinea",),)), "", False),
        ("大津市です。", Expected((("津", "津市"),)), "", False),
        ("It isn't.", TOXIC, "", True),
        ("とんでもないです。", TOXIC, "", True),
        ("No problem.", TOXIC, "", False),
        ("Keep it well away from them.", TOXIC, "", True),
        ("飲ませないでください。", TOXIC, "", True),
        ("They avoid it, but it is safe.", TOXIC, "", False),
        ("与えないほうがいいです。", TOXIC, "", True),
        ("It is usually made of wood, glass, and sometimes metal.", GLASS, "", False),
        ("Of wood, glass and paper, it is glass.", GLASS, "", True),
        ("Wood, glass and paper. It is paper.", GLASS, "", False),
        ("ランプと懐中電灯です。", LAMPS, "", False),
        ("ランプ、懐中電灯、ろうそくです。", LAMPS, "", True),
        ("猫を落ち着かせるためです。", Expected((("落ち着",),)), "", True),
        ("Jupiter, followed by Saturn.", LARGEST, "", True),
        ("一番広いのは太平洋です。二番目は大西洋です。", OCEAN, "一番広い海は？", True),
        ("The cat's name is Princess. She's a cat named Olive.", OLIVE, "What is the cat called?", False),
        ("The cat's name is Olive; it was Princess.", OLIVE, "What is the cat called?", True),
        ("て", HAND, "", True),
        ("日本語では「て」です。", HAND, "", True),
        ("それについては知っています。", HAND, "", False),
        ("ドンです。", DONG, "", True),
        ("どんなお金でしょう。", DONG, "", False),
        ("No more than 10%.", TENTH, "", True),
        ("Not more than 10%.", TENTH, "", True),
        ("わかりません。平均は15年ですが、予測することはできません。", UNKNOWN, "", True),
        ("It is not recorded.", UNKNOWN, "", True),
        ("記載はありませんが、5分です。", UNKNOWN, "", False),
        ("Please give me the hour: what time?", WHEN, "", True),
        ("何時に変えますか？", WHEN, "", True),
        ("変更しました。", WHEN, "", False),
    ],
)
def test_rules(answer: str, expected: Expected, question: str, right: bool) -> None:
    assert is_right(answer, expected, question) is right
