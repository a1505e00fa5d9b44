"""Scoring 2: what an answer states, decided by value and not by phrasing.

A bare right answer is right, a longer sentence with it is right; a rival beside it makes it wrong ("Tokyo or Osaka"), a
denied one does not ("not Osaka but Tokyo"), nor one in a clause of its own ("Saturn has rings, but Jupiter is larger").
Numbers, quantities and dates are compared by value: 1 m = 100 cm, 八本 = eight, 2024-05-03 = 令和6年5月3日.

Pure functions of the texts. Hand-judged answers test them (`tests/unit/data/judged_answers_*.jsonl`). Extended from the
answer matching of SQuAD and of https://github.com/UKGovernmentBEIS/inspect_ai (`scorer/_match.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["states", "asks", "unknown"]
"What a right answer does: state values, ask for something, or say that it is not known."

Span = tuple[int, int]
"Start and end of a mention in the folded answer."


class Moment(NamedTuple):
    """A date (year, month, day) or a time of day (hour, minute) in the text."""

    span: Span
    value: tuple[int, ...]


class Measure(NamedTuple):
    """A number in the basic unit of its dimension; without a known unit the dimension is empty."""

    number: float
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
    said = _corrected(_without_echo(_fold(answer)[:_MOST], _fold(question)))
    if expected.kind == "unknown":
        return _says_unknown(said) and not _invents(said, expected.wrong)
    if expected.kind == "asks":
        said = " ".join(part for part in _sentences(said) if _REQUEST.search(part))
        return bool(said) and _enough(said, expected)
    asked = _fold(question)
    if len(expected.accepted) > 1 and not expected.at_least and _elements(said) > len(expected.accepted):
        return False
    return (_enough(said, expected, asked) or _denies_rival(said, expected)) and not _names_rival(said, expected, asked)


def _enough(said: str, expected: Expected, asked: str = "") -> bool:
    stated = sum(any(_stated(said, key, expected, asked) for key in group) for group in expected.accepted)
    return stated >= (expected.at_least or len(expected.accepted)) > 0


def _stated(said: str, key: str, expected: Expected, asked: str = "") -> bool:
    return any(not _denied(said, span) for span in _mentions(said, key, expected, asked))


def _elements(said: str) -> int:
    """Elements of an answer that is a bare list ("litter, a brush and a toy"); 0 for anything else."""
    parts = re.split(r"[,、]|\band\b|(?<=[^a-z ])と(?=[^a-z ])", re.sub(r"(?:です|だ)?[。.!\s]*$", "", said))
    brief = all(part.strip() and _is_brief(part) for part in parts if part.strip() or part is parts[-1])
    return sum(bool(part.strip()) for part in parts) if brief else 0


def _denies_rival(said: str, expected: Expected) -> bool:
    """To a yes-or-no question, denying the rival is the answer (大丈夫ではありません)."""
    if not any(_fold(key) in _OPENINGS for group in expected.accepted for key in group):
        return False
    spans = [span for rival in expected.wrong for span in _mentions(said, rival, Expected())]
    return bool(spans) and all(_denied(said, span) for span in spans)


def _mentions(said: str, key: str, expected: Expected, asked: str = "") -> Iterator[Span]:
    """Where the value occurs: by value for numbers, quantities and dates, as a whole word otherwise.

    A quantity that is the question's own, in another unit, is an echo (一週間は to 一週間は何日ですか).
    """
    folded = _fold(key)
    for moments in (_dates, _times):
        if (when := moments(folded)) and when[0].span == (0, len(folded)):
            yield from (found.span for found in moments(said) if found.value == when[0].value)
            return
    quantity = _QUANTITY.fullmatch(folded)
    if quantity:
        wanted = _value(quantity)
        bare = _QUANTITY.fullmatch(said.strip(" 。.!"))
        for found in _QUANTITY.finditer(said):
            value = _value(found)
            lone = bare is not None and not bare["unit"]
            plain = not quantity["unit"] or lone
            equal = float(found["number"]) == float(quantity["number"]) if plain else _same_quantity(value, wanted)
            echoed = found[0] != folded and value.dimension != "" and found[0].strip() in asked
            if equal and not echoed:
                yield found.span()
        return
    rivals = [span for rival in expected.wrong for span in _words(said, _fold(rival))]
    single = {_fold(one) for group in expected.accepted for one in group} | {_fold(one) for one in expected.wrong}
    for span in _words(said, folded):
        inside = any(_hides(rival, span) for rival in rivals)
        if not inside and not _in_compound(said, span, single):
            yield span


def _words(said: str, key: str) -> Iterator[Span]:
    """Occurrences as a whole word; an English plural counts, and a katakana word is bounded by other kana."""
    if not key:
        return
    pattern = re.escape(_hiragana(key))
    if key[0].isascii() and key[0].isalnum():
        pattern = rf"(?<![a-z0-9.]){pattern}"
    if key[-1].isascii() and key[-1].isalnum():
        pattern += r"(?:e?s)?(?![a-z0-9])" if key[-1].isalpha() and len(key) > 2 else r"(?![a-z0-9]|\.\d)"
    for found in re.finditer(pattern, _hiragana(said)):
        start, end = found.span()
        before, after = said[start - 1 : start], said[end : end + 1]
        cut = (_KATAKANA_LETTER.match(before) and _KATAKANA_LETTER.match(said[start])) or (
            _KATAKANA_LETTER.match(after) and _KATAKANA_LETTER.match(said[end - 1])
        )
        opening = key in _OPENINGS and (said[:start].strip(" 、,「\"'") != "" or _NO_MATTER.match(said[end:]))
        if not cut and not opening:
            yield start, end


def _hides(rival: Span, span: Span) -> bool:
    """The rival begins earlier and overlaps (東京 before 京都 in 東京都), or a longer word around it (south-east)."""
    overlaps = rival[0] < span[1] and span[0] < rival[1]
    return overlaps and (rival[0] < span[0] or (rival[0] == span[0] and rival[1] > span[1]))


def _in_compound(said: str, span: Span, values: set[str]) -> bool:
    """A single kanji inside a longer word (東 in 東京), unless its neighbour is a value too (春夏秋冬)."""
    start, end = span
    if end - start > 1 or not _KANJI.match(said[start]):
        return False
    return any(
        _KANJI.match(one) and one not in values and one not in "色側"
        for one in (said[start - 1 : start], said[end : end + 1])
    )


def _denied(said: str, span: Span) -> bool:
    """Denied, excepted, or named as a thing of the past."""
    before, after = said[: span[0]], said[span[1] :]
    clause = _CLAUSE_END.split(before)[-1]
    return bool(_DENIES_BEFORE.search(clause) or _DENIES_AFTER.match(after))


def _names_rival(said: str, expected: Expected, question: str) -> bool:
    """A rival is stated in the clause of a right value, opens the answer, or another candidate stands beside it."""
    right = [
        min(spans)
        for group in expected.accepted
        if (
            spans := [
                span for key in group for span in _mentions(said, key, expected, question) if not _denied(said, span)
            ]
        )
    ]
    for rival in expected.wrong:
        for span in _mentions(said, rival, Expected(wrong=())):
            covered = any(start < span[1] and span[0] < end for start, end in right)
            if covered or _denied(said, span):
                continue
            if _fold(rival) in _OPENINGS or any(_beside(said, span, one) for one in right):
                return True
    if len(expected.accepted) > 1 or " or " in question or "または" in question:
        return False
    return any(_is_alternative(said, span) for span in right)


def _is_alternative(said: str, span: Span) -> bool:
    """ "Tokyo or Nagoya", 東京か名古屋: two candidates are no answer."""
    return bool(_OR_AFTER.match(said[span[1] :]) or _OR_BEFORE.search(said[: span[0]]))


def _beside(said: str, rival: Span, right: Span) -> bool:
    """No clause ends between the two; a comma ends one unless it separates a bare list. What follows a "but" counts."""
    first, second = sorted((rival, right))
    between = said[first[1] : second[0]]
    if rival > right and _BUT.search(between):
        return True
    if _CLAUSE_END.search(between):
        return False
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
    return any(_UNKNOWN.search(part) is None and not _REQUEST.search(part) for part in after if part.strip())


def _corrected(said: str) -> str:
    """What stands after a correction ("Osaka... no, Tokyo")."""
    return _CORRECTION.split(said)[-1]


def _without_echo(said: str, question: str) -> str:
    return said.replace(question, " ") if len(question) > 8 else said


def _sentences(said: str) -> list[str]:
    return [part for part in re.findall(r"[^。.!?]*[。.!?]?", said) if part.strip()]


def _same_quantity(found: Measure, wanted: Measure) -> bool:
    """1 m = 100 cm, but 60 minutes are no 60."""
    near = abs(found.number - wanted.number) <= 1e-6 * max(1.0, abs(wanted.number))
    return found.dimension == wanted.dimension and near


def _value(found: re.Match[str]) -> Measure:
    number, unit = float(found["number"]), found["unit"] or ""
    if unit in _UNITS:
        factor, dimension = _UNITS[unit]
        return Measure(number * factor, dimension)
    return Measure(number, "")


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
    """Times of day: 15:30, 3:30 pm, 午後3時半, half past 3 in the afternoon."""
    made: list[Moment] = []
    for pattern in _TIMES:
        for hit in pattern.finditer(said):
            parts = hit.groupdict()
            hour, late = int(parts["hour"]), _LATE.search(hit[0]) is not None
            minute = 30 if parts.get("half") else int(parts.get("minute") or 0)
            made.append(Moment(hit.span(), (hour + 12 if late and hour < 12 else hour, minute)))
    return sorted(made, key=lambda one: (one.span[0], -one.span[1]))


def _hiragana(text: str) -> str:
    """Katakana as hiragana, character for character."""
    return text.translate(_TO_HIRAGANA)


def _fold(text: str) -> str:
    """Width and case folded, numbers in digits, articles dropped; punctuation and kana stay."""
    folded = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    folded = _GROUPED.sub("", folded)
    folded = _DECIMAL_COMMA.sub(".", folded)
    folded = _NOT.sub(" not", _CANNOT.sub("can not", folded))
    folded = _HALF.sub("30 minutes", folded)
    folded = _ORDINAL.sub(lambda hit: str(_ORDINALS[hit[1]]) if hit[1] in _ORDINALS else hit[2], folded)
    folded = _ENGLISH_NUMBER.sub(_english_number, folded)
    folded = _POWER.sub(lambda hit: str(int(hit[1]) * (100 if hit[2] == "hundred" else 1000)), folded)
    folded = _KANJI_NUMBER.sub(_kanji_number, folded)
    return " ".join(_ARTICLES.sub(" ", folded).split())


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


_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_QUOTES = {ord("’"): "'", ord("‘"): "'", ord("´"): "'"}
_KANJI = re.compile("[\u3400-\u9fff]")
_KATAKANA_LETTER = re.compile("[\u30a1-\u30fa\u30fc]")

# ---- numbers -------------------------------------------------------------------------------------------------------

_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")  # 12,000
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?:\s*[a-z]))")  # 1,5 m
_HALF = re.compile(r"half an hour|半時間")
_NOT = re.compile(r"(?<=[a-z])n't\b")
_CANNOT = re.compile(r"\b(?:cannot|can't)\b")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_POWER = re.compile(r"\b(\d+) (hundred|thousand)\b")

_DIGITS = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_SMALL = {word: number for number, word in enumerate(["zero", *_DIGITS, *_TEENS])}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_ORDINALS = {
    word: number
    for number, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1)
}
_ENGLISH_NUMBER = re.compile(rf"\b(?:({'|'.join(_TENS)})(?:[ -]({'|'.join(_DIGITS)}))?|({'|'.join(_SMALL)}))\b")
_ORDINAL = re.compile(rf"\b(?:({'|'.join(_ORDINALS)})(?= of )|(\d+)(?:st|nd|rd|th))\b")
_KANJI_DIGITS = {character: number for number, character in enumerate("〇一二三四五六七八九")}
_KANJI_POWERS = {"十": 10, "百": 100, "千": 1000}
_KANJI_NUMBER = re.compile("[〇一二三四五六七八九十百千万]+")

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
_TIMES = (
    re.compile(rf"(?<![\d:])(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?![\d:]){_OF_DAY}?"),  # 15:30, 3:30 pm
    re.compile(  # 午後3時半
        r"(?:午前|午後|朝|夕方|夜)?(?<!\d)(?P<hour>\d{1,2})時(?!間)(?:(?P<minute>\d{1,2})分|(?P<half>半))?"
    ),
    re.compile(rf"(?P<half>half past) (?P<hour>\d{{1,2}}){_OF_DAY}?"),  # half past 3 in the afternoon
    re.compile(r"(?<![\d:])(?P<hour>\d{1,2})\s*[ap]\.?m\b\.?"),  # 3 p.m.
)

# ---- words that deny, join, correct, ask and admit -----------------------------------------------------------------


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_OPENINGS = frozenset({"yes", "no", "はい", "いいえ", "ええ"})
"Words that decide only where they open an answer: はい also stands in 与えてはいけません."
_NO_MATTER = re.compile(r"\s*(?:problem|doubt|worries|wonder)\b")
"No problem, no doubt: not the answer no."

_CLAUSE_END = _any_of(
    r"[。.!?;:…](?!\d)",
    r",?\s(?:but|while|whereas|although|though|however|because|so|instead)\s",
    r"(?:ですが|だが|が|けれど|けど|ので|から|って|して|んで)(?=[、,]?)(?<!か)(?<!いが)",
)
_DENIES_BEFORE = _any_of(
    r"\b(?:not|never|no longer|rather than|instead of|other than|except|without|neither|nor|nobody|unlike|than|can not)"
    r"(?!\s+(?:only|just|merely))(?:\s+[\w']+){0,3}\s+$",  # not in the city of Osaka; "not only Osaka" is no denial
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
)
_OR_AFTER = re.compile(
    r"""
    [都府県市]?\s*,?\s*
    (?: \bor\b\s*(?!so\b|more\b|less\b)\w                   # Tokyo or; not "8 or so"
      | か(?![なもらかり月所国条。?、\s]|$)                      # 東京か; not かな, から, かもしれません, か月
      | または|もしくは|あるいは|それとも )
    """,
    re.VERBOSE,
)
_OR_BEFORE = _any_of(r"\w\s+or\s+$", r"(?:または|もしくは|あるいは|それとも)$", r"[^\sなも]か$")
_BUT = _any_of(r"\bbut\b", r"(?<=ん)が[、,]", r"(?<=す)が[、,]", r"けれど[も]?", r"けど")
_CORRECTION = re.compile(
    r"(?:\.{2,}|…|[-—–]|,|\.)\s*(?:no|wait|sorry|i mean|いや|いえ|あ|違う|違った|訂正)\s*[、,.]\s*(?=\S)"
)
_REQUEST = _any_of(
    r"\?",
    r"か[。]?$|でしょうか",
    r"教えて|お聞かせ|聞かせて",
    r"\b(?:please )?(?:tell|let) (?:me|us)\b|could you|can you",
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
    r"知り(?:よう|得)|(?:知る|言う|答える)こと[^。]{0,4}(?:ません|ない)",
    r"存じ(?:ません|上げません)|知りません|知らな",
    r"不明|未定|予測(?:でき|は)|決まって(?:い)?ません",
    r"(?:お答え|答え|言え|申し上げ)[^。]{0,6}(?:ません|ない)",
)
