"""A blind review's promises: the same after a break, different between persons, and honest about how sure it is."""

from __future__ import annotations

from collections import Counter

import pytest
from scipy.stats import binomtest

from bonsai.evaluate import blind_review
from bonsai.evaluate.blind_review import ROUND, BlindQuestion, Tally
from bonsai.evaluate.statistics import exact_interval


def question(number: int, fact: int) -> BlindQuestion:
    return BlindQuestion(
        f"v1/{number}", f"fact{fact}", "en", "en", f"What is {number}?", "x", f"old {number}", f"new {number}"
    )


QUESTIONS = [question(number, number // 3) for number in range(150)]


def test_a_round_is_one_of_each_fact_before_a_second_one() -> None:
    found = blind_review.round_of(QUESTIONS, "adapter", "mika")
    assert len(found) == ROUND
    assert len({one.cluster for one in found}) == ROUND
    few = blind_review.round_of(QUESTIONS[:12], "adapter", "mika")
    assert [len({one.cluster for one in few[start : start + 4]}) for start in (0, 4, 8)] == [4, 4, 4]


def test_the_order_is_the_persons_own_and_stays() -> None:
    mine = blind_review.round_of(QUESTIONS, "adapter", "mika")
    assert blind_review.round_of(QUESTIONS[::-1], "adapter", "mika") == mine
    assert blind_review.round_of(QUESTIONS, "adapter", "tom") != mine
    assert blind_review.round_of(QUESTIONS, "other", "mika") != mine


def test_neither_side_nor_person_gives_the_challenger_away() -> None:
    sides = Counter(blind_review.challenger_is_left("adapter", "mika", one.item) for one in QUESTIONS)
    assert binomtest(sides[True], 150).pvalue > 0.001
    persons = [blind_review.challenger_is_left("adapter", name, "v1/7") for name in map(str, range(40))]
    assert len(set(persons)) == 2
    first = [blind_review.challenger_is_left("adapter", name, blind_review.round_of(QUESTIONS, "adapter", name)[0].item)
             for name in map(str, range(200))]  # fmt: skip
    assert binomtest(sum(first), 200).pvalue > 0.001, "the order of the questions says nothing about the sides"


def test_the_chosen_side_is_the_answer_that_stood_there() -> None:
    for one in QUESTIONS:
        shown = blind_review.blind(one, "adapter", "mika")
        for side, said in (("left", shown.left), ("right", shown.right)):
            chosen = blind_review.preferred(side, "adapter", "mika", one.item)  # type: ignore[arg-type]
            assert said == (one.challenger if chosen == "challenger" else one.champion)
        assert blind_review.preferred("same", "adapter", "mika", one.item) == "same"


@pytest.mark.parametrize(("hits", "trials"), [(0, 1), (3, 3), (0, 30), (15, 30), (29, 30), (30, 30), (90, 400)])
def test_the_interval_is_clopper_and_pearsons(hits: int, trials: int) -> None:
    expected = binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert exact_interval(hits, trials) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_interval_and_the_sign_test_say_the_same() -> None:
    assert exact_interval(0, 0) == (0.0, 1.0)
    for trials in (1, 5, 6, 12, 30):
        for hits in range(trials + 1):
            finding = Tally(hits, trials - hits, 4).finding
            shown = binomtest(hits, trials).pvalue < 0.05
            assert shown == (finding != "unclear")
            assert not shown or finding == ("challenger" if hits * 2 > trials else "champion")


def test_ties_are_counted_and_left_out_of_the_share() -> None:
    found = blind_review.tally(["same", "challenger", "challenger", "champion", "same"])
    assert found == Tally(2, 1, 2)
    assert found.share == pytest.approx(2 / 3)
    assert Tally(0, 0, 5).share is None
    assert Tally(0, 0, 5).finding == "unclear"
