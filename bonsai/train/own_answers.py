"""Own answers of a base: what it says to general prompts before it learns anything, replayed against forgetting.

The prompts ship with the package. `bonsai.evaluate.replay_worker` has the base answer them once and keeps the usable
answers in one file of the home. Self-generated samples keep what a model can: Sun et al. 2020 (LAMOL,
https://arxiv.org/abs/1909.03329), Huang et al. 2024 (https://arxiv.org/abs/2403.01244).
"""

from __future__ import annotations

import gzip
import json
import random
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from bonsai.domain.records import Language, content_id, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.errors import IntegrityError
from bonsai.model.prompt import AnswerTags, Question
from bonsai.system.files import write_atomic
from bonsai.system.json_values import from_values

FORMAT = 2
"Of the file and of the choice of its rows; a file of another format has another name."
FEW = 100
"Fewer usable answers than this cover little of what a base can; the file and the night's report say so."
_PROMPTS = "replay_prompts.toml"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt on a general topic, with the tags of its answer."""

    question: Question
    asked_in: Language
    tags: AnswerTags


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """A base's usable answers."""

    base: str
    "Its name in the settings."
    prompts: int
    "How many it was asked."
    dropped: Mapping[str, int]
    "Answers that were not kept, by reason (`bonsai.evaluate.replay_rows.DROPPED`)."
    few: bool
    "Fewer than FEW are left."
    rows: tuple[Example, ...] = ()


def prompts_text() -> str:
    """The shipped file."""
    return (resources.files(__package__) / _PROMPTS).read_text("utf-8")


@cache
def prompts() -> tuple[Prompt, ...]:
    """All shipped prompts."""
    return tuple(map(_prompt, tomllib.loads(prompts_text())["prompt"]))


def _prompt(values: Mapping[str, Any]) -> Prompt:
    asked: Language = values["language"]
    answered: Language = values.get("answer_language", asked)
    tags = AnswerTags(reasoning_sentence(asked, answered), values["category"], answered)
    return Prompt(Question(values["text"], values.get("input", "")), asked, tags)


def row(prompt: Prompt, answer: str) -> Example:
    """A prompt with its answer as a row that trains."""
    question, tags = prompt.question, prompt.tags
    return Example(
        record_id=content_id(question.instruction, question.context, answer),
        role="anchor",
        instruction=question.instruction,
        context=question.context,
        reasoning=tags.reasoning,
        category=tags.category,
        language=tags.language,
        output=answer,
    )


def samples(rows: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Up to `count` rows, each once, Japanese and English in turns as long as there are both."""
    chance = random.Random(f"{seed}/own answers")
    languages = sorted({one.language for one in rows})
    decks = [[one for one in rows if one.language == language] for language in languages]
    turns = zip_longest(*(chance.sample(deck, len(deck)) for deck in decks))
    return [one for one in chain.from_iterable(turns) if one is not None][:count]


def write(path: Path, answers: OwnAnswers) -> None:
    """Write the file: a line about all of them, then a line a row. Gzipped; the same answers give the same bytes."""
    about = {name: value for name, value in asdict(answers).items() if name != "rows"}
    lines = [about, *map(asdict, answers.rows)]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_atomic(path, gzip.compress(content.encode(), mtime=0))


def read(path: Path) -> OwnAnswers:
    """The file's content. Raises IntegrityError when it is missing or damaged."""
    try:
        about, *rows = map(json.loads, gzip.decompress(path.read_bytes()).decode().rstrip("\n").split("\n"))
        return from_values(OwnAnswers, {**about, "rows": rows})
    except (OSError, EOFError, zlib.error, ValueError, TypeError) as error:
        raise IntegrityError("training.own_answers_damaged", path=path) from error
