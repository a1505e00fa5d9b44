"""Text comparison: keys without case and punctuation, numbers, content words, negation, contradiction.

All functions take normalised text (`bonsai.domain.characters.normalise`).
"""

from __future__ import annotations

import re

from rapidfuzz import fuzz

_DROPPED = re.compile(r"[^\w+#%=<>*]+")
"Everything but letters, digits and the signs that distinguish C from C++."
_DROPPED_AMONG_DIGITS = re.compile(r"(?!(?<=\d)[.:/](?=\d))(?!(?<!\w)-\d)[^\w+#%=<>*]")
"Also keeps what distinguishes 1.5 from 15 and -5 from 5; slower, one character at a time."
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d+(?:[.:/]\d+)*|[一二三四五六七八九十百千万]+(?=[つ個匹回本枚人日月年歳円時分度番])")
_WORD = re.compile(r"[a-z\u00c0-\u024f']+|[\u4e00-\u9fff々]+|[\u30a1-\u30fa\u30fc]+|\d+(?:[.:/]\d+)*")
STOP_WORDS = frozenset(
    "a an the of to in on at for with by from and or but is are was were be been do does did has have had it its this "
    "that these those i you he she they we my your his her their our me him them us can could would should will may "
    "might must shall what which who whom whose when where why how there here as if so then than not no yes any some "
    "okay ok please tell say about one s t m re ll ve d".split()
)
_YES = re.compile(r"^\W*(?:yes|yeah|yep|sure|of course|certainly|はい|ええ|うん|もちろん)(?![a-z])", re.IGNORECASE)
_NO = re.compile(r"^\W*(?:no|nope|never|いいえ|いや|だめ|ダメ)(?![a-z])", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not|never|cannot|no|none|nothing|neither|nor)\b|n't\b|n’t\b|ない|ません|なかった|ぬ[。、]|ず[にが、。]|禁止|いけ|だめ|ダメ",
    re.IGNORECASE,
)


def text_key(text: str) -> str:
    """`text` without case, spaces and punctuation; unchanged if nothing would remain."""
    dropped = _DROPPED_AMONG_DIGITS if _DIGIT.search(text) else _DROPPED
    return dropped.sub("", text.casefold()) or text


def numbers(text: str) -> tuple[str, ...]:
    """The numbers in `text`, sorted: they distinguish templated questions."""
    return tuple(sorted(_NUMBER.findall(text)))


def content_words(text: str) -> frozenset[str]:
    """Content words: Latin words without stop words, runs of Han and of katakana, numbers."""
    found = (word.strip("'") for word in _WORD.findall(text.casefold()))
    return frozenset(_stem(word) for word in found if word and word not in STOP_WORDS)


def _stem(word: str) -> str:
    """Strip a plural s: cats and cat are one word; glass stays glass."""
    if word.isascii() and len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def denies(text: str) -> bool:
    """Whether an answer is negative: by its first word, else by any negation."""
    if _YES.match(text):
        return False
    return bool(_NO.match(text) or _NEGATION.search(text))


ANSWER_CHARACTERS = 200
"Longer answers are explanations; two of them differ without contradicting each other."
SAME_FRAME = 60.0
"rapidfuzz ratio from which two answers are one sentence with another value in it."


def contradict(question: str, one: str, other: str) -> bool:
    """Whether two short answers to `question` exclude each other, as far as their form can tell.

    Prefers a false positive, which a person releases in one step, over training on both. "Yes" and "Yes, they can."
    agree, and so do "It was asthma." and "The vet said asthma.", since one adds nothing; "on the sofa" and "in the
    box" contradict, and so do yes and no, 2 and 3.
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
    ratio = fuzz.ratio(a, b)
    words, other_words = content_words(one), content_words(other)
    if not words or not other_words:  # hiragana only, or another script
        return ratio < SAME_FRAME and a not in b and b not in a
    only_one, only_other = words - other_words, other_words - words
    if not only_one or not only_other:
        return False
    question_words = content_words(question)
    shared = (words & other_words) - question_words
    return ratio >= SAME_FRAME or not shared
