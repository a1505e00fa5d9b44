"""Which records a question is about: stems, characters, and what the thesaurus knows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import pytest

from bonsai.ingest import retrieval
from bonsai.ingest.retrieval import THESAURUS, fold, groups_of, rank, read_group, terms_of, thesaurus

TOLD = (
    "Mike Why does Mike sneeze? Dust in the litter.",
    "Mike Which vet do we go to? Ms Adeyemi at Tannery Yard",
    "ミケ 好きなおもちゃは? 赤い羽根のじゃらし",
    "ミケ 体重は? 4.2キロ",
)


def first(question: str) -> int | None:
    found = rank(question, TOLD, most=1, at_least=0.05)
    return found[0].number if found else None


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("sneezing again", 0),  # a stem
        ("which surgery do I ring", 1),  # the thesaurus
        ("動物病院はどこ?", 1),  # in the other language
        ("オモチャは何色だっけ", 2),  # katakana is hiragana, and a colour stands in the answer
        ("どれくらい重いの?", 3),
        ("quantum electrodynamics", None),
        ("???", None),
    ],
)
def test_a_question_finds_its_record_in_other_words(question: str, number: int | None) -> None:
    assert first(question) == number


def test_likeness_is_a_share_and_the_best_comes_first() -> None:
    found = rank("Why does Mike sneeze?", TOLD, most=4, at_least=0.0)
    assert found[0].number == 0
    assert all(0 < one.likeness <= 1 for one in found)
    assert [one.likeness for one in found] == sorted((one.likeness for one in found), reverse=True)
    assert rank("Mike", [], most=3, at_least=0.0) == ()
    assert len(rank("Mike", TOLD, most=1, at_least=0.0)) == 1


def test_terms_have_no_word_of_the_grammar() -> None:
    assert terms_of(fold("Where's the Cat's bowl?")) == [" cat ", " bowl "]
    assert terms_of(fold("薬は")) == ["薬は", "薬"]


def test_a_line_of_the_thesaurus() -> None:
    same = read_group("vet, the surgery, 動物病院")
    assert same.asked == same.told == (" vet ", " the surgeri ", "動物病院")
    directed = read_group("何色, what colour > red, 赤")
    assert directed.asked == ("何色", " what colour ")
    assert directed.told == (" red ", "赤")
    assert directed.words == ("red", "赤")


def test_threads_do_not_mix_up_their_words() -> None:
    words = [
        f"{word}{ending}" for word in ("sneez", "limp", "vaccinat", "graz", "settl") for ending in ("ing", "ed", "es")
    ]
    alone = [retrieval._stem.__wrapped__(word) for word in words]
    with ThreadPoolExecutor(8) as pool:
        beside = list(pool.map(retrieval._stem.__wrapped__, words * 400))
    assert beside == alone * 400


def test_a_word_in_several_groups_counts_once() -> None:
    found = groups_of(fold("the vet"))
    assert set(found) == {" vet "}
    assert len(found[" vet "]) > 1


def test_every_line_of_the_thesaurus_can_be_used() -> None:
    files = [file for file in resources.files("bonsai.ingest").joinpath(THESAURUS).iterdir()]
    for file in files:
        lines = file.read_text("utf-8").splitlines()
        assert len(lines) == len(set(lines)), file.name
        for line in lines:
            words = line.replace(" > ", ", ").split(", ")
            assert all(word == word.strip() != "" for word in words), (file.name, line)
            assert len(words) > 1, (file.name, line)
    assert all(group.asked and group.told for group in thesaurus())
