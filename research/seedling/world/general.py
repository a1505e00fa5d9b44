"""Real-world facts of the seedling (`general.toml`), and small grammars for language tasks (`phrases.toml`)."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

from research.seedling.world.everyday import Household
from research.seedling.world.fact import Fact, Pair, make_fact

SUMS, SENTENCES, SORTINGS, LINES = 160, 150, 120, 60
LARGEST_SUMMAND = 20


@cache
def data(name: str) -> dict[str, Any]:
    """A parsed data file of the world."""
    source = resources.files("research.seedling") / "world" / f"{name}.toml"
    return tomllib.loads(source.read_text("utf-8"))


def general_facts(chance: random.Random) -> Iterator[Fact]:
    """Every fact of the general families, in a fixed order."""
    yield from _geography()
    yield from _nature()
    yield from _words()
    yield from _sums(chance)
    yield from _unique(_sentence_facts(chance, number) for number in range(SENTENCES))
    yield from _unique(_sorting(chance, number) for number in range(SORTINGS))
    yield from _unique([_line(chance, number)] for number in range(LINES))
    yield from _ideas(chance)
    yield from _asking_back()


def fresh_language_facts(chance: random.Random, household: Household, ordinal: int) -> Iterator[Fact]:
    """New sentences, phrases, groups, ideas and lines for practice; not part of the fixed facts."""
    yield from _sentence_facts(chance, ordinal)
    yield from _phrase_facts(chance, ordinal)
    yield from _sorting(chance, ordinal)
    topic = household.fill(_pick(chance, data("phrases")["ideas"]["topic_with_name"]), {"name": household.names[0]})
    yield _idea(chance, topic, ordinal)
    yield _line(chance, ordinal)


def _geography() -> Iterator[Fact]:
    world = data("general")
    for number, (en, ja, capital_en, capital_ja, continent_en, continent_ja) in enumerate(world["countries"]):
        slots = {"country": (en, ja)}
        yield make_fact(
            "capital", number, slots, (f"The capital of {en} is {capital_en}.", f"{ja}の首都は{capital_ja}です。")
        )
        yield make_fact(
            "continent", number, slots, (f"{en} is in {continent_en}.", f"{ja}は{continent_ja}にあります。")
        )
        if en in world["currencies"]:
            money = world["currencies"][en]
            yield make_fact(
                "currency", number, slots, (f"The currency of {en} is {money[0]}.", f"{ja}の通貨は{money[1]}です。")
            )
        if en in world["mountains"]:
            peak = world["mountains"][en]
            answer = (f"The highest mountain in {en} is {peak[0]}.", f"{ja}で一番高い山は{peak[1]}です。")
            yield make_fact("highest_mountain", number, slots, answer)


def _nature() -> Iterator[Fact]:
    world = data("general")
    for number, (en, ja, colour_en, colour_ja) in enumerate(world["colours"]):
        verb = "are" if en == "grapes" else "is"
        answer = (f"{en} {verb} {colour_en}.", f"{ja}は{colour_ja}です。")
        yield make_fact("colour_of", number, {"thing": (en, ja)}, answer)
    for number, (en, ja, young_en, young_ja) in enumerate(world["young"]):
        answer = (f"A young {en} is called {young_en}.", f"{ja}の子どもは{young_ja}と呼びます。")
        yield make_fact("animal_young", number, {"animal": (en, ja)}, answer)
    for number, (en, ja, sound_en, sound_ja) in enumerate(world["sounds"]):
        answer = (f'A {en} says "{sound_en}".', f"{ja}は「{sound_ja}」と鳴きます。")
        yield make_fact("animal_sound", number, {"animal": (en, ja)}, answer)


def _words() -> Iterator[Fact]:
    world = data("general")
    for number, (en, ja, other_en, other_ja) in enumerate(world["opposites"]):
        for here, there in (((en, ja), (other_en, other_ja)), ((other_en, other_ja), (en, ja))):
            answer = (f'The opposite of "{here[0]}" is "{there[0]}".', f"「{here[1]}」の反対は「{there[1]}」です。")
            yield make_fact("opposite", number, {"word": here}, answer)
    for number, (en, ja) in enumerate(world["words"]):
        yield from _both_directions("translate_word", number, (en, ja))
    days: Sequence[Pair] = [(en, ja) for en, ja in world["days"]]
    for number, (today, next_day) in enumerate(zip(days, [*days[1:], days[0]], strict=True)):
        answer = (f"The day after {today[0]} is {next_day[0]}.", f"{today[1]}の次の日は{next_day[1]}です。")
        yield make_fact("day_after", number, {"day": today}, answer)


def _sums(chance: random.Random) -> Iterator[Fact]:
    pairs = [(a, b) for a in range(1, LARGEST_SUMMAND + 1) for b in range(1, LARGEST_SUMMAND + 1)]
    for number, (a, b) in enumerate(chance.sample(pairs, SUMS)):
        slots = {"a": (str(a), str(a)), "b": (str(b), str(b))}
        yield make_fact("sum", number, slots, (f"{a} plus {b} is {a + b}.", f"{a}たす{b}は{a + b}です。"))


def _both_directions(family: str, number: int, pair: Pair) -> Iterator[Fact]:
    """The question may be in either language; the answer's language is the target's."""
    slot = family.removeprefix("translate_")
    en, ja = pair
    yield make_fact(f"{family}_en_ja", number, {slot: (en, en)}, (ja, ja))
    yield _uncapitalised(make_fact(f"{family}_ja_en", number, {slot: (ja, ja)}, (en, en)), en)


def _uncapitalised(fact: Fact, en: str) -> Fact:
    """The fact with its English answer uncapitalised, as in a dictionary."""
    return Fact(fact.family, fact.slots, {"en": en, "ja": en}, fact.context, fact.trained, fact.held_out)


def _sentence_facts(chance: random.Random, number: int) -> Iterator[Fact]:
    rules = data("phrases")["sentence"]
    subject, time, place, act = (_pick(chance, rules[name]) for name in ("subject", "time", "place", "act"))
    form = chance.randrange(5)
    if form == 0:
        adjective = _pick(chance, rules["adjective"])
        pair = f"{subject[0]} is {adjective[0]}.", f"{subject[1]}は{adjective[1]}。"
    elif form == 1:
        pair = f"{subject[0]} {act[0]}.", f"{subject[1]}は{act[1]}。"
    elif form == 2:
        pair = f"{subject[0]} {act[0]} {time[0]}.", f"{subject[1]}は{time[1]}{act[1]}。"
    elif form == 3:
        pair = f"{subject[0]} {act[0]} {place[0]}.", f"{subject[1]}は{place[1]}{act[1]}。"
    else:
        pair = f"{subject[0]} {act[0]} {place[0]} {time[0]}.", f"{subject[1]}は{time[1]}{place[1]}{act[1]}。"
    yield from _both_directions("translate_sentence", number, pair)


def _phrase_facts(chance: random.Random, number: int) -> Iterator[Fact]:
    en, ja = _topic(chance)
    yield from _both_directions("translate_word", number, (en, ja))


def _sorting(chance: random.Random, number: int) -> Iterator[Fact]:
    right, wrong = chance.sample(data("general")["groups"], 2)
    thing = _pick(chance, right["members"])
    first, second = (right, wrong) if chance.random() < 0.5 else (wrong, right)
    groups = (f"{first['name'][0]} or {second['name'][0]}", f"{first['name'][1]}か{second['name'][1]}")
    verb = "are" if thing[0] in ("scissors", "socks", "trousers") else "is"
    answer = (f"{thing[0]} {verb} {right['name'][0]}.", f"{thing[1]}は{right['name'][1]}です。")
    yield make_fact("classify", number, {"thing": thing, "groups": groups}, answer)


def _topic(chance: random.Random) -> Pair:
    rules = data("phrases")["lines"]
    adjective, noun = _pick(chance, rules["adjective"]), _pick(chance, rules["noun"])
    return f"{adjective[0]} {noun[0]}", f"{adjective[1]}{noun[1]}"


def _line(chance: random.Random, number: int) -> Fact:
    en, ja = _topic(chance)
    line = _pick(chance, data("phrases")["lines"]["line"])
    article = "an" if en[0] in "aeiou" else "a"
    slots = {"topic": (f"{article} {en}", ja)}
    return make_fact("creative", number, slots, (line[0].format(topic=en), line[1].format(topic=ja)))


def _ideas(chance: random.Random) -> Iterator[Fact]:
    for number, (en, ja) in enumerate(data("phrases")["ideas"]["topic"]):
        yield _idea(chance, (en, ja), number)


def _idea(chance: random.Random, topic: Pair, number: int) -> Fact:
    three = chance.sample(data("phrases")["ideas"]["activity"], 3)
    en = f"{three[0][0]}, {three[1][0]}, or {three[2][0]}."
    return make_fact("brainstorm", number, {"topic": topic}, (en, "、".join(idea[1] for idea in three) + "。"))


def _asking_back() -> Iterator[Fact]:
    rules = data("phrases")["asking"]
    both = (("who", "worry"), ("thing", "thing_worry"))
    pairs = [(who, worry) for names, worries in both for who in rules[names] for worry in rules[worries]]
    for number, (who, (worry_en, worry_ja, back_en, back_ja)) in enumerate(pairs):
        slots = {"worry": (worry_en.format(who=who[0]), worry_ja.format(who=who[1]))}
        yield make_fact("ask_back", number, slots, (back_en.format(who=who[0]), back_ja.format(who=who[1])))


def _unique(groups: Iterator[Iterator[Fact] | Sequence[Fact]]) -> Iterator[Fact]:
    """Leave out repeated questions."""
    seen: set[str] = set()
    for group in groups:
        for fact in group:
            asked = f"{fact.family} {sorted(fact.slots['en'].items())}"
            if asked not in seen:
                seen.add(asked)
                yield fact


def _pick(chance: random.Random, among: Sequence[Sequence[str]]) -> Pair:
    en, ja = chance.choice(among)
    return en, ja
