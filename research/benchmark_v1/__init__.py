"""Builds benchmark version 1: `python -m research.benchmark_v1 FOLDER` writes the pools and the manifest.

Both sources are our own writing. The samples' facts, asked in a third paraphrase that no sample uses, show whether a
night taught them. The seedling's own facts, in paraphrases held out from its pre-training, show whether a night made it
forget. The version is fixed: changed sources make a new version, never another v1.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bonsai.evaluate.questions import DOMAINS, POOLS, Item, Pool, item_to_json, write_manifest
from bonsai.system.files import write_atomic
from research.samples.facts import BENCHMARK_ROLE, LANGS, Asked, Fact, ask, load_facts
from research.samples.render import LEAD_INS, across, crossing
from research.seedling.wordings import WORLD_LANGUAGES, WorldLanguage
from research.seedling.world import general_only
from research.seedling.world.fact import Fact as WorldFact
from research.seedling.world.fact import WorldRecord

DEALING: Sequence[Pool] = ("selection", "confirmation", "score", "selection")
"Sample facts are assigned to the pools in this order, family by family: half of them to selection."
GENERAL: Mapping[str, tuple[int, int, int]] = {
    "capital": (10, 6, 6),
    "currency": (6, 4, 4),
    "highest_mountain": (6, 4, 4),
    "continent": (4, 3, 3),
    "colour_of": (5, 3, 3),
    "animal_young": (3, 2, 2),
    "animal_sound": (3, 2, 2),
    "opposite": (5, 3, 3),
    "sum": (5, 3, 3),
    "day_after": (2, 1, 1),
    "classify": (3, 2, 2),
    "ask_back": (8, 5, 5),
    "translate_word_en_ja": (6, 4, 4),
    "translate_word_ja_en": (6, 4, 4),
    "translate_sentence_en_ja": (3, 2, 2),
    "translate_sentence_ja_en": (3, 2, 2),
}
"Number of the seedling's facts for selection, confirmation and score, by family."
ACROSS: Mapping[str, tuple[int, int, int]] = {
    "capital": (3, 2, 2),
    "currency": (2, 1, 1),
    "colour_of": (2, 1, 1),
    "animal_young": (1, 1, 1),
    "opposite": (2, 1, 1),
}
"Further facts, asked in one language for an answer in the other."
FIRST: Mapping[str, str] = {"capital": "Japan", "highest_mountain": "Japan"}
"Always in selection: questions that people try first."
TOO_CLOSE = 0.8
"Containment above which a paraphrase is too similar to a trained one, and another held-out one is used."

_DOMAINS: Mapping[str, str] = {"translation": "translation", "question_to_question": "ask_back"}
_KEY: Mapping[WorldLanguage, re.Pattern[str]] = {
    "en": re.compile(r".*? (?P<key>(?:is called|is in|is|are|says) .+)\."),
    "ja": re.compile(r".*(?P<key>は.+?)(?:です|といいます|と呼びます|と鳴きます|にあります)。"),
}


def items() -> list[Item]:
    """Every item of version 1, pool by pool, domain by domain."""
    order: list[str] = [*POOLS, *DOMAINS]
    made = [*sample_items(), *general_items()]
    return sorted(made, key=lambda item: (order.index(item.pool), order.index(item.domain), item.cluster, item.id))


def dealt(facts: Iterable[Fact]) -> Iterator[tuple[Fact, Pool]]:
    """Each sample fact with its pool; every family is spread over all pools as far as possible."""
    families: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        families[fact.family].append(fact)
    for group in families.values():
        for number, fact in enumerate(group):
            yield fact, DEALING[number % len(DEALING)]


def sample_items() -> Iterator[Item]:
    """The samples' facts in their third paraphrase, some of them also across languages."""
    crossed = {fact.name: number for number, fact in enumerate(crossing(load_facts()))}
    for fact, pool in dealt(load_facts()):
        domain = _DOMAINS.get(fact.category, "cat_care")
        for language in LANGS:
            asked = ask(fact, language, BENCHMARK_ROLE)
            yield _item(pool, fact.name, domain, fact.category, asked, fact.key[language])
            if fact.name in crossed:
                lead_in = crossed[fact.name] + 1  # not the one that the sample has
                asked = across(fact, language, BENCHMARK_ROLE, lead_in)
                yield _item(pool, fact.name, "language", fact.category, asked, fact.key[language])


def _item(pool: str, cluster: str, domain: str, category: str, asked: Asked, accepted: Sequence[str]) -> Item:
    """One item; its id encodes the question and its languages."""
    return Item(
        id=f"v1/{cluster}/{asked.question_language}-{asked.language}",
        pool=pool,
        cluster=cluster,
        domain=domain,
        category=category,
        language=asked.language,
        question_language=asked.question_language,
        instruction=asked.instruction,
        input=asked.input,
        reference=asked.output,
        accepted=tuple(accepted),
    )


def general_items() -> Iterator[Item]:
    """The seedling's own facts in held-out paraphrases; each fact is in one pool."""
    used: set[str] = set()
    for table, make in ((GENERAL, plain_items), (ACROSS, _crossed)):
        for family, counts in table.items():
            for fact, pool in _chosen(family, counts, used):
                yield from make(fact, pool)


def _chosen(family: str, counts: Sequence[int], used: set[str]) -> Iterator[tuple[WorldFact, Pool]]:
    """The next unused facts of a family, ordered by their texts alone."""
    among = [fact for fact in general_only() if fact.family == family]
    among.sort(
        key=lambda fact: (not _is_first(fact), hashlib.sha256(repr((family, fact.answer["en"])).encode()).digest())
    )
    pools = [pool for pool, count in zip(POOLS, counts, strict=True) for _ in range(count)]
    for fact in among:
        if pools and cluster_name(fact) not in used:
            used.add(cluster_name(fact))
            yield fact, pools.pop(0)


def _is_first(fact: WorldFact) -> bool:
    return fact.slots["en"].get("country") == FIRST.get(fact.family, "-")


def cluster_name(fact: WorldFact) -> str:
    """The fact's name; a pair of words or sentences is one fact in both directions."""
    base = fact.family.removesuffix("_en_ja").removesuffix("_ja_en")
    if base.startswith("translate_"):
        return f"{base}:" + "|".join(sorted([*fact.slots["en"].values(), fact.answer["en"]]))
    if base == "classify":
        return f"{base}:{fact.slots['en']['thing']}"
    if base == "opposite":
        return f"{base}:" + "|".join(sorted(re.findall(r'"([^"]+)"', fact.answer["en"])))
    return f"{base}:" + "|".join(fact.slots["en"].values())


def plain_items(fact: WorldFact, pool: Pool) -> Iterator[Item]:
    """Asked in each language."""
    for language in WORLD_LANGUAGES:
        yield _world_item(fact, pool, fact.record(language, _held_out_paraphrase(fact, language)), "general")


def _crossed(fact: WorldFact, pool: Pool) -> Iterator[Item]:
    """Asked in each language for an answer in the other."""
    for number, language in enumerate(WORLD_LANGUAGES):
        other = WORLD_LANGUAGES[1 - number]
        lead_in = LEAD_INS[other][len(fact.answer["en"]) % len(LEAD_INS[other])]
        yield _world_item(
            fact, pool, fact.across(language, other, _held_out_paraphrase(fact, language), lead_in), "language"
        )


def _world_item(fact: WorldFact, pool: Pool, record: WorldRecord, domain: str) -> Item:
    """A world record as an item."""
    asked = Asked(record.instruction, record.context, record.output, record.question_language, record.language)
    domain = _DOMAINS.get(record.category, domain)
    return _item(pool, cluster_name(fact), domain, record.category, asked, _accepted(record))


def _accepted(record: WorldRecord) -> tuple[str, ...]:
    """Keywords that include the subject ("is Tokyo"), so that a swapped pair is not accepted."""
    found = _KEY[record.language].fullmatch(record.output) if record.category in ("open_qa", "classification") else None
    return (found["key"],) if found else ()


def _held_out_paraphrase(fact: WorldFact, language: WorldLanguage) -> int:
    """Number of the first held-out paraphrase that is not too similar to a trained one, else of the least similar."""
    held = fact.held_out[language]
    trained = [fact.record(language, paraphrase).instruction for paraphrase in fact.trained[language]]
    start = len(fact.answer["en"]) % len(held)
    shares = {
        paraphrase: max(containment(fact.record(language, paraphrase).instruction, other) for other in trained)
        for paraphrase in (*held[start:], *held[:start])
    }
    far = [paraphrase for paraphrase, share in shares.items() if share < TOO_CLOSE]
    return far[0] if far else min(shares, key=lambda paraphrase: shares[paraphrase])


def write(folder: Path) -> None:
    """Write the three pools, then the manifest."""
    made = items()
    for pool in POOLS:
        lines = [item_to_json(item) for item in made if item.pool == pool]
        write_atomic(folder / f"{pool}.jsonl", "\n".join(lines) + "\n")
    write_manifest(folder, "v1")


SHINGLE_CHARACTERS = 5


def normalised(question: str) -> str:
    """The question's letters and digits."""
    folded = unicodedata.normalize("NFKC", question).casefold()
    return "".join(character for character in folded if character.isalnum())


def containment(question: str, other: str) -> float:
    """Share of the question's shingles that occur in the other text, 0 to 1."""
    ours, theirs = shingles(normalised(question)), shingles(normalised(other))
    return len(ours & theirs) / len(ours)


def shingles(text: str) -> set[str]:
    """All runs of SHINGLE_CHARACTERS characters; a shorter text is its own shingle."""
    starts = range(max(1, len(text) - SHINGLE_CHARACTERS + 1))
    return {text[start : start + SHINGLE_CHARACTERS] for start in starts}
