"""The pools of the benchmark: sealed where they are closed, and dealt anew without changing what they measure."""

from __future__ import annotations

from collections import Counter

import pytest

from bonsai.evaluate import questions
from bonsai.evaluate import questions as evaluate_questions
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import items_hash

DEALINGS = (0, 1, 2, 3)


def kinds(items: tuple[Item, ...]) -> Counter[tuple[str, str]]:
    return Counter((item.domain, item.language) for item in items)


@pytest.mark.parametrize("pool", evaluate_questions.CLOSED)
def test_the_names_of_a_closed_pool_say_nothing(pool: str) -> None:
    items = evaluate_questions.items(pool)
    told = questions.load(pool)
    assert [(one.instruction, one.reference) for one in items] == [(one.instruction, one.reference) for one in told]
    assert all(one.id.startswith("sealed/") and one.cluster.startswith("sealed/") for one in items)
    assert len({one.id for one in items}) == len(told)
    assert len({one.cluster for one in items}) == len({one.cluster for one in told})


def test_the_first_dealing_is_the_one_that_ships() -> None:
    assert evaluate_questions.items("selection", 0) == questions.load("selection")


@pytest.mark.parametrize("dealing", DEALINGS)
def test_a_dealing_keeps_sizes_and_kinds_and_splits_no_fact(dealing: int) -> None:
    selection, confirmation = (
        evaluate_questions.items("selection", dealing),
        evaluate_questions.items("confirmation", dealing),
    )
    assert kinds(selection) == kinds(questions.load("selection"))
    assert kinds(confirmation) == kinds(questions.load("confirmation"))
    assert not {evaluate_questions.seal_name(one.cluster) for one in selection} & {one.cluster for one in confirmation}
    everything = {one.instruction for pool in ("selection", "confirmation") for one in questions.load(pool)}
    assert {one.instruction for one in (*selection, *confirmation)} == everything


def test_each_dealing_confirms_with_other_facts_and_has_another_hash() -> None:
    confirming = [{one.cluster for one in evaluate_questions.items("confirmation", dealing)} for dealing in DEALINGS]
    assert all(len(one & other) < 0.6 * len(one) for one in confirming for other in confirming if one is not other)
    hashes = {
        items_hash(evaluate_questions.items(pool, dealing)) for pool in evaluate_questions.SPLIT for dealing in DEALINGS
    }
    assert len(hashes) == 2 * len(DEALINGS), "every model is scored again"


def test_the_score_pool_is_never_dealt() -> None:
    assert {evaluate_questions.items("score", dealing) for dealing in DEALINGS} == {evaluate_questions.items("score")}


def test_an_item_that_is_left_out_is_so_under_both_names() -> None:
    item = questions.load("confirmation")[0]
    both = {item.id, evaluate_questions.seal_name(item.id)}
    assert (
        evaluate_questions.open_and_sealed_ids([item.id])
        == evaluate_questions.open_and_sealed_ids([evaluate_questions.seal_name(item.id)])
        == both
    )
    assert evaluate_questions.open_and_sealed_ids(["own/1"]) == {"own/1"}


def test_only_the_closed_pools_of_the_fixed_questions_are_closed() -> None:
    names = ("v1/selection", "v1/confirmation", "v1/score", "suite", "confirmation")
    assert [evaluate_questions.is_closed(one) for one in names] == [
        False,
        True,
        True,
        False,
        False,
    ]
