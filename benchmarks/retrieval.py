"""How often a question finds its record: invented households, asked in other words than their records have.

    python -m benchmarks.retrieval                      # those that may be tuned on
    python -m benchmarks.retrieval --unseen             # those that only measure

Every fact is asked two paraphrases among the first so many facts of its household: see `owners/README.md`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from benchmarks import owners_data
from benchmarks.owners_data import MEASURING, TUNING, Fact, language_of
from bonsai.ingest.dedup.ngrams import nearest
from bonsai.ingest.retrieval import rank

SIZES = (10, 20, 50, 100)
"Facts of a household; 100: all."
DEPTHS = (1, 3, 5)
Method = Callable[[str, Sequence[str]], list[int]]


def main() -> None:
    """Print recall by method, language and number of records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unseen", action="store_true")
    households = MEASURING if parser.parse_args().unseen else TUNING
    methods: dict[str, Method] = {"character trigrams": by_trigrams, "words and thesaurus": by_words}
    print(
        "| records | method | " + " | ".join(f"{lang}, first {k}" for lang in ("ja", "en") for k in DEPTHS) + " | ms |"
    )
    print("| ---: | --- |" + " ---: |" * (2 * len(DEPTHS) + 1))
    for size in SIZES:
        for name, method in methods.items():
            began = time.perf_counter()
            places = {"ja": list[int](), "en": list[int]()}
            for household in households:
                asked = owners_data.read(household).first(size)
                for language, place in found_at(asked.facts, method):
                    places[language].append(place)
            spent = 1000 * (time.perf_counter() - began) / sum(map(len, places.values()))
            shares = [share(places[lang], depth) for lang in ("ja", "en") for depth in DEPTHS]
            print(f"| {size} | {name} | {' | '.join(shares)} | {spent:.1f} |", flush=True)


def found_at(facts: Sequence[Fact], method: Method) -> list[tuple[str, int]]:
    """For each paraphrase its language and the place of its record, 0 for the first."""
    texts = [f"{one.subject} {one.instruction} {one.output}" for one in facts]
    made = []
    for number, fact in enumerate(facts):
        for question in fact.paraphrases:
            order = method(question, texts)
            made.append((language_of(question), order.index(number) if number in order else len(texts)))
    return made


def by_words(question: str, texts: Sequence[str]) -> list[int]:
    """As the program does it."""
    return [one.number for one in rank(question, texts, most=max(DEPTHS), at_least=0.0)]


def by_trigrams(question: str, texts: Sequence[str]) -> list[int]:
    """Shared character trigrams, by their rarity."""
    return [one.number for one in nearest([question], texts, most=max(DEPTHS), at_least=0.0)[0]]


def share(places: Sequence[int], depth: int) -> str:
    """Share of questions whose record is among the first `depth`."""
    return f"{100 * sum(one < depth for one in places) / len(places):.0f} %" if places else "-"


if __name__ == "__main__":
    main()
