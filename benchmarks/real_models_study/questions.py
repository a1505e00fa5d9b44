"""What a model is asked of an owner: paraphrases with and without records, unanswerable questions, the seed's own.

Pure. Records are found as the program finds them (`bonsai.ingest.retrieval`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.owners_data import Fact, Owner, language_of
from bonsai.evaluate.questions import Item
from bonsai.evaluate.statements import Expected
from bonsai.ingest.retrieval import passage, rank

FOUND = 3
"Records that come with a question, as its passage."
UNKNOWN = {"ja": "わかりません。", "en": "I don't know."}
SEED_QUESTIONS = (
    "What is the highest mountain of Japan?",
    "日本で一番高い山は？",
    "Which is the capital of the United States, New York or Washington?",
    "アメリカの首都はニューヨーク、ワシントンのどちらですか？",
    "Translate into Japanese: The cat sleeps on the sofa.",
    "「猫はソファで寝ています。」を英語に訳してください。",
    "What can I do when my cat does not drink enough water?",
    "猫があまり水を飲まないときは、どうすればいいですか？",
)
"The seed project's questions, and one about cats in each language. Nobody scores the answers; they are read."


@dataclass(frozen=True, slots=True)
class Asking:
    """A question of an owner, with what was found for it."""

    item: Item
    fact: int | None
    "Number of the record that answers it; None if none does."
    found: tuple[int, ...]
    "Numbers of the records that were found for it, the nearest first."
    passage: str


def askings(owner: Owner) -> list[Asking]:
    """Every paraphrase of the facts, then the unanswerable questions."""
    items = [
        (_paraphrase(owner, at, n), at) for at, fact in enumerate(owner.facts) for n in range(len(fact.paraphrases))
    ]
    unknown = [(_unknown(owner, at), None) for at in range(len(owner.unanswerable))]
    together: list[tuple[Item, int | None]] = [*items, *unknown]
    nearest = find(owner.facts, [item.instruction for item, _ in together])
    return [
        Asking(item, fact, found, passage([owner.facts[at] for at in found]))
        for (item, fact), found in zip(together, nearest, strict=True)
    ]


def find(facts: Sequence[Fact], questions: Sequence[str]) -> list[tuple[int, ...]]:
    """For each question, the numbers of up to FOUND records."""
    texts = [f"{fact.subject} {fact.instruction} {fact.output}" for fact in facts]
    return [tuple(one.number for one in rank(asked, texts, most=FOUND, at_least=0.0)) for asked in questions]


def _paraphrase(owner: Owner, at: int, number: int) -> Item:
    fact = owner.facts[at]
    expected = Expected(fact.accepted, fact.wrong)
    asked = fact.paraphrases[number]
    return _item(f"{owner.household}/{at}/{number}", fact.answer_language, asked, fact.output, expected)


def _unknown(owner: Owner, at: int) -> Item:
    asked = owner.unanswerable[at].unanswerable
    language = language_of(asked)
    expected = Expected(kind="unknown")
    return _item(f"{owner.household}/unanswerable/{at}", language, asked, UNKNOWN[language], expected)


def _item(name: str, language: str, asked: str, reference: str, expected: Expected) -> Item:
    return Item(
        id=name,
        pool="owner",
        cluster=name.rpartition("/")[0] if expected.kind == "states" else name,
        domain="unanswerable" if expected.kind == "unknown" else "owner",
        category="open_qa",
        language=language,
        question_language=language_of(asked),
        instruction=asked,
        input="",
        reference=reference,
        accepted=(),
        expected=expected,
    )
