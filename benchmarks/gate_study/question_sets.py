"""The question sets of the study: the benchmark's pools, a household's personal set, and rehearsed facts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice

from benchmarks.gate_study import plan
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from research.benchmark_v1 import GENERAL, plain_items
from research.benchmark_v2.build import expected_of
from research.seedling import world
from research.seedling.replay_file import is_asked

SELECTION, CONFIRMATION, SCORE = questions.POOLS
SUITE = "suite"
"The personal set of the bundled household."
REHEARSED = "rehearsed"
"Facts of the seedling's world that replay holds, as many of each family as the selection pool has that it does not."


@cache
def items_of(name: str) -> tuple[Item, ...]:
    """The items of a question set."""
    if name == SUITE:
        return plan.household().suite
    return _rehearsed() if name == REHEARSED else questions.load(name)


@cache
def world_families() -> tuple[str, ...]:
    """Families of world facts that the benchmark asks as general knowledge."""
    asked = {item.cluster.partition(":")[0] for item in items_of(SELECTION) if item.domain == "general"}
    return tuple(family for family in GENERAL if family in asked)


@cache
def unrehearsed() -> frozenset[str]:
    """Ids of the selection pool's world facts, which replay does not hold."""
    among = (item for item in items_of(SELECTION) if item.domain == "general")
    return frozenset(item.id for item in among if item.cluster.partition(":")[0] in world_families())


def _rehearsed() -> tuple[Item, ...]:
    """Asked as the benchmark asks: in a paraphrase that was held out from the pre-training."""
    made: list[Item] = []
    for family in world_families():
        known = (fact for fact in world.general_only() if fact.family == family and not is_asked(fact))
        for fact in islice(known, GENERAL[family][0]):
            made += plain_items(fact, SELECTION)
    return tuple(_graded(item) for item in made)


def _graded(item: Item) -> Item:
    """With the expected statement that benchmark 2 would have."""
    return replace(item, id=f"{REHEARSED}/{item.id}", accepted=(), expected=expected_of(item))
