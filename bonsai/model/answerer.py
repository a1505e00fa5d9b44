"""The interface of a model for evaluation, `ask` and the dashboard, without torch.

`Answerer` is implemented by `bonsai.model.hf.HfAnswerer`. Batches are formed from the questions, sorted by length, so
the order in which they come changes no answer; while answers are written, batches shrink and mix as rows end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bonsai.model.prompt import AnswerTags, Question

OnProgress = Callable[[int], None]
"Called with how many questions' worth of work is done, after each batch and at every generated token: it may raise."


def ignore_progress(_done: int) -> None:
    """For callers that show none."""


@dataclass(frozen=True, slots=True)
class Generated:
    """One raw completion."""

    text: str
    "The whole completion from `<|reasoning|>` on (forced tags included), for `prompt.parse`."
    ended: bool
    "The model stopped by itself within its token budget."
    tokens: int
    "Generated tokens; forced tags and the end-of-text token are not counted."


@dataclass(frozen=True, slots=True)
class Scored:
    """A question with its reference answer, to be scored by likelihood."""

    question: Question
    tags: AnswerTags
    "The expected tags; given to the model, not scored."
    response: str


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How well a model expected a reference answer."""

    bits: float
    "Minus log2 of the probability of the response's tokens; the end-of-text token is not counted."
    bytes: int
    "UTF-8 bytes of the response: bits per byte compare languages and tokenizers."

    @property
    def bits_per_byte(self) -> float:
        """0 is certainty; 8 is what random bytes cost."""
        return self.bits / max(self.bytes, 1)


class Answerer(Protocol):
    """A base, with or without an adapter."""

    def answers(
        self,
        questions: Sequence[Question],
        forced: Sequence[AnswerTags | None],
        max_new_tokens: int | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> list[Generated]:
        """Greedy completions in the order of the questions.

        `max_new_tokens=None` is the base's own budget for the answer's language (the longest when it is unknown).
        """

    def log_likelihoods(
        self, examples: Sequence[Scored], on_progress: OnProgress = ignore_progress
    ) -> list[Likelihood]:
        """Likelihoods of the reference answers, in order."""

    def logits_fingerprint(self) -> tuple[float, ...]:
        """First-token logits of fixed questions: two models that differ anywhere differ here."""
