"""Question pools of a night, and sealed ids for the closed ones.

Selection is inspected every night, item by item. Confirmation returns pass or fail, and every holdout access is
counted; after enough of them, selection and confirmation are *split* again by fact, so that nobody adapts to the few
that confirm. The split number alone decides: two homes with the same number ask the same. A new split makes other
question sets, so champion and anchor are scored again (reports are keyed by the questions' hash). A question cannot
become unseen again, and the score pool is never redrawn.

Ids reveal the question ("capital:Japan"), so items of closed pools are *sealed*: reports, jobs and logs use hashed ids
and store no answers. The idea of a holdout that answers rarely and tersely: Dwork et al., "The reusable holdout",
Science 2015.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from bonsai.evaluate import questions
from bonsai.evaluate.questions import CURRENT_VERSION, Item

CLOSED = ("confirmation", "score")
"Their items are never shown."
SPLIT = ("selection", "confirmation")
"Facts move between these when the split is redrawn."
SEALED = "sealed"


@cache
def items(pool: str, dealing: int = 0) -> tuple[Item, ...]:
    """Items of a pool in a split; those of a closed pool are sealed.

    Raises UsageError for an unknown pool, IntegrityError for altered questions.
    """
    items = _split(dealing)[pool] if dealing and pool in SPLIT else questions.load(pool)
    return tuple(seal(item) for item in items) if pool in CLOSED else items


def is_closed(sheet: str) -> bool:
    """Whether a question set ("v1/confirmation") belongs to a closed pool."""
    return sheet.rpartition("/")[2] in CLOSED and sheet.startswith(f"{CURRENT_VERSION}/")


def seal(item: Item) -> Item:
    """The same item under ids that reveal nothing."""
    return replace(item, id=seal_name(item.id), cluster=seal_name(item.cluster))


def seal_name(name: str) -> str:
    """The hash of a name."""
    return f"{SEALED}/{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def open_and_sealed_ids(ids: Iterable[str]) -> frozenset[str]:
    """Open and sealed ids of the items, so that an item left out stays so in every split."""
    given = frozenset(ids)
    sealed_of = {item.id: seal_name(item.id) for pool in questions.pools() for item in questions.load(pool)}
    known = {name for pair in sealed_of.items() for name in pair if given.intersection(pair)}
    return given | known


@cache
def _split(dealing: int) -> dict[str, tuple[Item, ...]]:
    """Redraw both pools; confirmation keeps its number of facts of each kind."""
    clusters: dict[str, list[Item]] = defaultdict(list)
    for pool in SPLIT:
        for item in questions.load(pool):
            clusters[item.cluster].append(item)
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for cluster, items in clusters.items():
        kinds[tuple(sorted(f"{item.domain}/{item.language}" for item in items))].append(cluster)
    confirming: set[str] = set()
    for members in kinds.values():
        places = sum(clusters[name][0].pool == "confirmation" for name in members)
        confirming.update(sorted(members, key=lambda name: _draw(dealing, name))[:places])
    dealt = {name: [replace(one, pool=SPLIT[name in confirming]) for one in items] for name, items in clusters.items()}
    return {pool: tuple(one for items in dealt.values() for one in items if one.pool == pool) for pool in SPLIT}


def _draw(dealing: int, cluster: str) -> str:
    return hashlib.sha256(f"{CURRENT_VERSION} {dealing} {cluster}".encode()).hexdigest()
