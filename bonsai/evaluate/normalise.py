"""Normalised form of answers for comparison: `Ｙｅｓ、３匹。` and `yes, 三匹` count as equal.

    width, compatibility    NFKC: ｶﾞ -> ガ, Ａ -> a
    case, kana              casefold; カタカナ -> かたかな
    numerals                twenty-one, 二十一, ２１, 1,000 -> 21, 1000
    punctuation, spaces     one space; spaces between Japanese characters go

For comparison only, not for display. The steps follow the answer normalisation of SQuAD
(https://rajpurkar.github.io/SQuAD-explorer, `evaluate-v2.0.py`), extended to Japanese.
"""

from __future__ import annotations

import re
import unicodedata

_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_QUOTES = {ord("’"): "'", ord("‘"): "'", ord("´"): "'"}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_UNITS = "one two three four five six seven eight nine"
_SMALL = {word: number for number, word in enumerate(f"zero {_UNITS} {_TEENS}".split())}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_ENGLISH_NUMBER = re.compile(rf"\b(?:({'|'.join(_TENS)})(?:[ -]({_UNITS.replace(' ', '|')}))?|({'|'.join(_SMALL)}))\b")
_KANJI_DIGITS = {character: number for number, character in enumerate("〇一二三四五六七八九")}
_KANJI_POWERS = {"十": 10, "百": 100, "千": 1000}
_KANJI_NUMBER = re.compile("[〇一二三四五六七八九十百千万]+")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_SPACE_AT_CJK = re.compile(rf"(?<=[{_CJK}]) | (?=[{_CJK}])")


def normalise_answer(text: str) -> str:
    """The comparable form of `text`; Latin words and numbers stay separated by one space.

    Numerals are converted regardless of what they count, so 十分 "enough" and 10分 "ten minutes" become equal, and 一番
    becomes 1番: harmless, because both sides of a comparison are normalised and one item asks for one of them.
    """
    folded = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold().translate(_KATAKANA)
    folded = _ENGLISH_NUMBER.sub(_english_number, _KANJI_NUMBER.sub(_kanji_number, folded))
    folded = _ARTICLES.sub(" ", _GROUPED.sub("", folded))
    spaced = "".join(character if _keeps(folded, at) else " " for at, character in enumerate(folded))
    return _SPACE_AT_CJK.sub("", " ".join(spaced.split()))


def _keeps(text: str, at: int) -> bool:
    """Letters, digits and signs such as % and + stay; a point only between digits (1.5 is not 15), ' within a word."""
    character = text[at]
    if character == "'":
        return 0 < at < len(text) - 1 and text[at - 1].isalpha() and text[at + 1].isalpha()
    if character in ".:" and 0 < at < len(text) - 1:
        return text[at - 1].isdigit() and text[at + 1].isdigit()
    return character == "%" or (not character.isspace() and unicodedata.category(character)[0] != "P")


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
