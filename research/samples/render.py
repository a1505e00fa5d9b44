"""Builds the bundled sample files from the authored facts: `python -m research.samples.render`.

Deterministic: the same facts and paraphrases give the same bytes; a test compares them with the committed files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from bonsai.domain.records import reasoning_sentence
from bonsai.system.files import write_atomic
from research.samples import messy, poison
from research.samples.facts import FIRST_BATCH, HOUSEHOLD, LANGS, ROLES, Asked, Fact, Lang, ask, load_facts

LEAD_INS: Mapping[Lang, tuple[str, ...]] = {
    "ja": (
        "Answer in Japanese: {question}",
        "{question} Please answer in Japanese.",
        "In Japanese, please. {question}",
    ),
    "en": ("英語で答えてください。{question}", "{question}英語で答えてください。", "英語でお願いします。{question}"),
}
"By answer language; the question is in the other one."
CROSS_EVERY = 7
"One in so many open questions is also asked across languages: the requested language counts, not the question's."


def record(fact: Fact, asked: Asked) -> dict[str, str]:
    """One line of a sample file.

    The rule gives the reasoning, except for translations: it takes `"爪とぎ" in English, please.` for Japanese.
    """
    quotes_the_other = fact.category == "translation"
    made = {
        "instruction": asked.instruction,
        "input": asked.input,
        "output": asked.output,
        "language": asked.language,
        "category": fact.category,
        "reasoning": reasoning_sentence(asked.question_language, asked.language) if quotes_the_other else "",
        "subject": fact.subject[asked.language],
        "happened_on": fact.happened_on,
        "feeling": fact.feeling,
        "source": "self" if fact.happened_on or fact.name.startswith("home_") else "community",
        "fact": fact.name,
    }
    return {name: value for name, value in made.items() if value or name in ("instruction", "input", "output")}


def across(fact: Fact, language: Lang, role: int, lead_in: int) -> Asked:
    """The question in the other language, with a request for an answer in `language`."""
    other: Lang = "en" if language == "ja" else "ja"
    asked = ask(fact, other, role)
    among = LEAD_INS[language]
    instruction = among[lead_in % len(among)].format(question=asked.instruction)
    return Asked(instruction, asked.input, fact.answer[language], other, language)


def crossing(facts: Iterable[Fact]) -> list[Fact]:
    """Facts that are also asked across languages."""
    return [fact for fact in facts if fact.category == "open_qa"][::CROSS_EVERY]


def experience_records() -> list[dict[str, str]]:
    """The first batch: two paraphrases in each language, and some across languages."""
    facts = load_facts(FIRST_BATCH)
    made = [record(fact, ask(fact, language, role)) for fact in facts for role in (0, 1) for language in LANGS]
    for number, fact in enumerate(crossing(facts)):
        made += [record(fact, across(fact, language, number % 2, number)) for language in LANGS]
    return made


def household_records() -> list[dict[str, str]]:
    """The second batch: three paraphrases in each language."""
    facts = load_facts(HOUSEHOLD)
    return [record(fact, ask(fact, language, role)) for fact in facts for role in range(ROLES) for language in LANGS]


def jsonl(records: Iterable[Mapping[str, object]]) -> bytes:
    """JSON Lines in UTF-8, unescaped for readability."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in records).encode()


def sample_files() -> dict[str, bytes]:
    """Every bundled file by name."""
    experience = experience_records()
    made = {
        "experience.jsonl": jsonl(experience),
        "household.jsonl": jsonl(household_records()),
        "poison.jsonl": jsonl(poison.poison_records()),
    }
    return made | messy.messy_files(experience)


def main() -> None:
    """Write every bundled file."""
    for name, content in sample_files().items():
        write_atomic(Path(__file__).parent / name, content)


if __name__ == "__main__":
    main()
