"""What two texts are compared by: the same words, whatever their case, spaces and punctuation; the numbers; the rest.

All functions take text that `records.normalise` has seen.
"""

from __future__ import annotations

import re

_DROPPED = re.compile(r"[^\w+#%=<>*]+")
"All but letters, digits and what tells C from C++."
_DROPPED_AMONG_DIGITS = re.compile(r"(?!(?<=\d)[.:/](?=\d))(?!(?<!\w)-\d)[^\w+#%=<>*]")
"Nor what tells 1.5 from 15 and -5 from 5; a character at a time, so slower."
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d+(?:[.:/]\d+)*|[一二三四五六七八九十百千万]+(?=[つ個匹回本枚人日月年歳円時分度番])")
_WORD = re.compile(r"[a-z\u00c0-\u024f']+|[\u4e00-\u9fff々]+|[\u30a1-\u30fa\u30fc]+|\d+(?:[.:/]\d+)*")
_STOP = frozenset(
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
    """`text` without case, spaces and punctuation; a text of nothing else stays as it is."""
    dropped = _DROPPED_AMONG_DIGITS if _DIGIT.search(text) else _DROPPED
    return dropped.sub("", text.casefold()) or text


def numbers(text: str) -> tuple[str, ...]:
    """The numbers in `text`, sorted: what tells two templated questions apart."""
    return tuple(sorted(_NUMBER.findall(text)))


def content_words(text: str) -> frozenset[str]:
    """The words that carry the meaning: Latin words that are not grammar, runs of Han, of katakana, numbers."""
    found = (word.strip("'") for word in _WORD.findall(text.casefold()))
    return frozenset(_stem(word) for word in found if word and word not in _STOP)


def _stem(word: str) -> str:
    """Cats and cat are one word; so are onions and onion. No more than that: glass stays glass."""
    if word.isascii() and len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def denies(text: str) -> bool:
    """Whether an answer says no: by its first word, else by any negation in it."""
    if _YES.match(text):
        return False
    return bool(_NO.match(text) or _NEGATION.search(text))
