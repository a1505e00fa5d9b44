"""What every arm is asked: the benchmark's selection pool, more translations, and a few questions in Chinese.

The pool holds ten facts a direction of translation, too few for an interval that says anything. So known words and
sentences of the seedling's world are added, in wordings that neither its pre-training nor any anchor ever uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from bonsai.domain.records import content_id
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import items_hash
from bonsai.model.seedling import world
from bonsai.model.seedling.world.fact import Fact, WorldRecord
from research.experiment import chinese

TRANSLATIONS = "translations"
"Domain of the added translations; the pool's own keep theirs."
DIRECTIONS = (("en", "ja"), ("ja", "en"))
_WORDS, _SENTENCES = 30, 20
"A direction."
_SEED = 11


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one experiment asks."""

    items: tuple[Item, ...]
    "The pool's first, then the others."
    pool: int
    "So many of them are the pool's."

    @property
    def digest(self) -> str:
        """Runs that were asked other questions are not compared."""
        return items_hash(self.items)


@cache
def sheet(every: int = 1) -> Sheet:
    """All questions, or every so manyth of each kind."""
    pool = pool_items()[::every]
    return Sheet((*pool, *translation_items()[::every], *chinese.questions()[::every]), len(pool))


def pool_items() -> tuple[Item, ...]:
    """The selection pool; no experiment opens another one."""
    return questions.load("selection")


def translation_items() -> tuple[Item, ...]:
    """Words and sentences both ways, half of them asked in each language."""
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
