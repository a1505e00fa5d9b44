"""Questions answered from a given context: a short passage, or dated experiences under `today:`.

A passage states facts of an invented household; the answer is one of its sentences. The model must read it, because
the same question has another answer in the next passage.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from research.seedling.wordings import WORLD_LANGUAGES, ask, wordings
from research.seedling.world.everyday import Household, written_date
from research.seedling.world.fact import Fact, Pair, make_fact
from research.seedling.world.general import data

PASSAGE_FAMILIES = (
    "favourite", "where_is", "where_does", "trait", "who_does", "what_time", "when_event", "vet_said", "how_many",
    "how_often", "how_many_needed", "why_behaviour", "where_put", "event_on", "how_much", "what_is", "what_for",
)  # fmt: skip
"Families whose answers are whole statements; a passage that began with `No, ...` would read oddly."
TODAY = "2026-11-21"


def given_facts(chance: random.Random, each: int) -> Iterator[Fact]:
    """`each` passages and as many diaries."""
    for number in range(each):
        yield passage_fact(chance, Household(chance), number)
        yield diary_fact(chance, Household(chance, names=2), number)


def passage_fact(chance: random.Random, household: Household, ordinal: int) -> Fact:
    """Two to four statements, and a question that one of them answers."""
    told = [
        household.fact(family, chance.randrange(12)) for family in chance.sample(PASSAGE_FAMILIES, chance.randint(2, 4))
    ]
    asked = told[0]
    chance.shuffle(told)
    context = (" ".join(fact.answer["en"] for fact in told), "".join(fact.answer["ja"] for fact in told))
    slots = {"question": _question(chance, asked)}
    return make_fact("from_context", ordinal, slots, (asked.answer["en"], asked.answer["ja"]), context)


def diary_fact(chance: random.Random, household: Household, ordinal: int) -> Fact:
    """Three or four dated lines, and a question about one of them."""
    notes = [_note(chance, household) for _ in range(chance.randint(3, 4))]
    asked = notes[0]
    lines = sorted(note.line for note in notes)
    head = f"today: {TODAY}\n"
    context = (head + "\n".join(line[0] for line in lines), head + "\n".join(line[1] for line in lines))
    return make_fact("from_experiences", ordinal, {"question": asked.question}, asked.answer, context)


@dataclass(frozen=True, slots=True)
class _Note:
    """One line of a diary, with a question that it answers."""

    line: Pair
    question: Pair
    answer: Pair


def _note(chance: random.Random, household: Household) -> _Note:
    """Half of the notes are about common events, half are free text."""
    rules = data("phrases")["diary"]
    year, month, day = chance.randint(2022, 2026), chance.randint(1, 10), chance.randint(1, 28)
    name, mood, date = chance.choice(household.names), chance.choice(rules["mood"]), written_date(year, month, day)
    stamp = f"{year}-{month:02}-{day:02}"
    if chance.random() < 0.5:
        entry = chance.choice(rules["entry"])
        note, (question, answer) = (entry[0], entry[1]), _common(chance, name, date, mood, entry)
    else:
        told = chance.choice(rules["told"])
        known: dict[str, Pair] = {"name": name, "date": date}
        note, answer = (household.fill((text[0], text[1]), known) for text in (told["note"], told["answer"]))
        asked = chance.choice(told["questions"])
        question = household.fill((asked[0], asked[1]), known)
    line = tuple(f"{stamp} · {name[at]} · {mood[at]} · self · {note[at]}" for at in (0, 1))
    return _Note((line[0], line[1]), question, answer)


def _common(chance: random.Random, name: Pair, date: Pair, mood: list[str], entry: list[str]) -> tuple[Pair, Pair]:
    """A question and its answer: when it was, what happened that day, or how the owner felt."""
    kind = chance.randrange(3)
    _, _, noun_en, noun_ja, said_en, said_ja = entry
    if kind == 0:
        fact = make_fact("when_event", 0, {"name": name, "event": (noun_en, noun_ja)}, ("", ""))
        return _question(chance, fact), (
            f"{name[0]}'s {noun_en} was on {date[0]}.",
            f"{name[1]}の{noun_ja}は{date[1]}でした。",
        )
    if kind == 1:
        fact = make_fact("event_on", 0, {"name": name, "date": date}, ("", ""))
        return _question(chance, fact), (f"On {date[0]} {name[0]} {said_en}.", f"{date[1]}に{name[1]}は{said_ja}。")
    question = (f"How did I feel about {name[0]}'s {noun_en}?", f"{name[1]}の{noun_ja}のとき、どんな気持ちでしたか?")
    answer = (
        f"I was {mood[0]} about {name[0]}'s {noun_en}.",
        f"{name[1]}の{noun_ja}のときの気持ちは「{mood[1]}」です。",
    )
    return question, answer


def _question(chance: random.Random, fact: Fact) -> Pair:
    """The inner question in a random paraphrase of its family."""
    en, ja = (chance.randrange(len(wordings(fact.family, language))) for language in WORLD_LANGUAGES)
    return ask(fact.family, "en", en, fact.slots["en"]), ask(fact.family, "ja", ja, fact.slots["ja"])
