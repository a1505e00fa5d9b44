"""Tokenisation, shared by training, inference and scoring.

Prompt, declaration and response are tokenised separately and joined: the loss mask and the response's bits are exact
for every tokenizer, because no token spans a boundary. The end token is appended as an id; text can never
spell it (`prompt.neutralise`).

Uses the small `tokenizers` library alone, so counting tokens loads neither torch nor transformers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bonsai.domain.snapshots import Example
from bonsai.errors import TrainingError
from bonsai.model.bases import base_values
from bonsai.model.prompt import END, AnswerTags, Question, Template, declaration, harmless, prompt

IGNORED = -100
"The label of a token that the loss leaves out (torch's `ignore_index`)."


HELD = -200
"The label of a token that is not learned but held to what the base would say; it counts among a batch's tokens."


class _Encoding(Protocol):
    @property
    def ids(self) -> list[int]: ...


class RawTokenizer(Protocol):
    """What is used of `tokenizers.Tokenizer`."""

    def encode(self, sequence: str, *, add_special_tokens: bool = ...) -> _Encoding:
        """Ids of a text."""

    def decode(self, ids: list[int], skip_special_tokens: bool = ...) -> str:
        """Text of ids."""

    def token_to_id(self, token: str) -> int | None:
        """Id of a whole token."""

    def to_str(self) -> str:
        """The whole tokenizer as JSON."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One training example in token ids; the three parts follow each other."""

    prompt: tuple[int, ...]
    declaration: tuple[int, ...]
    response: tuple[int, ...]
    "Without the end-of-text token."
    end: int
    "The end-of-text token's id."
    taught: bool = True
    "False: nothing of it is learned; it is there for what the base makes of it."

    @property
    def input_ids(self) -> list[int]:
        """Everything, ending with the end-of-text token."""
        return [*self.prompt, *self.declaration, *self.response, self.end]

    @property
    def labels(self) -> list[int]:
        """As long as `input_ids`: the prompt is ignored, the completion with its end learned or held to the base."""
        completion = self.input_ids[len(self.prompt) :]
        return [IGNORED] * len(self.prompt) + (completion if self.taught else [HELD] * len(completion))


@dataclass(frozen=True, slots=True)
class Encoder:
    """A tokenizer with the project's prompt."""

    tokenizer: RawTokenizer
    ends: tuple[int, ...]
    "Ids of the tokens that end an answer; the first is the one that training appends."
    start: tuple[int, ...] = ()
    "Ids that the tokenizer puts before every text (BOS); without it, Gemma's answers cost twice the bits."

    @property
    def end(self) -> int:
        """Id of the token that training appends to an answer."""
        return self.ends[0]

    def ids(self, text: str) -> tuple[int, ...]:
        """Token ids of a piece of text."""
        return tuple(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def text(self, ids: Sequence[int]) -> str:
        """Text of token ids, markers included."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=False)

    def ends_of(self, template: Template) -> tuple[int, ...]:
        """Ids of the tokens that end an answer under a template: its turn's end first, if it has one."""
        turn = self.tokenizer.token_to_id(template.turn_end) if template.turn_end else None
        return self.ends if turn is None else tuple(dict.fromkeys((turn, *self.ends)))

    def question(self, template: Template, question: Question, forced: AnswerTags | None = None) -> tuple[int, ...]:
        """The prompt of the model; with `forced` tags their declaration follows the prompt."""
        head = self.ids(prompt(template, question))
        if head[: len(self.start)] != self.start:  # a chat template may write it itself
            head = self.start + head
        return head if forced is None else head + self.ids(declaration(template, forced))

    def encode(self, template: Template, question: Question, tags: AnswerTags, response: str) -> Encoded:
        """A question with its answer."""
        return Encoded(
            prompt=self.question(template, question),
            declaration=self.ids(declaration(template, tags)),
            response=self.ids(harmless(template, response)),
            end=self.ends_of(template)[0],
        )

    def example(self, template: Template, row: Example) -> Encoded:
        """A snapshot's row."""
        tags = AnswerTags(row.reasoning, row.category, row.language)
        return self.encode(template, Question(row.instruction, row.context), tags, row.output)

    def tokens(self, template: Template, row: Example) -> int:
        """Length of a snapshot's row in tokens, the end included."""
        return len(self.example(template, row).input_ids)

    @property
    def digest(self) -> str:
        """SHA-256 of the tokenizer's whole definition, and of the end tokens where they are not END alone."""
        usual = self.ends == (self.tokenizer.token_to_id(END),)
        return hashlib.sha256((self.tokenizer.to_str() + ("" if usual else str(self.ends))).encode()).hexdigest()


def encoder_of(tokenizer: RawTokenizer, ends: Sequence[int] = ()) -> Encoder:
    """An encoder with these end tokens, or with END.

    Raises TrainingError for a tokenizer without either.
    """
    end = tokenizer.token_to_id(END)
    if not ends and end is None:
        raise TrainingError("model.no_end_token", token=END)
    return Encoder(tokenizer, tuple(ends) or (end,), _before_every_text(tokenizer))  # type: ignore[arg-type]


def _before_every_text(tokenizer: RawTokenizer) -> tuple[int, ...]:
    """What the tokenizer's post-processor puts before a text."""
    with_special, plain = (tokenizer.encode("a", add_special_tokens=special).ids for special in (True, False))
    at = next((i for i in range(len(with_special)) if with_special[i : i + len(plain)] == plain), 0)
    return tuple(with_special[:at])


def load_encoder(folder: Path) -> Encoder:
    """The encoder of a base's folder: `tokenizer.json`, and the end tokens that its other files name."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return encoder_of(tokenizer, _ends(folder, tokenizer))


def _ends(folder: Path, tokenizer: RawTokenizer) -> list[int]:
    """End tokens of the generation configuration, else of the model's, and the tokenizer's own, which comes first."""
    generation, model, words = (
        base_values(folder / name) for name in ("generation_config.json", "config.json", "tokenizer_config.json")
    )
    found = generation.get("eos_token_id")
    if found is None:
        found = model.get("eos_token_id", (model.get("text_config") or {}).get("eos_token_id"))
    ids = [found] if isinstance(found, int) else list(found or ())
    word = words.get("eos_token")
    word = word.get("content") if isinstance(word, dict) else word
    own = tokenizer.token_to_id(word) if word else None
    return list(dict.fromkeys([own, *ids] if own is not None else ids))
