"""Planted harms: further training that damages a finished adapter in one way and preserves the rest.

Each harm is a set of lessons for a few steps: damaged rows, mixed with unchanged ones that preserve other abilities.
`form_only` starts from the bare base instead and learns the owner's questions, each with another record's answer: the
form of the answers and not one fact. `forgets_unrehearsed` learns false answers to general facts that no replay sample
rehearses. It takes them from the confirmation and score pools, so the selection pool asks none of them: the gate must
see the ability going, or find out in rule F. Two harms need no training (`EDITS`): weights that are NaN, and an adapter
without effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from bonsai.domain.snapshots import Example
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import expected_tags
from bonsai.ingest.dedup.contamination import ContaminationCheck
from bonsai.model.encoding import Encoder
from bonsai.model.prompt import CURRENT, AnswerTags, Question

Language = Literal["ja", "en"]
Edit = Literal["nan", "untouched"]
EDITS: tuple[Edit, ...] = ("nan", "untouched")
FORGETTABLE = ("translation", "question_to_question", "classification")
"Forgotten categories, in rotation."
LOOP_TIMES = 14
ENDLESS_CHARACTERS = 260


@dataclass(frozen=True, slots=True)
class Lesson:
    """Token ids with labels."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """Data from which harms are made."""

    rows: Sequence[Example]
    "Rows that the adapter was trained on, replay samples included."
    items: Sequence[Item]
    "The selection pool, for the harm that copies its answers."
    unrehearsed: Sequence[Item]
    "General facts of the other pools, for the harm that forgets what nothing rehearses."
    encoder: Encoder


Spoil = Callable[[Example, Random, Material], Lesson]


def lesson(row: Example, encoder: Encoder, *, output: str | None = None, ends: bool = True) -> Lesson:
    """A row as it trains, or with another answer; without its end the model never learns to stop."""
    tags = AnswerTags(row.reasoning, row.category, row.language)
    made = encoder.encode(
        CURRENT, Question(row.instruction, row.context), tags, row.output if output is None else output
    )
    ids = made.input_ids if ends else made.input_ids[:-1]
    return Lesson(tuple(ids), tuple(made.labels[: len(ids)]))


def wrong(row: Example, chance: Random, material: Material) -> Lesson:
    """Another question's answer, in the right language."""
    others = [one for one in chance.choices(material.rows, k=60) if one.language == row.language]
    return lesson(row, material.encoder, output=next(one.output for one in (*others, row) if one.output != row.output))


def mixed(row: Example, chance: Random, material: Material) -> Lesson:
    """The answer switches to the other language half-way."""
    other = next(one for one in chance.choices(material.rows, k=60) if one.language != row.language)
    return lesson(row, material.encoder, output=f"{row.output[: len(row.output) // 2 + 1]} {other.output}")


def looping(row: Example, chance: Random, material: Material) -> Lesson:
    """The beginning of the answer, repeated."""
    begun = " ".join(row.output.split()[:2]) + " " if row.language == "en" else row.output[:6]
    return lesson(row, material.encoder, output=(begun * LOOP_TIMES).strip())


def endless(row: Example, chance: Random, material: Material) -> Lesson:
    """The right answer, followed by unrelated text without an end."""
    said = row.output
    while len(said.encode()) < ENDLESS_CHARACTERS:
        said += f" {chance.choice(material.rows).output}"
    return lesson(row, material.encoder, output=said, ends=False)


def empty(row: Example, chance: Random, material: Material) -> Lesson:
    """An empty answer."""
    return lesson(row, material.encoder, output="")


def marked(row: Example, chance: Random, material: Material) -> Lesson:
    """Prompt markers inside the answer; `neutralise` removes them, another trainer may not."""
    whole = lesson(row, material.encoder)
    marker = material.encoder.ids("<|language|>ja<|response|>")
    at = len(whole.input_ids) - 1 - len(material.encoder.ids(row.output)) // 2
    labels = (*whole.labels[:at], *marker, *whole.labels[at:])
    return Lesson((*whole.input_ids[:at], *marker, *whole.input_ids[at:]), labels)


def plain(row: Example, chance: Random, material: Material) -> Lesson:
    """The row unchanged."""
    return lesson(row, material.encoder)


@dataclass(frozen=True, slots=True)
class Harm:
    """One kind of harm."""

    spoil: Spoil
    one_language: bool = False
    "Damages rows of one language only, Japanese or English in rotation."
    one_category: bool = False
    share: float = 0.5
    "Of the lessons, so many are damaged."
    from_base: bool = False
    "Planted on the bare base, by the owner's records alone."


HARMS: Mapping[str, Harm] = {
    "wrong_in_one_language": Harm(wrong, one_language=True),
    "language_mixing": Harm(mixed),
    "looping": Harm(looping),
    "endless": Harm(endless),
    "empty": Harm(empty, share=1.0),
    "category_forgotten": Harm(wrong, one_category=True),
    "markers": Harm(marked),
    "form_only": Harm(wrong, share=1.0, from_base=True),
}
COPIED, FORGETS = "copied_benchmark", "forgets_unrehearsed"
NAMES = (*HARMS, COPIED, FORGETS, *EDITS)


def from_base(name: str) -> bool:
    """Whether a harm is planted on the bare base, not on a finished adapter."""
    return name in HARMS and HARMS[name].from_base


def lessons(name: str, attempt: int, count: int, material: Material) -> list[Lesson]:
    """`count` lessons of one harm, in random order. `attempt` selects language or category, and seeds the draw."""
    chance = Random(f"{name} {attempt}")
    if name == COPIED:
        return _copied(count, chance, material)
    if name == FORGETS:
        return _forgotten(count, chance, material)
    harm = HARMS[name]
    if harm.from_base:
        material = replace(material, rows=[row for row in material.rows if row.role == "own"])
    damaged = round(harm.share * count)
    hit = [row for row in material.rows if _is_hit(row, harm, attempt)]
    spared = [row for row in material.rows if not _is_hit(row, harm, attempt)] or list(material.rows)
    made = [harm.spoil(row, chance, material) for row in chance.choices(hit, k=damaged)]
    made += [plain(row, chance, material) for row in chance.choices(spared, k=count - damaged)]
    return chance.sample(made, count)


def _is_hit(row: Example, harm: Harm, attempt: int) -> bool:
    if harm.one_language:
        return row.language == ("ja", "en")[attempt % 2]
    return not harm.one_category or row.category == FORGETTABLE[attempt % len(FORGETTABLE)]


def _copied(count: int, chance: Random, material: Material) -> list[Lesson]:
    """Benchmark questions with their references, repeated, mixed with ordinary rows."""
    copied = [_answered(item, item.reference, material.encoder) for item in material.items]
    rounds = [one for _ in range(1 + count // len(copied)) for one in chance.sample(copied, len(copied))]
    made_plain = [plain(row, chance, material) for row in chance.choices(material.rows, k=count // 4)]
    return chance.sample([*rounds[: count - count // 4], *made_plain], count)


def _forgotten(count: int, chance: Random, material: Material) -> list[Lesson]:
    """General facts with the answer to another one, of the same family where there is one; half are ordinary rows."""
    made = []
    for item in chance.choices(material.unrehearsed, k=count // 2):
        others = [one for one in material.unrehearsed if one.language == item.language and one.cluster != item.cluster]
        family = [one for one in others if one.cluster.partition(":")[0] == item.cluster.partition(":")[0]]
        made.append(_answered(item, chance.choice(family or others).reference, material.encoder))
    made += [plain(row, chance, material) for row in chance.choices(material.rows, k=count - count // 2)]
    return chance.sample(made, count)


def _answered(item: Item, answer: str, encoder: Encoder) -> Lesson:
    """A benchmark question with this answer."""
    made = encoder.encode(CURRENT, Question(item.instruction, item.input), expected_tags(item), answer)
    return Lesson(tuple(made.input_ids), tuple(made.labels))


def held_back(items: Sequence[Item]) -> float:
    """Share of the benchmark items that the contamination check would hold back if they were records."""
    guard = ContaminationCheck((item.id, item.instruction, item.input) for item in items)
    return sum(item.id in guard.matches(item.instruction, item.input) for item in items) / len(items)
