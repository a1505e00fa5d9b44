"""Questions answered from what is given: a short passage, or dated experiences under `today:`.

A passage is made of what is true in an invented household; the answer is the sentence that was asked for. So the
model learns to read, and never gets by without reading: the same question has another answer in the next passage.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from bonsai.model.seedling.wordings import WORLD_LANGUAGES, ask, wordings
from bonsai.model.seedling.world.everyday import Household, written_date
from bonsai.model.seedling.world.fact import Fact, Pair, make_fact
from bonsai.model.seedling.world.general import data

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
    told = [household.fact(family, chance.randrange(12)) for family in chance.sample(PASSAGE_FAMILIES, chance.randint(2, 4))]
    asked = told[0]
    chance.shuffle(told)
    context = (" ".join(fact.answer["en"] for fact in told), "".join(fact.answer["ja"] for fact in told))
    slots = {"question": _question(chance, asked)}
    return make_fact("from_context", ordinal, slots, (asked.answer["en"], asked.answer["ja"]), context)


def diary_fact(chance: random.Random, household: Household, ordinal: int) -> Fact:
    """Three or four dated lines, and a question for one of them."""
    rules = data("phrases")["diary"]
    lines: list[tuple[str, str]] = []
    slots: dict[str, Pair] = {}
    answer: Pair = ("", "")
    for position, entry in enumerate(chance.sample(rules["entry"], chance.randint(3, 4))):
        year, month, day = chance.randint(2022, 2026), chance.randint(1, 10), chance.randint(1, 28)
        name, mood = chance.choice(household.names), chance.choice(rules["mood"])
        stamp = f"{year}-{month:02}-{day:02}"
        lines.append((f"{stamp} · {name[0]} · {mood[0]} · self · {entry[0]}", f"{stamp} · {name[1]} · {mood[1]} · self · {entry[1]}"))
        if position == 0:
            slots, answer = _diary_question(chance, name, written_date(year, month, day), mood, entry)
    lines.sort()
    head = f"today: {TODAY}\n"
    context = (head + "\n".join(line[0] for line in lines), head + "\n".join(line[1] for line in lines))
    return make_fact("from_experiences", ordinal, slots, answer, context)


def _diary_question(
    chance: random.Random, name: Pair, date: Pair, mood: Pair, entry: list[str]
) -> tuple[dict[str, Pair], Pair]:
    """When it was, what happened on that day, or how it felt."""
    kind = chance.randrange(3)
    _, _, noun_en, noun_ja, said_en, said_ja = entry
    if kind == 0:
        fact = make_fact("when_event", 0, {"name": name, "event": (noun_en, noun_ja)}, ("", ""))
        answer = (f"{name[0]}'s {noun_en} was on {date[0]}.", f"{name[1]}の{noun_ja}は{date[1]}でした。")
    elif kind == 1:
        fact = make_fact("event_on", 0, {"name": name, "date": date}, ("", ""))
        answer = (f"On {date[0]} {name[0]} {said_en}.", f"{date[1]}に{name[1]}は{said_ja}。")
    else:
        question = (f"How did I feel about {name[0]}'s {noun_en}?", f"{name[1]}の{noun_ja}のとき、どんな気持ちでしたか?")
        answer = (f"I was {mood[0]} about {name[0]}'s {noun_en}.", f"{name[1]}の{noun_ja}のときの気持ちは「{mood[1]}」です。")
        return {"question": question}, answer
    return {"question": _question(chance, fact)}, answer


def _question(chance: random.Random, fact: Fact) -> Pair:
    """The inner question in any of its family's wordings."""
    en, ja = (chance.randrange(len(wordings(fact.family, language))) for language in WORLD_LANGUAGES)
    return ask(fact.family, "en", en, fact.slots["en"]), ask(fact.family, "ja", ja, fact.slots["ja"])
