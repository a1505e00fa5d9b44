"""Builds the pools of benchmark 2.

The questions of benchmark 1 keep their pools, so that no fact moves between them. Their keywords find one phrasing
again; what a person accepts stands in `keys/`, by fact. New facts are dealt to the pools domain by domain and family by
family, in an order by the hash of their names: half of them to selection.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from bonsai.evaluate.questions import DOMAINS, POOLS, Item, Pool, item_to_json, write_manifest
from bonsai.evaluate.scoring import bare_value, values_of
from bonsai.evaluate.statements import Expected, Kind
from bonsai.system.files import write_atomic
from research import benchmark_v1
from research.benchmark_v1 import DEALING
from research.samples.facts import BENCHMARK_ROLE, LANGS, Fact, Lang, ask, parse_facts

VERSION = "v2"
CONTROL = "control"
AUTHORED = (
    "general", "unanswerable", "reading", "classification", "brainstorming", "ask_back", "translation", "language",
)  # fmt: skip
"Domains with a file of their own; `control` is in the format of the samples."
ASKED_BACK: Mapping[str, Mapping[Lang, tuple[str, ...]]] = {
    "I want a new": {
        "en": ("for", "use", "purpose", "budget", "cost", "spend", "price"),
        "ja": ("使", "用途", "目的", "予算", "いくら"),
    },
    "makes an odd sound": {
        "en": ("when", "at rest", "moving", "what kind", "how long", "how often"),
        "ja": ("いつ", "休んで", "動く", "動いて", "どんな音", "どのような音"),
    },
    "seems strange": {
        "en": (
            "since when",
            "how long",
            "when did",
            "different",
            "changed",
            "what kind",
            "symptoms",
            "exactly",
            "in what way",
        ),
        "ja": ("いつから", "いつ頃", "いつごろ", "ちが", "違", "変わ", "どんな", "どのよう", "具体的", "症状"),
    },
    "weighs too much": {
        "en": ("weigh", "weight", "eat", "food", "diet", "exercise", "how much", "how old"),
        "ja": ("体重", "食べ", "食事", "えさ", "運動", "どのくらい", "どれくらい", "何歳"),
    },
    "eats less": {
        "en": (
            "how many days",
            "since when",
            "how long",
            "when did",
            "changed",
            "drink",
            "symptoms",
            "what do you feed",
        ),
        "ja": ("何日", "いつから", "いつ頃", "いつごろ", "どのくらい前", "変わ", "水を", "症状", "えさ", "餌"),
    },
    "not want to go out": {
        "en": ("frighten", "frightened", "scared", "since when", "how long", "when did", "outside"),
        "ja": ("こわい", "怖", "外で", "いつから", "何か"),
    },
    "so tired": {
        "en": ("sleep", "fever", "since when", "how long", "when did", "eat", "eating"),
        "ja": ("眠", "寝", "熱", "いつから", "食欲", "食べ"),
    },
    "looks bad": {
        "en": (
            "where",
            "changed",
            "since when",
            "how long",
            "when did",
            "what kind",
            "exactly",
            "symptoms",
            "in what way",
        ),
        "ja": ("どこ", "変わ", "いつから", "いつ頃", "いつごろ", "どんな", "どのよう", "具体的", "症状"),
    },
}
"What a helpful question asks for, by the worry that benchmark 1 tells."
_VALUE = re.compile(r"[。.]?$")


class Asking(TypedDict):
    """A fact's question in one language, as written."""

    question: str
    input: NotRequired[str]
    reference: str
    accepted: Sequence[Sequence[str]]
    wrong: Sequence[str]
    at_least: NotRequired[int]
    answer_language: NotRequired[Lang]


class Keys(TypedDict):
    """What a person accepts for a fact, by the language of the answer, as written in `keys/`."""

    en: NotRequired[Sequence[Sequence[str]]]
    ja: NotRequired[Sequence[Sequence[str]]]
    wrong: NotRequired[Mapping[Lang, Sequence[str]]]
    at_least: NotRequired[int]


class AuthoredFact(TypedDict):
    """A `[[fact]]` table as written."""

    name: str
    family: str
    category: str
    kind: Kind
    en: Asking
    ja: Asking


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact that benchmark 1 does not ask, with its items, not yet in a pool."""

    domain: str
    family: str
    name: str
    items: tuple[Item, ...]


def items() -> list[Item]:
    """Every item of version 2, pool by pool, domain by domain."""
    order: list[str] = [*POOLS, *DOMAINS]
    made = [*old_items(), *new_items()]
    return sorted(made, key=lambda item: (order.index(item.pool), order.index(item.domain), item.cluster, item.id))


def old_items() -> Iterator[Item]:
    """The items of benchmark 1, with expected statements."""
    for item in benchmark_v1.items():
        yield replace(item, id=f"{VERSION}/{item.id.partition('/')[2]}", accepted=(), expected=expected_of(item))


def expected_of(item: Item) -> Expected | None:
    """What a right answer to an item of benchmark 1 states; None for a poem, which has no right answer.

    Without keys of its own it is the value in its keyword, or its reference.
    """
    if item.category == "creative":
        return None
    kind: Kind = "asks" if item.category == "question_to_question" else "states"
    if (written := keys_of(item.cluster, cast("Lang", item.language), kind)) is not None:
        return written
    if kind == "asks":
        return Expected((values_of(item.accepted) or _asked_back(item),), kind=kind)
    return Expected((tuple(map(bare_value, item.accepted)) or (_VALUE.sub("", item.reference),),))


def keys_of(cluster: str, language: Lang, kind: Kind) -> Expected | None:
    """What a person accepts for the fact, if `keys/` says so."""
    keys = written_keys().get(cluster)
    if keys is None or language not in keys:
        return None
    wrong = keys.get("wrong", {}).get(language, ())
    return Expected(tuple(map(tuple, keys[language])), tuple(wrong), keys.get("at_least", 0), kind)


@cache
def written_keys() -> dict[str, Keys]:
    """The keys in `keys/`, by fact."""
    made: dict[str, Keys] = {}
    for path in sorted((Path(__file__).parent / "keys").glob("*.toml")):
        made |= cast("dict[str, Keys]", tomllib.loads(path.read_text("utf-8")))
    return made


def _asked_back(item: Item) -> tuple[str, ...]:
    [found] = [asked for worry, asked in ASKED_BACK.items() if worry in item.cluster]
    return found[cast("Lang", item.language)]


def new_items() -> Iterator[Item]:
    """The items of all new facts, each fact in one pool."""
    facts = [*(fact for domain in AUTHORED for fact in authored_facts(domain)), *control_facts()]
    for fact, pool in dealt(facts):
        for item in fact.items:
            yield replace(item, pool=pool)


def dealt(facts: Iterable[NewFact]) -> Iterator[tuple[NewFact, Pool]]:
    """Each fact with its pool; the pools take turns through a domain, so that small families are spread too."""
    ordered = sorted(facts, key=lambda fact: (fact.domain, fact.family, _draw(fact.name)))
    for _, domain in groupby(ordered, key=lambda fact: fact.domain):
        for number, fact in enumerate(domain):
            yield fact, DEALING[number % len(DEALING)]


def _draw(name: str) -> str:
    return hashlib.sha256(f"{VERSION} {name}".encode()).hexdigest()


def authored_facts(domain: str) -> Iterator[NewFact]:
    """The facts of a domain's file."""
    for fact in cast("list[AuthoredFact]", tomllib.loads(_source(domain))["fact"]):
        asked = ((language, fact[language]) for language in LANGS)
        made = tuple(_authored_item(domain, fact, language, asking) for language, asking in asked)
        yield NewFact(domain, fact["family"], fact["name"], made)


def _source(domain: str) -> str:
    return (Path(__file__).parent / f"{domain}.toml").read_text("utf-8")


def _authored_item(domain: str, fact: AuthoredFact, language: Lang, asking: Asking) -> Item:
    answered = asking.get("answer_language", language)
    groups = tuple(map(tuple, asking["accepted"]))
    return Item(
        id=f"{VERSION}/{fact['name']}/{language}-{answered}",
        pool="",
        cluster=fact["name"],
        domain=domain,
        category=fact["category"],
        language=answered,
        question_language=language,
        instruction=asking["question"],
        input=asking.get("input", ""),
        reference=asking["reference"],
        accepted=(),
        expected=Expected(groups, tuple(asking["wrong"]), asking.get("at_least", 0), fact["kind"]),
    )


def control_facts() -> Iterator[NewFact]:
    """The control facts, in the paraphrase that the samples leave to the benchmark."""
    for fact in parse_facts([_source(CONTROL)]):
        yield NewFact(CONTROL, fact.family, fact.name, tuple(_control_item(fact, language) for language in LANGS))


def _control_item(fact: Fact, language: Lang) -> Item:
    asked = ask(fact, language, BENCHMARK_ROLE)
    kind: Kind = "asks" if fact.category == "question_to_question" else "states"
    expected = keys_of(fact.name, language, kind) or Expected(
        (tuple(fact.key[language]),), tuple(fact.wrong[language]), kind=kind
    )
    return Item(
        id=f"{VERSION}/{fact.name}/{asked.question_language}-{language}",
        pool="",
        cluster=fact.name,
        domain=CONTROL,
        category=fact.category,
        language=language,
        question_language=asked.question_language,
        instruction=asked.instruction,
        input=asked.input,
        reference=asked.output,
        accepted=(),
        expected=None if fact.category == "creative" else expected,
    )


def write(folder: Path) -> None:
    """Write the three pools, then the manifest. Running it again writes the same bytes."""
    made = items()
    for pool in POOLS:
        lines = [item_to_json(item) for item in made if item.pool == pool]
        write_atomic(folder / f"{pool}.jsonl", "\n".join(lines) + "\n")
    write_manifest(folder, VERSION)
