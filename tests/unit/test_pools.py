"""The pools of the benchmark: sealed where they are closed, and dealt anew without changing what they measure."""

from __future__ import annotations

from collections import Counter

import pytest

from bonsai.evaluate import questions
from bonsai.evaluate.evaluation import fixed_question_set
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import items_hash

DEALINGS = (0, 1, 2, 3)


def kinds(items: tuple[Item, ...]) -> Counter[tuple[str, str]]:
    return Counter((item.domain, item.language) for item in items)


@pytest.mark.parametrize("pool", questions.CLOSED)
def test_the_names_of_a_closed_pool_say_nothing(pool: str) -> None:
    items = questions.items(pool)
    told = questions.load(pool)
    assert [(one.instruction, one.reference) for one in items] == [(one.instruction, one.reference) for one in told]
    assert all(one.id.startswith("sealed/") and one.cluster.startswith("sealed/") for one in items)
    assert len({one.id for one in items}) == len(told)
    assert len({one.cluster for one in items}) == len({one.cluster for one in told})


def test_the_first_dealing_is_the_one_that_ships() -> None:
    assert questions.items("selection", 0) == questions.load("selection")


@pytest.mark.parametrize("dealing", DEALINGS)
def test_a_dealing_keeps_sizes_and_kinds_and_splits_no_fact(dealing: int) -> None:
    selection, confirmation = (
        questions.items("selection", dealing),
        questions.items("confirmation", dealing),
    )
    assert kinds(selection) == kinds(questions.load("selection"))
    assert kinds(confirmation) == kinds(questions.load("confirmation"))
    assert not {questions.seal_name(one.cluster) for one in selection} & {one.cluster for one in confirmation}
    everything = {one.instruction for pool in ("selection", "confirmation") for one in questions.load(pool)}
    assert {one.instruction for one in (*selection, *confirmation)} == everything


def test_each_dealing_confirms_with_other_facts_and_has_another_hash() -> None:
    confirming = [{one.cluster for one in questions.items("confirmation", dealing)} for dealing in DEALINGS]
    assert all(len(one & other) < 0.6 * len(one) for one in confirming for other in confirming if one is not other)
    hashes = {items_hash(questions.items(pool, dealing)) for pool in questions.SPLIT for dealing in DEALINGS}
    assert len(hashes) == 2 * len(DEALINGS), "every model is scored again"


def test_the_score_pool_is_never_dealt() -> None:
    assert {questions.items("score", dealing) for dealing in DEALINGS} == {questions.items("score")}


def test_an_item_that_is_left_out_is_so_under_both_names() -> None:
    item = next(one for one in questions.load("confirmation") if one.domain == "reading")
    both = {item.id, questions.seal_name(item.id)}
    assert (
        questions.open_and_sealed_ids([item.id])
        == questions.open_and_sealed_ids([questions.seal_name(item.id)])
        == both
    )
    assert questions.open_and_sealed_ids(["own/1"]) == {"own/1"}


def test_a_question_that_retired_under_an_earlier_version_stays_left_out() -> None:
    item = questions.load("confirmation", "v1")[0]
    now = f"v2/{item.id.partition('/')[2]}"
    names = {name for one in (item.id, now) for name in (one, questions.seal_name(one))}
    assert all(questions.open_and_sealed_ids([name]) == names for name in names)


def test_the_questions_of_every_version_are_guarded_once() -> None:
    guarded = [(one.instruction, one.input, one.language) for one in questions.all_questions()]
    assert len(set(guarded)) == len(guarded)
    asked = {one for version in questions.VERSIONS for pool in questions.POOLS for one in questions.load(pool, version)}
    assert {(one.instruction, one.input, one.language) for one in asked} == set(guarded)
    closed = [one.id for one in questions.all_questions() if one.pool in questions.CLOSED]
    assert all(one.startswith("sealed/") for one in closed)


def test_an_earlier_version_keeps_its_names_and_its_splits() -> None:
    assert questions.items("selection", 0, "v1") == questions.load("selection", "v1")
    assert fixed_question_set("v1/selection").items == questions.load("selection", "v1")
    first = "31fed456653f1887ec4e24c37a26e1a54b5f79d2c404088a74c042b83a7d31f3"  # in the reports of version 0.1.0
    assert items_hash(questions.items("selection", 1, "v1")) == first


def test_only_the_closed_pools_of_the_fixed_questions_are_closed() -> None:
    names = ("v2/selection", "v2/confirmation", "v2/score", "suite", "confirmation", "v1/selection", "v1/score")
    assert [questions.is_closed(one) for one in names] == [
        False,
        True,
        True,
        False,
        False,
        False,
        True,
    ]
