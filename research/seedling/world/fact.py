"""A fact of the seedling's world, and the records that ask about it.

A fact can be asked in every paraphrase of its family, in both languages. Some paraphrases are held out for this fact
and trained for others: they show whether the model knows the fact or only the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonsai.domain.records import reasoning_sentence
from research.seedling.wordings import WORLD_LANGUAGES, WorldLanguage, ask, category, wordings

HELD_OUT_SHARE = 4
"One in so many paraphrases is held out for a fact."

Pair = tuple[str, str]
"The same text in English and in Japanese."


@dataclass(frozen=True, slots=True)
class WorldRecord:
    """One question with its answer, ready for the prompt."""

    instruction: str
    context: str
    output: str
    reasoning: str
    category: str
    language: WorldLanguage
    "The answer's language."
    question_language: WorldLanguage
    family: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in both languages."""

    family: str
    slots: Mapping[WorldLanguage, Mapping[str, str]]
    "Values of the placeholders, by the question's language."
    answer: Mapping[WorldLanguage, str]
    "By the question's language; the answer to a translation may be in either language."
    context: Mapping[WorldLanguage, str]
    trained: Mapping[WorldLanguage, tuple[int, ...]]
    "Numbers of the paraphrases that the pre-training may use for this fact."
    held_out: Mapping[WorldLanguage, tuple[int, ...]]
    "Numbers of the held-out paraphrases."

    def answer_language(self, question_language: WorldLanguage) -> WorldLanguage:
        """The question's language, except for translations, where the family determines it."""
        if self.family.startswith("translate_"):
            return "ja" if self.family.endswith("_ja") else "en"
        return question_language

    def record(self, language: WorldLanguage, wording: int, lead_in: str = "{question}") -> WorldRecord:
        """The fact asked in `language` with paraphrase number `wording`."""
        instruction = lead_in.format(question=ask(self.family, language, wording, self.slots[language]))
        return self._record(instruction, language, self.answer_language(language), self.answer[language])

    def across(self, asked_in: WorldLanguage, answer_in: WorldLanguage, wording: int, lead_in: str) -> WorldRecord:
        """Asked in one language with a request, in `lead_in`, for an answer in the other. Not for translations."""
        instruction = lead_in.format(question=ask(self.family, asked_in, wording, self.slots[asked_in]))
        return self._record(instruction, asked_in, answer_in, self.answer[answer_in])

    def held_out_questions(self, language: WorldLanguage) -> tuple[WorldRecord, ...]:
        """The fact in every held-out paraphrase."""
        return tuple(self.record(language, wording) for wording in self.held_out[language])

    def _record(self, question: str, asked: WorldLanguage, answered: WorldLanguage, output: str) -> WorldRecord:
        return WorldRecord(
            instruction=question,
            context=self.context[asked],
            output=output,
            reasoning=reasoning_sentence(asked, answered),
            category=category(self.family),
            language=answered,
            question_language=asked,
            family=self.family,
        )


def make_fact(family: str, ordinal: int, slots: Mapping[str, Pair], answer: Pair, context: Pair = ("", "")) -> Fact:
    """A fact from pairs. `ordinal` spreads the held-out paraphrases evenly over the facts of a family."""
    trained: dict[WorldLanguage, tuple[int, ...]] = {}
    held_out: dict[WorldLanguage, tuple[int, ...]] = {}
    for number, language in enumerate(WORLD_LANGUAGES):
        count = len(wordings(family, language))
        among = max(1, count // HELD_OUT_SHARE)
        held = {(ordinal + number + step * count // among) % count for step in range(among)}
        held_out[language] = tuple(sorted(held))
        trained[language] = tuple(wording for wording in range(count) if wording not in held)
    return Fact(
        family=family,
        slots={
            language: {name: pair[at] for name, pair in slots.items()} for at, language in enumerate(WORLD_LANGUAGES)
        },
        answer=dict(zip(WORLD_LANGUAGES, map(capitalised, answer), strict=True)),
        context=dict(zip(WORLD_LANGUAGES, context, strict=True)),
        trained=trained,
        held_out=held_out,
    )


def capitalised(text: str) -> str:
    """With an upper-case first letter."""
    return text[:1].upper() + text[1:]
