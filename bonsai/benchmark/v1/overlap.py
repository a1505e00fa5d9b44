"""How much of one question stands in another: the share of its character shingles.

Normalised as the leak guard does: NFKC, case folded, without spaces and punctuation. Containment is asymmetric on
purpose: a short question hidden in a long one is a leak, a long one that shares a few words with a short one is not.
"""

from __future__ import annotations

import unicodedata

SHINGLE_CHARACTERS = 5


def normalised(question: str) -> str:
    """The question's letters and digits."""
    folded = unicodedata.normalize("NFKC", question).casefold()
    return "".join(character for character in folded if character.isalnum())


def containment(question: str, other: str) -> float:
    """Share of the question's shingles that occur in the other text, 0 to 1."""
    ours, theirs = shingles(normalised(question)), shingles(normalised(other))
    return len(ours & theirs) / len(ours)


def shingles(text: str) -> set[str]:
    """All runs of SHINGLE_CHARACTERS characters; a shorter text is its own shingle."""
    starts = range(max(1, len(text) - SHINGLE_CHARACTERS + 1))
    return {text[start : start + SHINGLE_CHARACTERS] for start in starts}
