"""Folds that make equal texts equal before they are compared: kana, quotation marks, articles, numbers in words.

`bonsai.evaluate.scoring` compares whole answers, `bonsai.evaluate.statements` looks for values in them.
"""

from __future__ import annotations

import re

_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
QUOTES = {ord("’"): "'", ord("‘"): "'", ord("´"): "'"}
"For `str.translate`: one apostrophe."
ARTICLES = re.compile(r"\b(?:a|an|the)\b")

_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DIGITS = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_SMALL = {word: number for number, word in enumerate(["zero", *_DIGITS, *_TEENS])}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_ENGLISH_NUMBER = re.compile(rf"\b(?:({'|'.join(_TENS)})(?:[ -]({'|'.join(_DIGITS)}))?|({'|'.join(_SMALL)}))\b")
_KANJI_DIGITS = {character: number for number, character in enumerate("〇一二三四五六七八九")}
_KANJI_POWERS = {"十": 10, "百": 100, "千": 1000}
_KANJI_NUMBER = re.compile("[〇一二三四五六七八九十百千万]+")


def hiragana(text: str) -> str:
    """Katakana as hiragana, character for character."""
    return text.translate(_TO_HIRAGANA)


def ungrouped(text: str) -> str:
    """1,000 -> 1000."""
    return _GROUPED.sub("", text)


def english_numbers_in_digits(text: str) -> str:
    """twenty-one -> 21; the text is in lower case."""
    return _ENGLISH_NUMBER.sub(_english_number, text)


def kanji_numbers_in_digits(text: str) -> str:
    """二十一 -> 21, whatever they count: 一番 becomes 1番."""
    return _KANJI_NUMBER.sub(_kanji_number, text)


def _english_number(hit: re.Match[str]) -> str:
    tens, unit, small = hit.groups()
    return str(_SMALL[small]) if small else str(_TENS[tens] + (_SMALL[unit] if unit else 0))


def _kanji_number(hit: re.Match[str]) -> str:
    """二十一 -> 21, 千二百 -> 1200, 一九九八 -> 1998 (positional), 三万五千 -> 35000."""
    run = hit[0]
    if all(character in _KANJI_DIGITS for character in run):
        return "".join(str(_KANJI_DIGITS[character]) for character in run)
    total, section, digit = 0, 0, 0
    for character in run:
        if character in _KANJI_DIGITS:
            digit = 10 * digit + _KANJI_DIGITS[character]
        elif character == "万":
            total, section, digit = total + 10_000 * max(section + digit, 1), 0, 0
        else:
            section, digit = section + max(digit, 1) * _KANJI_POWERS[character], 0
    return str(total + section + digit)
