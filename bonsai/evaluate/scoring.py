"""Scores of one answer: pure functions of the texts, without a judge model.

An answer is *right* if, after normalisation, it equals the reference, or does what the item expects: states its
values, asks back, or says that it is not known (`bonsai.evaluate.statements`). Items of v1 and of the personal set have
keywords instead (`accepts`). Creative items have no right answer and are not counted.

Normalisation makes `Ｙｅｓ、３匹。` and `yes, 三匹` equal, for comparison only:

    width, compatibility    NFKC: ｶﾞ -> ガ, Ａ -> a
    case, kana              casefold; カタカナ -> かたかな
    numerals                twenty-one, 二十一, ２１, 1,000 -> 21, 1000
    punctuation, spaces     one space; spaces between Japanese characters go

Its steps follow the answer normalisation of SQuAD (https://rajpurkar.github.io/SQuAD-explorer, `evaluate-v2.0.py`),
extended to Japanese.

chrF: Popović 2015, with sacrebleu and word order 0, because Japanese has no spaces. The habit of writing the
counter-example beside a scorer: https://github.com/UKGovernmentBEIS/inspect_ai (`scorer/_common.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from bonsai.evaluate.folding import (
    ARTICLES,
    QUOTES,
    english_numbers_in_digits,
    hiragana,
    kanji_numbers_in_digits,
    ungrouped,
)
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Scores
from bonsai.evaluate.statements import Expected, is_right, lists_more
from bonsai.ingest.tags.language import detect
from bonsai.model.prompt import ParsedCompletion

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF


SCORING_VERSION = "scoring-2"
UNIQUE_CATEGORIES = frozenset({"open_qa", "closed_qa", "classification", "translation"})
"Categories with one right answer, among items without an expected statement."

_UNSURE = 0.5
"Below this confidence, a few letters (a name) count as the reference's language."
_VERB = re.compile(r"^(?:(?:is|are) (?:called |in |)|says |は)(?=.)")
_POLITE_END = re.compile("(?:です|でした|である|だ|ます)$")
_YES = re.compile(r"(?:yes|はい|ええ)\b|はい|ええ")
_NO = re.compile(r"no\b|いいえ|いや")
_NEGATION = re.compile(r"\b(?:not|never|no|none|cannot|nor)\b|n't\b|ません|(?<![危少切])ない|なかった|なければ")
_JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]+")
_LETTER = re.compile(r"[^\W\d_]")
_ENGLISH_RUN = re.compile(r"[A-Za-z']+(?:[ ,;]+[A-Za-z']+){3,}")


def score(item: Item, completion: ParsedCompletion, *, ended: bool) -> Scores:
    """All scores of one parsed completion."""
    response = completion.response
    exact, accepted = same_answer(response, item.reference), does_as_expected(response, item)
    return Scores(
        correct=(exact or accepted) and not completion.leaked_markers if has_right_answer(item) else None,
        exact=exact,
        accepted=accepted,
        character_f1=character_f1(response, item.reference),
        chrf=chrf(response, item.reference),
        language_ok=is_in_language(response, item.language, item.reference, _asked(item)),
        looping=is_looping(response),
        ended=ended,
        empty=not normalise_answer(response),
        leaked=completion.leaked_markers,
        tags_ok=declares_expected_tags(completion, item),
    )


def has_right_answer(item: Item) -> bool:
    """Whether an answer to the item is right or wrong; a poem is neither."""
    return item.expected is not None or item.category in UNIQUE_CATEGORIES


def is_right_answer(response: str, item: Item) -> bool:
    """The answer equals the reference, or does what the item expects."""
    return same_answer(response, item.reference) or does_as_expected(response, item)


def does_as_expected(response: str, item: Item) -> bool:
    """The answer states, asks or admits what the item expects.

    A value belongs to its language; asking and admitting do not ("I don't know." to a Japanese question), so these must
    be in the asked language.
    """
    if item.expected is None:
        return accepts(response, item.reference, item.accepted, _asked(item))
    if item.expected.kind == "states":
        said = response.replace(item.input, " ") if item.input else response  # the whole passage again states nothing
        return _states_values(said, item.reference, item.expected, item.instruction)
    in_language = is_in_language(response, item.language, item.reference, _asked(item))
    return in_language and is_right(response, item.expected, item.instruction)


def _asked(item: Item) -> str:
    return f"{item.instruction}\n{item.input}"


def same_answer(response: str, reference: str) -> bool:
    """Equal after normalisation; the copula may be missing (富士山 = 富士山です), spaces are ignored."""
    forms = [_POLITE_END.sub("", normalise_answer(text)).replace(" ", "") for text in (response, reference)]
    return bool(forms[0]) and forms[0] == forms[1]


def accepts(response: str, reference: str, accepted: Sequence[str], question: str = "") -> bool:
    """The response states one of the values: "Tokyo.", or a longer sentence with it.

    A key that holds the verb of its reference ("is Tokyo", は東京) is right without it. Refused are the opposite ("Yes,
    grapes harm the kidneys" for "No, ..."), two candidates, and a list of everything.
    """
    if _is_refused(response, reference):
        return False
    if is_right(response, Expected((values_of(accepted),)), question):
        return True
    # Where the reference itself denies its key ("never onions"), so may the answer.
    said = normalise_answer(response)
    return _denies(normalise_answer(reference)) and any(_states(said, normalise_answer(key)) for key in accepted)


def values_of(keys: Sequence[str]) -> tuple[str, ...]:
    """The keys, and each without the verb and the quotation marks of its reference."""
    return tuple(dict.fromkeys(value for key in keys for value in (key, bare_value(key)) if value))


def bare_value(key: str) -> str:
    """The key without the verb and the quotation marks of its reference (は「東京」 is 東京)."""
    return _VERB.sub("", key).strip('"「」')


def _states_values(response: str, reference: str, expected: Expected, question: str) -> bool:
    """The response states the expected values. Where one value is asked for, a list of everything is refused."""
    if len(expected.accepted) == 1 and _is_refused(response, reference):
        return False
    return is_right(response, expected, question)


def _is_refused(response: str, reference: str) -> bool:
    """The answer opens with the opposite of the reference (yes for no), or lists more than it."""
    opposite = _polarity(normalise_answer(response)) * _polarity(normalise_answer(reference)) < 0
    return opposite or lists_more(response, reference)


def _states(said: str, key: str) -> bool:
    """`key` occurs in `said` as a whole word; in Japanese, which has no spaces, only digits and letters bound it."""
    return bool(key) and re.search(rf"(?<![a-z0-9.]){re.escape(key)}(?![a-z0-9]|\.\d)", said) is not None


def _polarity(text: str) -> int:
    """+1 if the answer begins with yes, -1 with no, 0 with neither."""
    return 1 if _YES.match(text) else -1 if _NO.match(text) else 0


def _denies(text: str) -> bool:
    """A negation after the opening yes or no."""
    opening = _NO.match(text) or _YES.match(text)
    return _NEGATION.search(text, opening.end() if opening else 0) is not None


def character_f1(response: str, reference: str) -> float:
    """F1 of character multisets after normalisation, spaces ignored: 0 to 1."""
    said, expected = (Counter(normalise_answer(text).replace(" ", "")) for text in (response, reference))
    common = (said & expected).total()
    return 2 * common / (said.total() + expected.total()) if common else 0.0


def chrf(response: str, reference: str) -> float:
    """chrF with word order 0 after normalisation, 0 to 100."""
    said, expected = normalise_answer(response), normalise_answer(reference)
    return float(_chrf().sentence_score(said, [expected]).score) if said and expected else 0.0


@cache
def _chrf() -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=0)


def is_in_language(response: str, language: str, reference: str, asked: str) -> bool:
    """The whole answer is in the asked language.

    A number has no language, nor has a name that the reference writes the same way (`Felis catus`). Quoting the
    question or the reference is no mixing. An empty answer fails in any language.
    """
    known = f"{asked}\n{reference}"
    strays = (_JAPANESE if language == "en" else _ENGLISH_RUN).findall(response)
    if not response.strip() or any(run not in known for run in strays):
        return False
    if not _LETTER.search(response) or (not _JAPANESE.search(reference) and same_answer(response, reference)):
        return True
    if language == "ja":
        return bool(_JAPANESE.search(response)) and detect(response).value == "ja"
    found = detect(_JAPANESE.sub("", response) if language == "en" else response)
    return found.value == language or (found.confidence < _UNSURE and detect(reference).value == language)


def declares_expected_tags(completion: ParsedCompletion, item: Item) -> bool:
    """The declared language, and the category where one is declared, match the expected ones."""
    return completion.tags.language == item.language and completion.tags.category in ("", item.category)


def is_looping(response: str) -> bool:
    """Degenerate repetition: the end repeats one unit, or most n-grams occurred before.

    Not loops: `わんわん`, `ha ha ha`, a row of dots; a list whose lines begin alike ("You can play with a ball. You can
    play with a string. ..."); a refrain said twice.
    """
    text = " ".join(response.split())
    return _repeats_at_end(text) or _repeated_share(text) > 0.5


def _repeats_at_end(text: str) -> bool:
    """The text ends in repeats of one unit; the last one may be cut off by the token limit.

    Short units need more repeats: `ははははは` and `......` are normal writing, twelve times `the cat ` is not.
    """
    if not any(character.isalnum() for character in text[-20:]):
        return False
    for size in range(1, (len(text) + 1) // 3 + 1):
        periodic = 0  # characters at the end that equal the one `size` before them
        while periodic < len(text) - size and text[-1 - periodic] == text[-1 - periodic - size]:
            periodic += 1
        repeats = 16 if size == 1 else 7 if size < 8 else 4 if size < 16 else 3
        if size + periodic + 1 >= repeats * size:  # + 1: the last space or full stop may be missing
            return True
    return False


def _repeated_share(text: str) -> float:
    """Share of repeated n-grams (4 words; 8 Japanese characters); 0 for short texts."""
    units, length = (list(text), 8) if _JAPANESE.search(text) else (text.split(), 4)
    grams = [tuple(units[at : at + length]) for at in range(len(units) - length + 1)]
    return 1 - len(set(grams)) / len(grams) if len(grams) >= 20 else 0.0


_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_SPACE_AT_CJK = re.compile(rf"(?<=[{_CJK}]) | (?=[{_CJK}])")


def normalise_answer(text: str) -> str:
    """The comparable form of `text`; Latin words and numbers stay separated by one space.

    Numerals are converted regardless of what they count, so 十分 "enough" and 10分 "ten minutes" become equal, and 一番
    becomes 1番: harmless, because both sides of a comparison are normalised and one item asks for one of them.
    """
    folded = hiragana(unicodedata.normalize("NFKC", text).translate(QUOTES).casefold())
    folded = english_numbers_in_digits(kanji_numbers_in_digits(folded))
    folded = ARTICLES.sub(" ", ungrouped(folded))
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
