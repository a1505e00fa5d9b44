"""The benchmark's fixed questions: load a pool and verify its checksum.

A version is a folder (`v2/`) with one JSON Lines file per pool and a `manifest.json` of checksums. The pools have
disjoint facts: `selection` is asked every night, `confirmation` only after selection passes, and `score` is read by no
rule and is the only figure shown as the score. All paraphrases and both languages of a fact share one `cluster`:
related questions are not independent evidence.

Nights ask CURRENT_VERSION. Earlier versions stay, because stored reports, verdicts and retired ids name them.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from bonsai.errors import IntegrityError, UsageError
from bonsai.evaluate.statements import Expected
from bonsai.system.files import sha256_file, sha256_json, write_json_atomic
from bonsai.system.json_values import from_values, to_values

Pool = Literal["selection", "confirmation", "score"]
POOLS: tuple[Pool, ...] = ("selection", "confirmation", "score")
Domain = Literal[
    "cat_care", "general", "translation", "language", "ask_back",
    "control", "reading", "classification", "brainstorming", "unanswerable",
]  # fmt: skip
DOMAINS: tuple[Domain, ...] = get_args(Domain)
"`control` asks facts of the kinds that the samples teach, which nothing teaches: what they gain is form."
VERSIONS = ("v1", "v2")
CURRENT_VERSION = VERSIONS[-1]


@dataclass(frozen=True, slots=True)
class Item:
    """One benchmark item."""

    id: str
    pool: str
    "A pool of POOLS, or `owner` for the personal set."
    cluster: str
    "The fact: shared by all of its paraphrases and both languages."
    domain: str
    category: str
    "Expected category of the answer."
    language: str
    "Expected language of the answer: ja or en."
    question_language: str
    instruction: str
    input: str
    reference: str
    accepted: tuple[str, ...]
    "Keywords of v1 and of the personal set: an answer that states one is right; empty: only the reference is."
    expected: Expected | None = None
    "What a right answer states, in items since v2; None for creative ones, which have no right answer."


@dataclass(frozen=True, slots=True)
class PoolSum:
    """Manifest entry of one pool's file."""

    sha256: str
    items: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Checksums of a version's files."""

    version: str
    pools: Mapping[str, PoolSum]

    @property
    def questions_hash(self) -> str:
        """Hash of all questions; reports are comparable only if it is equal."""
        return sha256_json({name: pool.sha256 for name, pool in self.pools.items()})


def set_name(pool: str, version: str = CURRENT_VERSION) -> str:
    """Name of a pool's question set, e.g. `v2/selection`."""
    return f"{version}/{pool}"


def version_folder(version: str = CURRENT_VERSION) -> Path:
    """Folder of a bundled version."""
    return Path(str(resources.files(__package__) / version))


def versions() -> tuple[str, ...]:
    """All bundled versions, the oldest first."""
    folders = Path(str(resources.files(__package__))).glob("v*/manifest.json")
    return tuple(sorted((path.parent.name for path in folders), key=lambda name: int(name[1:])))


def pools() -> tuple[Pool, ...]:
    """Pools in the order in which a night opens them."""
    return POOLS


@cache
def manifest(version: str = CURRENT_VERSION, folder: Path | None = None) -> Manifest:
    """Manifest of a version. Raises IntegrityError if it is missing or inconsistent."""
    path = (folder or version_folder(version)) / "manifest.json"
    if not path.is_file():
        raise IntegrityError("questions.no_manifest", path=path)
    try:
        values = json.loads(path.read_text("utf-8"))
        found = from_values(Manifest, values)
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError("questions.broken_manifest", path=path) from error
    if values.get("questions_hash") != found.questions_hash or set(found.pools) != set(POOLS):
        raise IntegrityError("questions.broken_manifest", path=path)
    return found


def questions_hash(version: str = CURRENT_VERSION) -> str:
    """Hash of all questions of a version."""
    return manifest(version).questions_hash


@cache
def load(pool: str, version: str = CURRENT_VERSION, folder: Path | None = None) -> tuple[Item, ...]:
    """Items of one pool, in their fixed order.

    Raises UsageError for an unknown pool, IntegrityError if the file is missing or its checksum differs.
    """
    if pool not in POOLS:
        raise UsageError("questions.unknown_pool", pool=pool, known=", ".join(POOLS))
    path = (folder or version_folder(version)) / f"{pool}.jsonl"
    if not path.is_file():
        raise IntegrityError("questions.no_pool_file", path=path)
    expected, actual = manifest(version, folder).pools[pool].sha256, sha256_file(path)
    if actual != expected:
        raise IntegrityError("questions.altered", path=path, expected=expected[:12], actual=actual[:12])
    return tuple(item_from_json(line) for line in path.read_text("utf-8").splitlines())


def verify(version: str = CURRENT_VERSION) -> str:
    """Verify all pools; returns one line for display. Raises IntegrityError if one is missing or altered."""
    items = sum(len(load(pool, version)) for pool in POOLS)
    return f"{version} {questions_hash(version)[:12]}, {items} items"


def item_from_json(line: str) -> Item:
    """One stored line as an Item; the inverse of `item_to_json`."""
    return from_values(Item, json.loads(line))


def item_to_json(item: Item) -> str:
    """One item as a line of JSON, readable and with its fields in order."""
    return json.dumps(item_values(item), ensure_ascii=False)


def item_values(item: Item) -> dict[str, Any]:
    """The item as JSON values, without a missing `expected`: the hashes of items from before that field stay valid."""
    values: dict[str, Any] = to_values(item)
    if item.expected is None:
        del values["expected"]
    return values


def write_manifest(folder: Path, version: str = CURRENT_VERSION) -> Manifest:
    """Write the manifest of the pool files in `folder`; written last, because nothing is read without it."""
    made = Manifest(version, {pool: _sum(folder / f"{pool}.jsonl") for pool in POOLS})
    content = {**to_values(made), "questions_hash": made.questions_hash}
    write_json_atomic(folder / "manifest.json", content)
    return made


def _sum(path: Path) -> PoolSum:
    """Checksum and counts of one pool's file."""
    items = [item_from_json(line) for line in path.read_text("utf-8").splitlines()]
    return PoolSum(sha256_file(path), len(items), len({item.cluster for item in items}))


CLOSED = ("confirmation", "score")
"Their items are never shown."
SPLIT = ("selection", "confirmation")
"Facts move between these when the split is redrawn."
SEALED = "sealed"


@cache
def items(pool: str, dealing: int = 0, version: str = CURRENT_VERSION) -> tuple[Item, ...]:
    """Items of a pool in a split; those of a closed pool are sealed.

    Raises UsageError for an unknown pool, IntegrityError for altered questions.
    """
    items = _split(dealing, version)[pool] if dealing and pool in SPLIT else load(pool, version)
    return tuple(seal(item) for item in items) if pool in CLOSED else items


def is_closed(question_set: str) -> bool:
    """Whether a question set ("v2/confirmation") belongs to a closed pool, of any version."""
    version, _, pool = question_set.rpartition("/")
    return pool in CLOSED and version in VERSIONS


def seal(item: Item) -> Item:
    """The same item under ids that reveal nothing."""
    return replace(item, id=seal_name(item.id), cluster=seal_name(item.cluster))


def seal_name(name: str) -> str:
    """The hash of a name."""
    return f"{SEALED}/{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def open_and_sealed_ids(ids: Iterable[str]) -> frozenset[str]:
    """Open and sealed ids of the items in every version, so that a question left out stays so."""
    given = frozenset(ids)
    return given.union(*(names for names in _names_by_question() if given & names))


@cache
def _names_by_question() -> tuple[frozenset[str], ...]:
    """The open and sealed ids of each question; versions that share a question have an id each."""
    names: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for version in VERSIONS:
        for item in (item for pool in POOLS for item in load(pool, version)):
            names[item.instruction, item.input, item.language] |= {item.id, seal_name(item.id)}
    return tuple(map(frozenset, names.values()))


def all_questions() -> tuple[Item, ...]:
    """The items of the current version, and those of earlier ones that it does not ask; closed ones are sealed."""
    found: dict[tuple[str, str, str], Item] = {}
    for version in reversed(VERSIONS):
        for item in (item for pool in POOLS for item in items(pool, version=version)):
            found.setdefault((item.instruction, item.input, item.language), item)
    return tuple(found.values())


@cache
def _split(dealing: int, version: str) -> dict[str, tuple[Item, ...]]:
    """Redraw both pools; confirmation keeps its number of facts of each kind."""
    clusters: dict[str, list[Item]] = defaultdict(list)
    for pool in SPLIT:
        for item in load(pool, version):
            clusters[item.cluster].append(item)
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for cluster, items in clusters.items():
        kinds[tuple(sorted(f"{item.domain}/{item.language}" for item in items))].append(cluster)
    confirming: set[str] = set()
    for members in kinds.values():
        places = sum(clusters[name][0].pool == "confirmation" for name in members)
        confirming.update(sorted(members, key=lambda name: _draw(version, dealing, name))[:places])
    dealt = {name: [replace(one, pool=SPLIT[name in confirming]) for one in items] for name, items in clusters.items()}
    return {pool: tuple(one for items in dealt.values() for one in items if one.pool == pool) for pool in SPLIT}


def _draw(version: str, dealing: int, cluster: str) -> str:
    return hashlib.sha256(f"{version} {dealing} {cluster}".encode()).hexdigest()
