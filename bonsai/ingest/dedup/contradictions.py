"""Whether two answers to the very same question exclude each other, as far as form can tell.

The rule prefers to hold a record back, visibly, over training on both: a person releases it in one step.
"""

from __future__ import annotations

from rapidfuzz import fuzz

from bonsai.ingest.dedup.keys import content_words, denies, numbers, text_key

ANSWER_CHARACTERS = 200
"Longer answers are explanations; two of them differ without contradicting each other."
SAME_FRAME = 60.0
"rapidfuzz ratio from which two answers are one sentence with another value in it."


def contradict(question: str, one: str, other: str) -> bool:
    """Two answers to `question`, both short, clearly different.

    "Yes" and "Yes, they can." agree; "It was asthma." and "The vet said asthma." agree, for one adds nothing that the
    other lacks; "on the sofa" and "in the box" contradict, and so do yes and no, 2 and 3.
    """
    if max(len(one), len(other)) > ANSWER_CHARACTERS:
        return False
    a, b = text_key(one), text_key(other)
    if a == b:
        return False
    if denies(one) != denies(other):
        return True
    counts, other_counts = numbers(one), numbers(other)
    if counts and other_counts and not (set(counts) <= set(other_counts) or set(other_counts) <= set(counts)):
        return True
    alike = fuzz.ratio(a, b)
    words, other_words = content_words(one), content_words(other)
    if not words or not other_words:  # hiragana only, or another script
        return alike < SAME_FRAME and a not in b and b not in a
    only_one, only_other = words - other_words, other_words - words
    if not only_one or not only_other:
        return False
    said_anyway = content_words(question)
    shared = (words & other_words) - said_anyway
    return alike >= SAME_FRAME or not shared
