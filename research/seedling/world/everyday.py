"""Pet care and daily life of invented animals and people, by a small grammar (`everyday.toml`).

What is asked is what an owner asks; who and what it is about is invented, afresh in every `Household`, so that the
model learns to find a fact under another wording and to copy a name it has never seen, and learns nothing true.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final, TypedDict, cast

from research.seedling.world.fact import Fact, Pair, capitalised, make_fact

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_MONTHS: Final = tuple("January February March April May June July August September October November December".split())
_CONSONANTS: Final[Mapping[str, str]] = {
    "z": "ザジズゼゾ", "m": "マミムメモ", "k": "カキクケコ", "r": "ラリルレロ", "n": "ナニヌネノ", "t": "タチツテト",
    "p": "パピプペポ", "b": "バビブベボ", "g": "ガギグゲゴ", "d": "ダヂヅデド", "s": "サシスセソ", "l": "ラリルレロ",
}  # fmt: skip
REAL_NAMES: Final = frozenset(
    "mike tama kuro momo sora hana leo yuki choco maro rin koko mimi kiki nana toto pipi gin ten sakura kinako tora "
    "luna simba chibi shiro taro jiro ken mari tomo nozomi takeru rina mina risa nina lola lili bibi sasa bob".split()
)
"Real names; an invented name is never one of these."
_LENGTHS: Final = (2, 2, 2, 3)


class FamilyGrammar(TypedDict):
    """How one family's facts are made."""

    slots: Mapping[str, str]
    answers: Sequence[Sequence[str]]


class Grammar(TypedDict):
    """The parsed data file."""

    lists: Mapping[str, Sequence[Sequence[str]]]
    traits: Mapping[str, Sequence[Sequence[str]]]
    families: Mapping[str, FamilyGrammar]


@cache
def grammar() -> Grammar:
    """`everyday.toml`, with the lists of `lexicon.toml`."""
    folder = resources.files("research.seedling") / "world"
    made = cast("Grammar", tomllib.loads((folder / "everyday.toml").read_text("utf-8")))
    lexicon = tomllib.loads((folder / "lexicon.toml").read_text("utf-8"))
    return {**made, "lists": {**made["lists"], **lexicon}}


def invented_name(chance: random.Random) -> Pair:
    """An invented name in both scripts, such as ("Zemu", "ゼム")."""
    while True:
        chosen = [(chance.choice(list(_CONSONANTS)), chance.randrange(5)) for _ in range(chance.choice(_LENGTHS))]
        latin = "".join(consonant + "aiueo"[vowel] for consonant, vowel in chosen)
        if latin not in REAL_NAMES:
            return capitalised(latin), "".join(_CONSONANTS[consonant][vowel] for consonant, vowel in chosen)


def written_date(year: int, month: int, day: int) -> Pair:
    """2 March 2024, 2024年3月2日."""
    return f"{day} {_MONTHS[month - 1]} {year}", f"{year}年{month}月{day}日"


class Household:
    """A few invented names and species, and facts about them.

    Few names with many facts each: only then must the model look at the whole question, not at the name alone.
    """

    def __init__(self, chance: random.Random, names: int = 3, species: int = 2) -> None:
        self._chance = chance
        self._names = [invented_name(chance) for _ in range(names)]
        self._people = [invented_name(chance) for _ in range(2)]
        self._species = [(en.lower(), ja) for en, ja in (invented_name(chance) for _ in range(species))]
        self._made: Mapping[str, Callable[[], Pair]] = {
            "name": lambda: chance.choice(self._names),
            "person": lambda: _person(chance.choice(self._people)),
            "species_one": lambda: chance.choice(self._species),
            "species_many": lambda: _plural(chance.choice(self._species)),
            "number": lambda: _number(chance),
            "date": lambda: written_date(chance.randint(2019, 2026), chance.randint(1, 12), chance.randint(1, 28)),
            "clock": lambda: _clock(chance),
            "invented_term": lambda: _lower(invented_name(chance)),
            "invented_item": self._item,
            "invented_task": self._task,
            "invented_thing": self._thing,
            "named_task": lambda: self.draw("household_task"),
        }

    @property
    def names(self) -> Sequence[Pair]:
        """Names of the household."""
        return self._names

    def draw(self, kind: str) -> Pair:
        """A member of a list, or something invented, with its placeholders filled."""
        made = self._made.get(kind)
        if made is not None:
            return made()
        en, ja = self._chance.choice(grammar()["lists"][kind])
        return self.fill((en, ja), {})

    def fill(self, template: Pair, known: dict[str, Pair]) -> Pair:
        """A template in both languages; a placeholder missing from `known` is drawn and added to it."""
        for name in _PLACEHOLDER.findall(template[0]):
            if name not in known:
                known[name] = self._draw_new(name, known)
        return (
            template[0].format(**{name: pair[0] for name, pair in known.items()}),
            template[1].format(**{name: pair[1] for name, pair in known.items()}),
        )

    def fact(self, family: str, ordinal: int) -> Fact:
        """One fact of `family`."""
        rules = grammar()["families"][family]
        slots = {slot: self.draw(kind) for slot, kind in rules["slots"].items()}
        en, ja = self._chance.choice(rules["answers"])
        return make_fact(family, ordinal, slots, self.fill((en, ja), dict(slots)))

    def _draw_new(self, name: str, known: Mapping[str, Pair]) -> Pair:
        """A draw for a placeholder; `reason2` is a second, different draw from the list `reason`."""
        if name == "trait_value":
            en, ja = self._chance.choice(grammar()["traits"][known["trait"][0]])
            return self.fill((en, ja), {})
        kind = name.rstrip("2")
        drawn = self.draw(kind)
        while kind != name and drawn == known.get(kind):
            drawn = self.draw(kind)
        return drawn

    def _item(self) -> Pair:
        name, gadget = invented_name(self._chance), self.draw("gadget")
        return f"a {name[0].lower()} {gadget[0]}", f"{name[1]}{gadget[1]}"

    def _task(self) -> Pair:
        verb, species = self.draw("verb_task"), self._chance.choice(self._species)
        return f"{verb[0]} a {species[0]}", f"{species[1]}{verb[1]}"

    def _thing(self) -> Pair:
        thing, name = self.draw("object"), self._chance.choice(self._names)
        return f"{name[0]}'s {thing[0]}", f"{name[1]}の{thing[1]}"


def everyday_families() -> tuple[str, ...]:
    """The families of this grammar."""
    return tuple(grammar()["families"])


def everyday_facts(chance: random.Random, each: int) -> Iterator[Fact]:
    """`each` facts of every family, with a new household after every four; no question repeats."""
    seen: set[str] = set()
    for family in everyday_families():
        made = 0
        while made < each:
            household = Household(chance)
            for _ in range(4):
                fact = household.fact(family, made)
                asked = f"{family} {sorted(fact.slots['en'].items())}"
                if asked not in seen and made < each:
                    seen.add(asked)
                    made += 1
                    yield fact


def _plural(pair: Pair) -> Pair:
    return pair[0] + "s", pair[1]


def _lower(pair: Pair) -> Pair:
    return pair[0].lower(), pair[1]


def _person(pair: Pair) -> Pair:
    return pair[0], pair[1] + "さん"


def _number(chance: random.Random) -> Pair:
    number = str(chance.randint(2, 40))
    return number, number


def _clock(chance: random.Random) -> Pair:
    hour, half = chance.randint(1, 12), chance.random() < 0.3
    morning = chance.random() < 0.5
    en = f"{hour}{':30' if half else ''} in the {'morning' if morning else 'evening'}"
    return en, f"{'朝' if morning else '夜'}{hour}時{'半' if half else ''}"
