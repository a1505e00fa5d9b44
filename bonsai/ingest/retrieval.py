"""Which records a question is about, by the words that carry its meaning.

    matches = rank("Which surgery do I ring?", texts, most=5, at_least=0.1)

A person rarely asks in the words of the record. A question is taken apart into terms, and each counts by how rare it is
among the texts (inverse document frequency, Sparck Jones 1972):

- Latin words by their stems (Porter's Snowball stemmer), Japanese by characters and pairs of them, which need no word
  boundaries; hiragana and katakana are one;
- what the thesaurus knows of a word: vet, surgery and 動物病院 are one word, and 何色 asks for a record with 赤 in it.

`benchmarks/retrieval.py` measures it on invented households.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Protocol

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from bonsai.ingest.dedup.comparison import STOP_WORDS

THESAURUS = "thesaurus"
"Folder of text files: a group of words a line; behind ` > ` stand the words of the answer."
GROUP_WEIGHT = 2.5
"Of a thesaurus group, beside 1 for the question's own word."
GROUP_RARITY = 1.5
"Power of a group's inverse document frequency: a group that many texts have says less than a word that many have."
LENGTH_SHARE = 0.2
"How much a longer text has to have to count the same; 1: in proportion."
PASSAGE_LINE = 400
"Characters of a record in a passage."
_LATIN = re.compile(r"[a-z0-9\u00c0-\u024f]+")
_JAPANESE = re.compile(r"[\u3041-\u309f\u30a0-\u30ff\u4e00-\u4f54\u4f56-\u9fff々]+")
"Runs of Japanese letters. 何 ends one: it asks, and what it asks for stands in the thesaurus."
_HAN = re.compile(r"[\u4e00-\u9fff]")
_POSSESSIVE = re.compile(r"['’]s?")
_AS_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_stemmer, _stemming = snowballstemmer.stemmer("english"), threading.Lock()
"The stemmer keeps the word in itself: one thread at a time."


@dataclass(frozen=True, slots=True)
class Match:
    """A text that a question may be about."""

    number: int
    "Index of the text in the order given."
    likeness: float
    "Share that the text has of the question's weight: of those words that any of the texts has. 0 to 1."


class Told(Protocol):
    """A record, as far as a passage shows it."""

    @property
    def instruction(self) -> str:
        """Its question."""

    @property
    def output(self) -> str:
        """Its answer."""

    @property
    def happened_on(self) -> object:
        """Its day; empty or None if unknown."""


def passage(records: Iterable[Told]) -> str:
    """Records as the passage of a question, a line each; empty without any."""
    return "\n".join(
        f"- {f'({one.happened_on}) ' if one.happened_on else ''}Q: {one.instruction} A: {one.output}"[:PASSAGE_LINE]
        for one in records
    )


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is compared."""

    stems: str
    "Stems of its Latin words, each between spaces."
    letters: str
    "Lower case, katakana as hiragana."

    def has(self, term: str) -> bool:
        """Whether a term is in the text: a stem between spaces, or Japanese characters."""
        return term in (self.stems if term[0] == " " else self.letters)


@dataclass(frozen=True, slots=True)
class Group:
    """Words of one meaning."""

    asked: tuple[str, ...]
    "Terms of a question."
    told: tuple[str, ...]
    "Terms of a record; mostly the same."
    words: tuple[str, ...]
    "Of a record, as they are spelled, for a search of the storage."


def rank(question: str, texts: Sequence[str], *, most: int, at_least: float) -> tuple[Match, ...]:
    """Up to `most` texts of at least this likeness, most alike first; equal ones in the order given."""
    asked, folded = fold(question), [fold(text) for text in texts]
    if not folded:
        return ()
    scores, whole = np.zeros(len(folded)), 0.0
    for term in terms_of(asked):
        found = _having(folded, (term,))
        weight = _rarity(int(found.sum()), len(folded))
        scores += weight * found
        whole += weight
    for groups in groups_of(asked).values():
        best = np.zeros(len(folded))
        for group in groups:
            found = _having(folded, group.told)
            best = np.maximum(best, found * _rarity(int(found.sum()), len(folded)) ** GROUP_RARITY)
        scores += GROUP_WEIGHT * best
        whole += GROUP_WEIGHT * float(best.max())
    # a Japanese letter counts twice, as it says more
    sizes = np.array([len(one.letters) + len(one.letters.encode()) for one in folded])
    scores /= 1 - LENGTH_SHARE + LENGTH_SHARE * sizes / max(sizes.mean(), 1)
    likeness = np.minimum(scores / whole, 1.0) if whole else scores
    best_first = np.argsort(-likeness, kind="stable")[:most]
    return tuple(
        Match(int(number), float(likeness[number])) for number in best_first if likeness[number] >= max(at_least, 1e-9)
    )


def _having(folded: Sequence[Folded], terms: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([any(text.has(term) for term in terms) for text in folded])


def _rarity(having: int, texts: int) -> float:
    """Inverse document frequency as BM25 has it (Robertson & Zaragoza 2009), never negative; 0 for what none has."""
    return math.log1p((texts - having + 0.5) / (having + 0.5)) if having else 0.0


@lru_cache(10_000)
def fold(text: str) -> Folded:
    """A text as it is compared."""
    letters = unicodedata.normalize("NFKC", text).casefold().translate(_AS_HIRAGANA)
    stems = (_stem(word) for word in _LATIN.findall(_POSSESSIVE.sub("", letters)))
    return Folded(f" {' '.join(stems)} ", letters)


@lru_cache(50_000)
def _stem(word: str) -> str:
    with _stemming:
        return str(_stemmer.stemWord(word))


@cache
def _stop_stems() -> frozenset[str]:
    return frozenset(map(_stem, STOP_WORDS))


def terms_of(asked: Folded) -> list[str]:
    """Own terms of a question, each once: stems, Japanese characters and pairs of them."""
    stems = [f" {stem} " for stem in asked.stems.split() if stem not in _stop_stems()]
    runs = _JAPANESE.findall(asked.letters)
    pairs = [run[at : at + 2] for run in runs for at in range(len(run) - 1)]
    return list(dict.fromkeys([*stems, *pairs, *_HAN.findall("".join(runs))]))


def groups_of(asked: Folded) -> dict[str, list[Group]]:
    """Thesaurus groups of a question by their longest word in it: one word counts once, whatever its groups."""
    found: dict[str, list[Group]] = {}
    for group in thesaurus():
        words = [word for word in group.asked if asked.has(word)]
        if words:
            found.setdefault(max(words, key=len), []).append(group)
    return found


@cache
def thesaurus() -> tuple[Group, ...]:
    """The groups of all files."""
    files = sorted(resources.files("bonsai.ingest").joinpath(THESAURUS).iterdir(), key=lambda file: file.name)
    return tuple(read_group(line) for file in files for line in file.read_text("utf-8").splitlines())


def read_group(line: str) -> Group:
    """A line of the thesaurus."""
    asked, _, told = line.partition(" > ")
    words = (told or asked).split(", ")
    said = [term for term in _terms(words) if term.strip() not in _stop_stems()]
    return Group(tuple(_terms(asked.split(", ")) if told else said), tuple(said), tuple(word.lower() for word in words))


def _terms(words: Sequence[str]) -> list[str]:
    folded = [fold(word) for word in words]
    terms = (one.letters if _JAPANESE.search(one.letters) else one.stems for one in folded)
    return list(dict.fromkeys(term for term in terms if term.strip()))
