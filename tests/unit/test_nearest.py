"""Which records are most like a question."""

from __future__ import annotations

from bonsai.ingest.dedup.ngrams import nearest

TOLD = [
    "Why does Mike sneeze? Mike sneezes because of the dust in the litter.",
    "Where does Tama sleep? Tama sleeps on the piano.",
    "ミケはなぜくしゃみをしますか?猫砂のほこりのせいです。",
    "Why is Mike so loud at night? Mike sings because he is bored.",
]


def test_the_likest_text_comes_first_in_either_language() -> None:
    english, japanese = nearest(
        ["What makes Mike sneeze?", "ミケがくしゃみをするのはどうして?"], TOLD, most=2, at_least=0.05
    )  # fmt: skip
    assert english[0].number == 0
    assert english[0].likeness > english[1].likeness
    assert [one.number for one in japanese] == [2]


def test_what_every_text_says_weighs_little() -> None:
    told = [f"My cat {name} eats {food}." for name, food in zip("ABCDEFGH", ["tuna"] * 7 + ["liver"], strict=True)]
    (found,) = nearest(["Which cat eats liver?"], told, most=1, at_least=0.0)
    assert found[0].number == 7


def test_nothing_alike_is_nothing_found() -> None:
    assert nearest(["東京"], TOLD, most=3, at_least=0.05) == [()]
    assert nearest(["a question"], [], most=3, at_least=0.0) == [()]
    assert nearest([], TOLD, most=3, at_least=0.0) == []


def test_a_text_that_says_all_of_it_is_as_like_as_can_be() -> None:
    (found,) = nearest(["tama sleeps ON the piano"], TOLD, most=1, at_least=0.9)
    assert (found[0].number, round(found[0].likeness, 6)) == (1, 1.0)
