"""Which questions a pool asks tonight, and under which names the closed pools do so.

Selection is looked at every night, item by item. Confirmation answers pass or fail, and every look into it is counted;
after enough of them selection and confirmation are *dealt* anew, fact by fact, so that nobody can get used to the few
that confirm. The dealing number alone decides, hence two homes with the same number ask the same. A new dealing is
other sheets: champion and anchor are scored again, because reports are kept by their questions' hash. It cannot make a
question unseen again, and the score pool is never dealt.

Ids say what is asked ("capital:Japan"), so the items of a closed pool are *sealed*: reports, jobs and logs know them by
a hash, and keep no answer to them. The idea of a hold-out that answers rarely and tersely: Dwork et al., "The reusable
holdout", Science 2015.
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
"No item of these is ever shown."
SPLIT = ("selection", "confirmation")
"A fact changes places between these."
SEALED = "sealed"


@cache
def items(pool: str, dealing: int = 0) -> tuple[Item, ...]:
    """The questions of a pool in a dealing; those of a closed pool sealed.

    Raises UsageError for an unknown pool, IntegrityError for altered questions.
    """
    items = _split(dealing)[pool] if dealing and pool in SPLIT else questions.load(pool)
    return tuple(sealed(item) for item in items) if pool in CLOSED else items


def is_closed(sheet: str) -> bool:
    """Whether a sheet ("v1/confirmation") asks a closed pool."""
    return sheet.rpartition("/")[2] in CLOSED and sheet.startswith(f"{CURRENT_VERSION}/")


def sealed(item: Item) -> Item:
    """The same question under names that say nothing."""
    return replace(item, id=sealed_name(item.id), cluster=sealed_name(item.cluster))


def sealed_name(name: str) -> str:
    """A hash in place of a name."""
    return f"{SEALED}/{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def under_both_names(ids: Iterable[str]) -> frozenset[str]:
    """The same items by their open and their sealed ids: an item that is left out stays so in every dealing."""
    given = frozenset(ids)
    sealed_of = {item.id: sealed_name(item.id) for pool in questions.pools() for item in questions.load(pool)}
    known = {name for pair in sealed_of.items() for name in pair if given.intersection(pair)}
    return given | known


@cache
def _split(dealing: int) -> dict[str, tuple[Item, ...]]:
    """Both pools dealt anew: of each kind of fact as many stay in confirmation as it ships with."""
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
