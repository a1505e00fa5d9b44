"""Questions for every arm: the selection pool, more translations, and a few in Chinese.

The pool has ten facts per direction of translation, too few for a useful interval. Known words and sentences of the
seedling's world are added, in paraphrases that neither its pre-training nor any replay sample uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from bonsai.domain.records import content_id
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import items_hash
from research.experiment import chinese
from research.seedling import world
from research.seedling.world.fact import Fact, WorldRecord

VERSION = "v1"
"Of the benchmark: the stored results answered it."
TRANSLATIONS = "translations"
"Domain of the added translations; those of the pool keep theirs."
DIRECTIONS = (("en", "ja"), ("ja", "en"))
_WORDS, _SENTENCES = 30, 20
"Per direction."
_SEED = 11


@dataclass(frozen=True, slots=True)
class ExperimentQuestions:
    """The question set of one experiment."""

    items: tuple[Item, ...]
    "The pool's first, then the others."
    pool: int
    "Number of items from the pool."

    @property
    def digest(self) -> str:
        """Hash of the questions; only runs with the same one are compared."""
        return items_hash(self.items)


@cache
def question_set(every: int = 1) -> ExperimentQuestions:
    """All questions, or every n-th of each kind."""
    pool = pool_items()[::every]
    return ExperimentQuestions((*pool, *translation_items()[::every], *chinese.questions()[::every]), len(pool))


def pool_items() -> tuple[Item, ...]:
    """The selection pool; no experiment opens another one."""
    return questions.load("selection", VERSION)


def translation_items() -> tuple[Item, ...]:
    """Words and sentences in both directions, half of them asked in each language."""
    made: list[Item] = []
    for source, target in DIRECTIONS:
        for kind, count in (("word", _WORDS), ("sentence", _SENTENCES)):
            family = f"translate_{kind}_{source}_{target}"
            known = [fact for fact in world.facts() if fact.family == family]
            chosen = Random(f"{_SEED} {family}").sample(known, count)
            made += [_item(fact, number) for number, fact in enumerate(chosen)]
    return tuple(made)


def _item(fact: Fact, number: int) -> Item:
    record: WorldRecord = fact.held_out_questions("en" if number % 2 else "ja")[0]
    name = content_id(record.instruction, record.context, record.output)
    return Item(
        id=f"{fact.family}/{name[:12]}",
        pool=TRANSLATIONS,
        cluster=f"{fact.family}/{record.output}",
        domain=TRANSLATIONS,
        category="translation",
        language=record.language,
        question_language=record.question_language,
        instruction=record.instruction,
        input=record.context,
        reference=record.output,
        accepted=(),
    )
