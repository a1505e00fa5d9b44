"""Preview of a record as training data: its tokens, and which of them the loss covers.

    seen = preview(encoder, form, row, limit=512)     # Preview(pieces=(Piece("Why", 1, "given"), ...), ...)
    costs = token_costs([...])                        # tokens a character, by language

Pure, and uses the training's own `Encoder`. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bonsai.domain.snapshots import Example
from bonsai.model.encoding import Encoder
from bonsai.model.prompt import Template, neutralise

Part = Literal["given", "declared", "answer", "end"]
"""`given` is masked: the loss leaves it out. The other three are learned."""
_UNFINISHED = "\N{REPLACEMENT CHARACTER}"
_MAX_CHARACTER_TOKENS = 6
"Tokens: bytes of one character, and a neighbour on each side that a tokenizer may have merged with them."


@dataclass(frozen=True, slots=True)
class Piece:
    """The smallest run of tokens that decodes to whole characters."""

    text: str
    tokens: int
    part: Part


@dataclass(frozen=True, slots=True)
class Preview:
    """One record as training data."""

    record_id: str
    language: str
    category: str
    pieces: tuple[Piece, ...]
    limit: int
    "Longest example that the base takes, in tokens."

    def tokens(self, *parts: Part) -> int:
        """How many tokens these parts have; without parts, all."""
        return sum(piece.tokens for piece in self.pieces if not parts or piece.part in parts)

    @property
    def too_long(self) -> bool:
        """Whether it exceeds the base's limit: it will not train, since nothing is truncated."""
        return self.tokens() > self.limit


@dataclass(frozen=True, slots=True)
class Sized:
    """A text and its length in tokens."""

    language: str
    characters: int
    tokens: int


@dataclass(frozen=True, slots=True)
class TokenCost:
    """Tokens of one language with this tokenizer."""

    language: str
    texts: int
    characters: int
    tokens: int

    @property
    def tokens_a_character(self) -> float:
        """Japanese costs Phi-2 some five times what English does: the same limit holds a fifth of the text."""
        return self.tokens / max(self.characters, 1)


def preview(encoder: Encoder, form: Template, row: Example, limit: int) -> Preview:
    """The tokens of one example, by part."""
    encoded = encoder.example(form, row)
    parts: tuple[tuple[Part, Sequence[int]], ...] = (
        ("given", encoded.prompt),
        ("declared", encoded.declaration),
        ("answer", encoded.response),
        ("end", (encoded.end,)),
    )
    pieces = [Piece(text, count, part) for part, ids in parts for text, count in _pieces(encoder, ids)]
    return Preview(row.record_id, row.language, row.category, tuple(pieces), limit)


def _pieces(encoder: Encoder, ids: Sequence[int]) -> Iterator[tuple[str, int]]:
    """(text, number of tokens); byte-level tokens are joined to whole characters."""
    start = 0
    while start < len(ids):
        ends = range(start + 1, min(start + _MAX_CHARACTER_TOKENS, len(ids)) + 1)
        end = next((end for end in ends if _UNFINISHED not in encoder.text(ids[start:end])), start + 1)
        yield encoder.text(ids[start:end]), end - start
        start = end


def sized(encoder: Encoder, text: str, language: str) -> Sized:
    """The length of one text of a record, as it trains."""
    kept = neutralise(text)
    return Sized(language, len(kept), len(encoder.ids(kept)))


def token_costs(texts: Iterable[Sized]) -> tuple[TokenCost, ...]:
    """Sums by language, most texts first."""
    sums: dict[str, tuple[int, int, int]] = {}
    for one in texts:
        count, characters, tokens = sums.get(one.language, (0, 0, 0))
        sums[one.language] = (count + 1, characters + one.characters, tokens + one.tokens)
    found = [TokenCost(language, *numbers) for language, numbers in sums.items()]
    return tuple(sorted(found, key=lambda cost: (-cost.texts, cost.language)))
