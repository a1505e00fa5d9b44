"""Scoring 2: what an answer states, decided by value and not by phrasing.

- A bare right answer is right, and so is a longer sentence with it. Repeating the question states nothing.
- A rival beside it makes it wrong ("Tokyo or Osaka"). A denied rival does not ("not Osaka but Tokyo"), nor one in a
  clause of its own ("Saturn has rings, but Jupiter is larger"), nor a landmark (熊本県の隣の大分県).
- A rival said of what was asked is the answer (クモが6本で、昆虫は8本です). After a correction only the rest counts
  ("56... no, 54").
- Numbers, quantities, dates and times are compared by value: 1 m = 100 cm, 1時間半 = 90 minutes, 八本 = 8,
  2024-05-03 = 令和6年5月3日, a quarter to seven in the evening = 18:45.
- Words are whole words: 東京都 does not state 京都, nor New Guinea Guinea.
- Yes and no count where they open the answer, also in other words ("They do.", とんでもない). A warning states danger.
- "It is not recorded" admits; admitting and then asserting does not. A request asks; claiming to be done does not.

What needs knowledge of the world is not judged: "in other years it has 29", a question beside the point.

Pure functions of the texts. Hand-judged answers test them (`tests/unit/data/judged_answers_*.jsonl`). Extended from the
answer matching of SQuAD and of https://github.com/UKGovernmentBEIS/inspect_ai (`scorer/_match.py`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from bonsai.evaluate.folding import (
    ARTICLES,
    QUOTES,
    english_numbers_in_digits,
    hiragana,
    kanji_numbers_in_digits,
    ungrouped,
)

Kind = Literal["states", "asks", "unknown"]
"What a right answer does: state values, ask for something, or say that it is not known."

Span = tuple[int, int]
"Start and end of a mention in the folded answer."


class Moment(NamedTuple):
    """A date (year, month, day) or a time of day (hour, minute) in the text."""

    span: Span
    value: tuple[int, ...]


class Quantity(NamedTuple):
    """A number with its unit, by value (150 cm is 1.5 of length); without a known unit the dimension is empty."""

    span: Span
    number: float
    "As written; not a number for several in one (1 hour 30 minutes)."
    unit: str
    value: float
    "In the basic unit of the dimension."
    dimension: str


_MOST = 4000
"Characters of an answer that are read; a longer one repeats itself."


@dataclass(frozen=True, slots=True)
class Expected:
    """What a right answer states."""

    accepted: tuple[tuple[str, ...], ...] = ()
    "Groups of spellings and synonyms; each group is one value."
    wrong: tuple[str, ...] = ()
    "Rival values."
    at_least: int = 0
    "Groups that must be stated; 0 is all of them."
    kind: Kind = "states"


def is_right(answer: str, expected: Expected, question: str = "") -> bool:
    """Whether the answer does what is expected of it; repeating the question states nothing."""
    asked = _fold(question)
    said = _corrected(_without_echo(_fold(answer)[:_MOST], asked), expected)
    if expected.kind == "unknown":
        return _says_unknown(said) and not _invents(said, expected.wrong)
    if expected.kind == "asks":
        said = " ".join(part for part in _sentences(said) if _REQUEST.search(part))
        return bool(said) and _enough(said, expected)
    if _is_yes_or_no(expected):
        said = _opened(said)
    said = _without_choices(said, expected)
    if len(expected.accepted) > 1 and not expected.at_least and _elements(said) > len(expected.accepted):
        return False
    states = _enough(said, expected, asked) or _denies_rival(said, expected) or _warns(said, expected)
    return states and not _names_rival(said, expected, asked)


def _without_choices(said: str, expected: Expected) -> str:
    """Without the question's list of choices, if one is then chosen ("of wood, glass and paper it is glass")."""
    if len(expected.accepted) != 1 or not expected.wrong:
        return said
    choices = [*expected.wrong, *expected.accepted[0]]
    first = [next(_words(said, _fold(choice)), None) for choice in choices]
    spans = sorted((span for span in first if span), key=lambda span: (span[0], -span[1]))
    if not all(first[: len(expected.wrong)]) or len(spans) == len(expected.wrong):
        return said
    start, end = spans[0][0], max(span[1] for span in spans)
    between, at = "", start
    for span in spans:
        between, at = between + said[at : max(at, span[0])], max(at, span[1])
    chosen = said[end:]
    is_list = _BETWEEN_CHOICES.fullmatch(between) is not None
    return said[:start] + chosen if is_list and _enough(chosen, expected) else said


def _is_yes_or_no(expected: Expected) -> bool:
    return any(_fold(key) in _OPENINGS for group in expected.accepted for key in group)


def _opened(said: str) -> str:
    """A yes or no in other words, with the word before it ("They do: adult cats sleep a lot", とんでもない)."""
    for word, pattern in _REPLIES.items():
        if pattern.match(said):
            return f"{word}, {said}"
    return said


def _warns(said: str, expected: Expected) -> bool:
    """A warning states danger ("keep it away from them" for toxic, 飲ませないでください for 危険)."""
    dangerous = any(_DANGEROUS.search(_fold(key)) for group in expected.accepted for key in group)
    if not dangerous or any(_stated(said, rival, Expected()) for rival in expected.wrong):
        return False
    return len(expected.accepted) == 1 and bool(_WARNING.search(said))


def _enough(said: str, expected: Expected, asked: str = "") -> bool:
    if len(expected.accepted) == 1 or not expected.at_least:
        stated = sum(any(_stated(said, key, expected, asked) for key in group) for group in expected.accepted)
    else:
        stated = _members(said, expected, asked)
    return stated >= (expected.at_least or len(expected.accepted)) > 0


def _members(said: str, expected: Expected, asked: str) -> int:
    """Groups that are named, each in words of its own: 懐中電灯 does not name 電灯 too."""
    named = [_spans(said, group, expected, asked) for group in expected.accepted]
    every = [span for spans in named for span in spans]
    return sum(any(not any(_holds(other, span) for other in every) for span in spans) for spans in named)


def _holds(longer: Span, span: Span) -> bool:
    return longer != span and longer[0] <= span[0] and span[1] <= longer[1]


def _stated(said: str, key: str, expected: Expected, asked: str = "") -> bool:
    return any(not _denied(said, span) for span in _mentions(said, key, expected, asked))


def _elements(said: str) -> int:
    """Elements of an answer that is a bare list ("litter, a brush and a toy"); 0 for anything else."""
    parts = re.split(r"[,、]|\band\b|(?<=[^a-z ])と(?=[^a-z ])", re.sub(r"(?:です|だ)?[。.!\s]*$", "", said))
    brief = all(part.strip() and _is_brief(part) for part in parts if part.strip() or part is parts[-1])
    return sum(bool(part.strip()) for part in parts) if brief else 0


def lists_more(answer: str, reference: str) -> bool:
    """A bare list of three or more where the reference is none ("Tokyo, Kyoto, Osaka" for Tokyo)."""
    return _elements(_fold(answer)) > max(2, _elements(_fold(reference)))


def _denies_rival(said: str, expected: Expected) -> bool:
    """To a yes-or-no question, denying the rival is the answer (大丈夫ではありません)."""
    if not _is_yes_or_no(expected):
        return False
    spans = [span for rival in expected.wrong for span in _mentions(said, rival, Expected())]
    return bool(spans) and all(_denied(said, span) for span in spans)


def _mentions(said: str, key: str, expected: Expected, asked: str = "") -> Iterator[Span]:
    """Where the value occurs: by value for numbers, quantities and dates, as a whole word otherwise."""
    folded = _fold(key)
    for moments in (_dates, _times):
        if (when := moments(folded)) and when[0].span == (0, len(folded)):
            yield from (found.span for found in moments(said) if found.value == when[0].value)
            return
    if (wanted := _quantities(folded)) and wanted[0].span == (0, len(folded)):
        yield from _mentions_of_quantity(said, wanted[0], asked)
    else:
        yield from _mentions_of_word(said, key, expected)


def _mentions_of_quantity(said: str, wanted: Quantity, asked: str) -> Iterator[Span]:
    """The number, or the same quantity; "200" alone is 200 ml, and three pairs are six.

    The question's own quantity in another unit is an echo (一週間は to 一週間は何日ですか).
    """
    bare = _quantities(said.strip(" 。.!"))
    lone = len(bare) == 1 and bare[0].span == (0, len(said.strip(" 。.!"))) and not bare[0].unit
    for found in _quantities(said):
        start, end = found.span
        if not wanted.unit or lone:
            paired = _PAIRS.match(said, end) and not _PAIRS.search(asked)
            equal = found.number * (2 if paired else 1) == wanted.number
        else:
            equal = _same_quantity(found, wanted)
        other_unit = _UNITS.get(found.unit) != _UNITS.get(wanted.unit)
        if equal and not (found.dimension and other_unit and said[start:end] in asked):
            yield found.span


def _mentions_of_word(said: str, key: str, expected: Expected) -> Iterator[Span]:
    """Whole words that are part of no rival and of no longer word or name."""
    rivals = [span for rival in expected.wrong for span in _words(said, _fold(rival))]
    single = {_fold(one) for group in expected.accepted for one in group} | {_fold(one) for one in expected.wrong}
    for span in _words(said, _fold(key)):
        inside = any(_hides(rival, span) for rival in rivals)
        renamed = key[:1].isupper() and said[: span[0]].endswith("new ")  # New Guinea is not Guinea
        if not inside and not renamed and not _in_compound(said, span, single):
            yield span


def _words(said: str, key: str) -> Iterator[Span]:
    """Occurrences as a whole word; a katakana word is bounded by other characters (クロ is not in クロワッサン)."""
    text = hiragana(said)
    if not key or hiragana(key) not in text:  # most are not: no pattern to compile
        return
    for found in _word_pattern(key).finditer(text):
        start, end = found.span()
        before, after = said[start - 1 : start], said[end : end + 1]
        cut = (_KATAKANA_LETTER.match(before) and _KATAKANA_LETTER.match(said[start])) or (
            _KATAKANA_LETTER.match(after) and _KATAKANA_LETTER.match(said[end - 1])
        )
        part = _SHORT.fullmatch(key) and _HIRAGANA.match(said[start]) and not _stands_alone(said[:start], said[end:])
        opening = key in _OPENINGS and (said[:start].strip(" 、,「\"'") != "" or _NO_MATTER.match(said[end:]))
        if not cut and not part and not opening:
            yield start, end


def _stands_alone(before: str, after: str) -> bool:
    """A word of one or two kana (て for 手) among hiragana: between marks or particles, not in どんな for ドン."""
    opens = before.endswith(("では", "語は", "とは")) or not _JAPANESE.match(before[-1:])
    return opens and not (_JAPANESE.match(after) and not _PARTICLE.match(after))


@lru_cache(maxsize=4096)
def _word_pattern(key: str) -> re.Pattern[str]:
    """The word between word boundaries, in hiragana; an English plural counts (cats for cat)."""
    pattern = re.escape(hiragana(key))
    if key[0].isascii() and key[0].isalnum():
        pattern = rf"(?<![a-z0-9.]){pattern}"
    if key[-1].isascii() and key[-1].isalnum():
        pattern += r"(?:e?s)?(?![a-z0-9])" if key[-1].isalpha() and len(key) > 2 else r"(?![a-z0-9]|\.\d)"
    return re.compile(pattern)


def _hides(rival: Span, span: Span) -> bool:
    """The rival begins earlier and overlaps (東京 before 京都 in 東京都), or a longer word around it (south-east)."""
    overlaps = rival[0] < span[1] and span[0] < rival[1]
    return overlaps and (rival[0] < span[0] or (rival[0] == span[0] and rival[1] > span[1]))


def _in_compound(said: str, span: Span, values: set[str]) -> bool:
    """A kanji inside a longer word (東 in 東京), unless its neighbour is a value too (春夏秋冬); 津市 inside 大津市."""
    start, end = span
    before, after = said[start - 1 : start], said[end : end + 1]
    if end - start > 1:
        return said[end - 1] in "市町村" and bool(_KANJI.match(before)) and before not in "都道府県市郡国今現旧"
    if not _KANJI.match(said[start]):
        return False
    return any(_KANJI.match(one) and one not in values and one not in "色側" for one in (before, after))


def _denied(said: str, span: Span) -> bool:
    """Denied, excepted, or named as a thing of the past."""
    before, after = said[: span[0]], said[span[1] :]
    clause = _CLAUSE_END.split(before)[-1]
    return bool(_DENIES_BEFORE.search(clause) or _DENIES_AFTER.match(after))


def _names_rival(said: str, expected: Expected, asked: str) -> bool:
    """A rival is the answer, stands in the clause of a right value, or another candidate stands beside it."""
    stated = [spans for group in expected.accepted if (spans := _spans(said, group, expected, asked))]
    right = [min(spans, key=lambda span: (span[0], -span[1])) for spans in stated]
    for rival in expected.wrong:
        for span in _mentions(said, rival, Expected()):
            covered = any(start < span[1] and span[0] < end for start, end in right)
            if covered or _denied(said, span) or _is_landmark(said, span):
                continue
            if (
                _fold(rival) in _OPENINGS
                or _answers(said, span, asked)
                or any(_beside(said, span, one) for one in right)
            ):
                return True
    if len(expected.accepted) > 1 or " or " in asked or "または" in asked:
        return False
    return any(_is_alternative(said, span) for span in right)


def _spans(said: str, group: Sequence[str], expected: Expected, asked: str) -> list[Span]:
    return [span for key in group for span in _mentions(said, key, expected, asked) if not _denied(said, span)]


def _is_landmark(said: str, rival: Span) -> bool:
    """Says only where the right value lies (熊本県の隣の大分県, "Austria, next to Germany")."""
    return bool(_LANDMARK_AFTER.match(said, rival[1]) or _LANDMARK_BEFORE.search(said[: rival[0]]))


def _answers(said: str, rival: Span, asked: str) -> bool:
    """The rival is the whole first clause ("Ag, because..."), or is said of what was asked (昆虫は8本です)."""
    before, after = said[: rival[0]], said[rival[1] :]
    if _FIRST.fullmatch(before) and _ALONE.match(after):
        return True
    clause = re.split("[。、,.;]", before.rstrip(" 、,"))[-1].strip()
    topic = _TOPIC.fullmatch(clause)
    echoed = (clause + said[slice(*rival)]) in asked  # 鶴は千年 of the question
    if topic is None or echoed or not _is_asked(topic["of"] or topic["subject"], asked):
        return False
    return topic["of"] is None or bool(_PREDICATE.match(after))


def _is_asked(topic: str, asked: str) -> bool:
    """In the words of the question ("the cat's name" of "what is the cat called?")."""
    words = {word.removesuffix("'s") for word in topic.split()}
    return topic in asked or (topic.isascii() and words <= {"name", "answer", *re.findall(r"\w+", asked)})


def _is_alternative(said: str, span: Span) -> bool:
    """ "Tokyo or Nagoya", 東京か名古屋: two candidates are no answer."""
    return bool(_OR_AFTER.match(said[span[1] :]) or _OR_BEFORE.search(said[: span[0]]))


def _beside(said: str, rival: Span, right: Span) -> bool:
    """No clause ends between the two; a comma ends one unless it separates a list. What follows a "but" counts."""
    first, second = sorted((rival, right))
    between = said[first[1] : second[0]]
    if rival > right and _BUT.search(between):
        return True
    if _CLAUSE_END.search(between):
        return False
    if _NEXT_IN_LIST.fullmatch(between):
        return True
    parts = re.split("[,、]", between)
    if len(parts) == 1:
        return True
    head = re.split("[,、]|" + _CLAUSE_END.pattern, said[: first[0]])[-1]
    tail = re.split("[,、]|" + _CLAUSE_END.pattern, said[second[1] :])[0]
    return all(_is_brief(part) for part in (head + parts[0], *parts[1:-1], parts[-1] + tail))


def _is_brief(part: str) -> bool:
    """An element of a list, not a clause."""
    return len(part.split()) <= 2 and len(re.sub(r"[a-z0-9 ]", "", part)) <= 4 and not re.search("[はがをも]", part)


def _says_unknown(said: str) -> bool:
    return bool(_UNKNOWN.search(said)) or bool(_REQUEST.search(_sentences(said)[-1] if _sentences(said) else ""))


def _invents(said: str, wrong: Sequence[str]) -> bool:
    """Names a rival, or admits and then asserts all the same ("not recorded, but she weighs 5 kg")."""
    if any(_stated(said, rival, Expected()) for rival in wrong):
        return True
    after = _BUT.split(said)[1:]
    return any(not _admits(part) for part in after if part.strip())


def _admits(part: str) -> bool:
    """Admits or asks, be it in short ("how often is noted, but not for how many days")."""
    return bool(part.lstrip().startswith("not ") or _UNKNOWN.search(part) or _REQUEST.search(part))


def _corrected(said: str, expected: Expected) -> str:
    """What stands after a correction ("Osaka... no, Tokyo"; "Osaka? No, Tokyo" unless no is itself an answer)."""
    said = _CORRECTION.split(said)[-1]
    return said if expected.kind != "states" or _is_yes_or_no(expected) else _TURNED_DOWN.split(said)[-1]


def _without_echo(said: str, question: str) -> str:
    return said.replace(question, " ") if len(question) > 8 else said


def _sentences(said: str) -> list[str]:
    return [part for part in re.findall(r"[^。.!?]*[。.!?]?", said) if part.strip()]


def _quantities(said: str) -> list[Quantity]:
    """Numbers and quantities in the text; 1 hour 30 minutes and 1時間30分 are one."""
    made: list[Quantity] = []
    for hit in _QUANTITY.finditer(said):
        number, unit = float(hit["number"]), hit["unit"] or ""
        factor, dimension = _UNITS.get(unit, (1.0, ""))
        found = Quantity(hit.span(), number, unit, number * factor, dimension)
        if made and _continues(made[-1], found, said):
            first = made.pop()
            span = first.span[0], found.span[1]
            found = Quantity(span, math.nan, unit, first.value + found.value, dimension)
        made.append(found)
    return made


def _continues(first: Quantity, second: Quantity, said: str) -> bool:
    """The smaller unit follows the larger one; "and" joins times alone: 2 kg and 500 g may be two weights."""
    between = said[first.span[1] : second.span[0]].strip()
    if not second.dimension or first.dimension != second.dimension or between not in ("", "and", "と"):
        return False
    return _UNITS[second.unit][0] < _UNITS[first.unit][0] and (not between or first.dimension == "time")


def _same_quantity(found: Quantity, wanted: Quantity) -> bool:
    """1 m = 100 cm, but 60 minutes are no 60."""
    near = abs(found.value - wanted.value) <= 1e-6 * max(1.0, abs(wanted.value))
    return found.dimension == wanted.dimension and near


def _dates(said: str) -> list[Moment]:
    """Dates in the text: 2024-05-03, 2024/5/3, 2024年5月3日, 令和6年5月3日, May 3, 2024, 3 May 2024."""
    made: list[Moment] = []
    for pattern in _DATES:
        for hit in pattern.finditer(said):
            parts = hit.groupdict()
            year = int(parts["year"]) + _ERAS.get(parts.get("era") or "", 0)
            month = _MONTHS.get(parts["month"][:3]) or int(parts["month"])
            made.append(Moment(hit.span(), (year, month, int(parts["day"]))))
    return made


def _times(said: str) -> list[Moment]:
    """Times of day: 15:30, 3:30 pm, 午後3時半, half past 3 in the afternoon, quarter to 7, 7時15分前."""
    made: list[Moment] = []
    for pattern in _TIMES:
        for hit in pattern.finditer(said):
            parts = hit.groupdict()
            hour, late = int(parts["hour"]), _LATE.search(hit[0]) is not None
            minutes = parts.get("minute") or ("half" if parts.get("half") else "0")
            minute = _PARTS_OF_HOUR.get(minutes) or int(minutes)
            since_midnight = 60 * (hour + 12 if late and hour < 12 else hour) + (-minute if parts.get("to") else minute)
            made.append(Moment(hit.span(), (since_midnight // 60, since_midnight % 60)))
    return sorted(made, key=lambda one: (one.span[0], -one.span[1]))


@lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    """Width and case folded, numbers in digits, articles dropped; punctuation and kana stay."""
    folded = unicodedata.normalize("NFKC", text).translate(QUOTES).casefold()
    folded = ungrouped(folded)
    folded = _DECIMAL_COMMA.sub(".", folded)
    folded = _NOT.sub(" not", _CANNOT.sub("can not", folded))
    folded = _ANYTHING_BUT.sub("not", _NOTHING_BUT.sub("only", folded))
    folded = _HALF.sub("30 minutes", folded)
    folded = _ORDINAL.sub(lambda hit: str(_ORDINALS[hit[1]]) if hit[1] in _ORDINALS else hit[2], folded)
    folded = english_numbers_in_digits(folded)
    folded = _POWER.sub(lambda hit: str(int(hit[1]) * (100 if hit[2] == "hundred" else 1000)), folded)
    folded = kanji_numbers_in_digits(folded)
    folded = _AND_HALF.sub(lambda hit: f"{hit['n'] or 1}.5 {hit['unit'] or ''}", folded)
    folded = _UNIT_HALF.sub(r"\1.5\2", folded)
    return " ".join(ARTICLES.sub(" ", folded).split())


_KANJI = re.compile("[\u3400-\u9fff]")
_HIRAGANA = re.compile("[\u3041-\u3096]")
_JAPANESE = re.compile("[\u3041-\u30ff\u3400-\u9fff]")
_PARTICLE = re.compile("で|だ|と|や|は|が|を|も|の")
_SHORT = re.compile("[\u3041-\u3096]|[\u30a1-\u30fa\u30fc]{1,2}")
"Kana that begin or end many longer words: one hiragana, or two katakana, which hiragana may spell too."
_KATAKANA_LETTER = re.compile("[\u30a1-\u30fa\u30fc]")

# ---- numbers -------------------------------------------------------------------------------------------------------

_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?:\s*[a-z]))")  # 1,5 m
_HALF = re.compile(r"half an hour|半時間")
_AND_HALF = re.compile(  # two and a half; two hours and a half; an hour and a half
    r"\b(?:(?P<n>\d+)|an?(?= [a-z]))(?: (?P<unit>hour|day|week|month|year|metre|meter|kilo)s?)? and (?:a )?half\b"
)
_UNIT_HALF = re.compile(r"(?<![\d.])(\d+)(時間|日|週間|か月|ヶ月|年|分|メートル|キロ|リットル)半(?!分)")  # 1時間半
_PAIRS = re.compile(r"\s*pairs?\b|\s*対(?!\d)")
_NOT = re.compile(r"(?<=[a-z])n't\b")
_NOTHING_BUT = re.compile(r"\bnothing but\b|\bnot (?:be )?anything but\b")
_ANYTHING_BUT = re.compile(r"\banything but\b")
_CANNOT = re.compile(r"\b(?:cannot|can't)\b")
_POWER = re.compile(r"\b(\d+) (hundred|thousand)\b")

_ORDINALS = {
    word: number
    for number, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1)
}
_ORDINAL = re.compile(
    rf"\b(?:({'|'.join(_ORDINALS)})(?= of (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))|(\d+)(?:st|nd|rd|th))\b"
)

# ---- quantities, dates and times -----------------------------------------------------------------------------------

_UNIT_NAMES = {
    "length": {
        1e-3: "mm millimetre millimeter ミリ",
        1e-2: "cm centimetre centimeter センチ センチメートル",
        1.0: "m metre meter メートル",
        1e3: "km kilometre kilometer キロメートル",
    },
    "mass": {
        1e-6: "mg",
        1e-3: "g gram グラム",
        1.0: "kg kilo kilogram キロ キログラム",
    },
    "volume": {
        1e-3: "ml cc millilitre milliliter ミリリットル",
        1.0: "l litre liter リットル",
    },
    "time": {
        1.0: "second sec 秒 秒間",
        60.0: "minute min 分 分間",
        3600.0: "hour 時間",
        86400.0: "day 日 日間",
        604800.0: "week 週間",
    },
}
"By dimension: factor to its basic unit, and the names, in English without the plural's s."
_UNITS = {
    name: (factor, dimension)
    for dimension, factors in _UNIT_NAMES.items()
    for factor, names in factors.items()
    for name in names.split()
}
_UNITS |= {f"{name}s": value for name, value in _UNITS.items() if name.isascii() and len(name) > 2}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_QUANTITY = re.compile(
    rf"""
    (?<![a-z\d.])(?<!\d[:/])            # not inside v2, 1.50 or 15:30
    (?P<number>\d+(?:\.\d+)?)
    (?![\d:/]*\d)                       # nor the beginning of 15:30 or 3/5
    \s*(?P<unit>{_UNIT})?(?![a-z])
    """,
    re.VERBOSE,
)

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925}
_DATES = (
    re.compile(r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"),  # 2024-05-03
    re.compile(  # 令和6年5月3日
        rf"(?P<era>{'|'.join(_ERAS)})?(?<![\d])(?P<year>\d{{1,4}})年\s*(?P<month>\d{{1,2}})月\s*(?P<day>\d{{1,2}})日"
    ),
    re.compile(rf"(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})"),  # May 3, 2024
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}}) (?:of )?(?P<month>{_MONTH})\.?,? (?P<year>\d{{4}})"),  # 3 May 2024
)
_LATE = re.compile(r"p\.?m\b|午後|夕方|afternoon|evening")
_OF_DAY = r"(?:\s*[ap]\.?m\b\.?| in (?:morning|afternoon|evening))"
_PARTS_OF_HOUR = {"half": 30, "quarter": 15}
_TIMES = (
    re.compile(rf"(?<![\d:])(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?![\d:]){_OF_DAY}?"),  # 15:30, 3:30 pm
    re.compile(  # 午後3時半
        r"(?:午前|午後|朝|夕方|夜)?(?<!\d)(?P<hour>\d{1,2})時(?!間)(?:(?P<minute>\d{1,2})分(?P<to>前)?|(?P<half>半))?"
    ),
    re.compile(  # half past 3 in the afternoon, quarter to 7, 10 minutes past 6
        r"\b(?P<minute>half|quarter|\d{1,2}(?= minutes)) (?:minutes )?(?:past|(?P<to>to)) (?P<hour>\d{1,2})"
        rf"{_OF_DAY}?"
    ),
    re.compile(r"(?<![\d:])(?P<hour>\d{1,2})\s*[ap]\.?m\b\.?"),  # 3 p.m.
)

# ---- words that deny, join, correct, ask and admit -----------------------------------------------------------------


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_OPENINGS = frozenset({"yes", "no", "はい", "いいえ", "ええ"})
"Words that decide only where they open an answer: はい also stands in 与えてはいけません."
_NO_MATTER = re.compile(r"\s*(?:problem|doubt|worries|wonder)\b")
"No problem, no doubt: not the answer no."

_THEY_DO = r"(?:they|it|you|we|he|she|i|that) (?:can|do|does|is|are|may|should|have|has|will|did|was|were)"
_REPLIES = {
    "no": _any_of(
        _THEY_DO + r" not\s*(?:[.,:;!]|$)",
        r"(?:of course|certainly|absolutely|definitely|surely|probably) not\b|not at all\b|by no means\b|nope\b",
    ),
    "yes": _any_of(
        _THEY_DO + r"\s*(?:[.,:;!]|$)",
        r"(?:of course|certainly|absolutely|definitely|yep|yeah)\s*(?:[.,:;!]|$)",
    ),
    "いいえ": _any_of(
        r"いえ[、。]|(?:違|ちが)います|そうでは(?:ない|ありません)|そんなことは?(?:ない|ありません)",
        r"とんでも(?:ない|ありません)|(?:いい|良い|大丈夫な|そんな)わけ[がは]?(?:ない|ありません)",
    ),
    "はい": _any_of(r"そうです|そのとおり|その通り|もちろんです"),
}
_DANGEROUS = _any_of(
    r"\b(?:toxic|poisonous|dangerous|deadly|harmful|unsafe|not safe)\b", "危険|危ない|毒|だめ|いけません"
)
_WARNING = _any_of(
    r"\bbetter not\b|\bavoid\b|\b(?:do not|never) (?:let|give|feed|use|leave)\b",
    r"\bkeep [^.;]{1,30}(?:\baway\b|\bout of (?:\w+ )?reach\b)",
    r"\b(?:can|could|may|might|will) (?:kill|poison|harm)\b",
    r"(?<!心配し)(?<!気にし)ないでください|ない(?:ほう|方)が(?:いい|よい|良い|無難|安全|賢明)|命(?:にかか|に関)わ|命取り",
)

_BETWEEN_CHOICES = re.compile(r"(?:[\s,、・]|\b(?:and|or)\b|と|や|か|それとも|または)*")
_NEXT_IN_LIST = re.compile(r"\s*(?:[,、・]|,?\s*\band\b|と|や)\s*")
_CLAUSE_END = _any_of(
    r"[。!?;…]|[.:](?!\d)",  # 。 also before a number: 二番目 is 2番目
    r",?\s(?:but|while|whereas|although|though|however|because|so|instead|followed by)\s",
    r"(?:ですが|だが|が|けれど|けど|ので|から|って|して|んで)(?=[、,]?)(?<!か)(?<!いが)",
)
_DENIES_BEFORE = _any_of(
    r"\b(?:not|never|no longer|rather than|instead of|other than|except|without|neither|nor|nobody|unlike"
    r"|(?<!\bmore )(?<!\bless )than|can not)(?!\s+(?:only|just|merely|more than|less than)\b)"
    r"(?:\s+[\w']+){0,3}\s+$",  # not in the city of Osaka; "not only Osaka" is no denial
    r"\b(?:not|never|neither|nor)\s$",
)
_DENIES_AFTER = _any_of(
    r"\s*[都府県市]?\s*(?:という(?:の|こと)|って|の(?:こと)?)?"
    r"(?:で(?:は|も)?|じゃ(?:あ)?)\s*(?:な(?:い|く|か)|ありま|ございま)",  # 大阪ではありません、大阪じゃなく
    r"\s*(?:より|と同じ|と違|と異な)",  # 大阪より大きい
    r"\s*以外(?!あり)",  # 大阪以外; 大阪以外ありえません affirms
    r"\s*[はも]\s*(?:違|ちが|誤|間違)",  # 大阪は違います
    r"\s*[はも]\s*含[まみ]",  # 大阪は含みません
    r"\s*[だで]った(?:が|けど)|\s*で(?:し)?た(?:が|けど)",  # 昔は京都でしたが
    r"\s+(?:is|was|are)\s+(?:wrong|incorrect|not)\b",  # Osaka is wrong
    r"\s*[はが](?:な|あり)(?:い|ません)",  # 大阪はありません
    r"な?(?:わけ|はず)[がは]?\s*(?:な[いく]|あり(?:ません|え))",  # 大阪なわけがない
)
_OR_AFTER = re.compile(
    r"""
    [都府県市]?\s*,?\s*
    (?: \bor\b\s*(?!so\b|more\b|less\b|they\b|it\b|else\b)\w                  # Tokyo or; not "8 or so"
      | か(?![なもらかりけせれ月所国条。?、\s]|され|$)               # 東京か; not かな, から, か月, 落ち着かせ
      | または|もしくは|あるいは|それとも )
    """,
    re.VERBOSE,
)
_OR_BEFORE = _any_of(r"\w\s+or\s+$", r"(?:または|もしくは|あるいは|それとも)$", r"[^\sなも]か$")
_LANDMARK_AFTER = re.compile(r"[都府県市国]?の(?:すぐ)?(?:隣|となり|近く|そば|向かい|[東西南北]隣)")
_LANDMARK_BEFORE = re.compile(
    r"\b(?:next to|near|beside|close to|borders|bordering|(?:north|south|east|west) of)(?: \w+)?\s+$"
)
_FIRST = re.compile(r"[\s\"'「]*(?:(?:it is|it's|that is|that's)\s|答えは)?")
_ALONE = re.compile(r"[」\"']?\s*(?:です|だ)?\s*(?:[。.;]|[,、]?\s*(?:because|since|なぜなら))\s*\S")
_TOPIC = re.compile(r"(?P<of>.{2,}?)の?は|(?P<subject>.{8,}) (?:is|are|has|have)")
_PREDICATE = re.compile(r"[都府県市国]?\s*(?:です|だ|である|でしょう|で[、,]|[。、,]|$)")
_BUT = _any_of(r"\bbut\b", r"(?<=ん)が[、,]", r"(?<=す)が[、,]", r"けれど[も]?", r"けど")
_CORRECTION = re.compile(
    r"(?:\.{2,}|…|[-—–]|[,、.。])\s*(?:no|wait|sorry|i mean|いや|いえ|あ|違う|違った|訂正)\s*[、,.]\s*(?=\S)"
)
_TURNED_DOWN = re.compile(r"\?\s*(?:no|いや|いえ|いいえ|違います)\s*[、,.。]\s*(?=\S)")
_REQUEST = _any_of(
    r"\?",
    r"か[。]?$|でしょうか",
    r"教えて|お聞かせ|聞かせて",
    r"\b(?:please )?(?:tell|let|give|send) (?:me|us)\b|could you|can you",
)

_KNOWING = """know known say says said tell told recorded record records note noted notes mention mentioned stated state
given give written information way sure predict answer seen specified entry enough certain clear possible have has
appear appears foresee name"""
_UNKNOWN = _any_of(
    rf"\b(?:not|never|no)\b[^.;]{{0,40}}\b(?:{'|'.join(_KNOWING.split())})\b",  # her weight is not given
    r"\b(?:unknown|unclear|unrecorded|no idea|impossible|but not)\b",
    r"\b(?:nobody|no one) (?:knows|can)\b",
    r"\bnothing is (?:said|known|noted|written)\b",
    r"\b(?:has|have|mentions?|says?|gives?|names?) (?:no|nothing)\b",  # the diary says nothing of it
    r"; [^;]{0,40}\bis not\b",  # the name is there; the age is not
    r"(?:わか|分か|判)(?:りま(?:せん|しょう)|らな|りかね)",
    r"(?:記録|記載|情報|メモ|日記|文|記述|データ)[^。]{0,14}(?:ありません|ない|残って|なく|なし|ございません)",
    r"(?:書か|書い|記さ|記録さ|載っ|述べ|触れ|残っ|残さ|聞い|伺っ|うかがっ|教わっ|教え)[^。]{0,8}(?:ません|ない|おらず|なく)",
    r"知り(?:よう|得)|(?:知る|言う|答える|予測する|予想する|特定する|断言する|判断する|確認する)こと[^。]{0,4}(?:ません|ない)",
    r"存じ(?:ません|上げません)|知りません|知らな",
    r"不明|未定|予測(?:でき|は)|決まって(?:い)?ません",
    r"(?:お答え|答え|言え|申し上げ)[^。]{0,6}(?:ません|ない)",
)
