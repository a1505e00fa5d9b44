"""Categories that the wording alone gives away, in English and Japanese.

Only rules that are nearly always right stand here; the rest is left to the learned tagger. The order matters: a
request for a translation is one whatever else it says, and an answer that only asks back is `question_to_question`
whatever was asked.
"""

from __future__ import annotations

import re

from bonsai.domain.records import Category, Record, Tag

VERSION = "category-rules-1"
CONFIDENCE = 0.9
MAX_CHARACTERS = 300
"Of a question; what is asked stands at its beginning or its end."
PASSAGE_CHARACTERS = 60
"From this length on, an input is a passage to answer from and not an operand."

_I = re.IGNORECASE
_LANGUAGE = "(?:japanese|english|chinese|french|german|spanish|italian|korean|latin|russian|portuguese)"
_TRANSLATION = re.compile(
    rf"\btranslate (?:this|the|these|that|to|into|from|it|\W)|\btranslate\b.*\b(?:in|to|into) {_LANGUAGE}"
    r"|\btranslation (?:of|for)\b"
    rf"|\bhow (?:do|would|can) (?:you|i|we) (?:say|write|put)\b.*\bin {_LANGUAGE}"
    rf"|\b(?:what is|what's|say|write|put)\b.{{1,60}}\bin {_LANGUAGE}\b|\b{_LANGUAGE} (?:word|phrase|for)\b.*\bfor\b"
    rf"|\b(?:put|turn|change|convert|render)\b.*\b(?:into|to) {_LANGUAGE}\b"
    "|翻訳|[英和]訳|訳して|訳すと|」の訳|[日英]本?語(?:で|に)(?:何と|なんと|どう|言|いう|いえば|書|直|して|訳|すると)"
    "|[日英]本?語では(?:何|なん|どう)",
    _I,
)
_CLASSIFICATION = re.compile(
    r"^\W*(?:please )?(?:classify|categori[sz]e|sort|group)\b"
    r"|\b(?:classify|categori[sz]e) (?:each|the|these|this|them)\b"
    r"|^\W*(?:identify|tell me|say|state|decide|determine) (?:which|whether|if)\b.*(?:\bor\b|:)"
    r"|^\W*which (?:of (?:these|the following|the two)|one)\b"
    r"|^\W*(?:is|are) [^.?]{1,60} (?:a|an) [^.?,]{1,30},? or (?:a|an) [^.?]{1,30}\?"
    r"|分類|仕分け|どちらに(?:入|属|当)|(?:どの|どんな)(?:グループ|種類|カテゴリー?)に(?:入|属|当)|のどれ(?:に|です)|どれに(?:入|属|当)",
    _I,
)
_BRAINSTORMING = re.compile(
    r"\bbrainstorm|\b(?:ideas?|suggestions) (?:for|of|on|to|about|that)\b"
    r"|^\W*(?:come up with|think of|suggest|give me|give|list|name|propose|offer)\b.{0,30}"
    r"\b(?:ideas|suggestions|ways to|names for)\b"
    r"|^\W*what are (?:some|a few) (?:good |fun |creative |cheap )?(?:ideas|ways|things)\b"
    r"|アイデ[アィ]|案を|思いつ|ブレインストーミング|(?:方法|工夫|名前|遊び|おもちゃ|理由|もの|こと)を(?:\d|[一二三四五六七八九十三])+(?:つ|個)"
    r"|(?:\d|[二三四五六七八九十])+(?:つ|個)[^。？?]{0,8}(?:挙げ|あげて|教えて|考えて|出して|提案)",
    _I,
)
_WORKS = (
    "(?:poem|haiku|story|tale|limerick|song|verse|rhyme|lullaby|sonnet|dialogue|dialog|monologue|script|speech|essay"
    "|letter|email|e-mail|toast|tweet|slogan|caption|diary entry|line of poetry|one-liner|joke|fairy tale|ad)"
)
_CREATIVE = re.compile(
    rf"\b(?:write|compose|make up|create|invent|tell)\b.{{0,50}}\b{_WORKS}s?\b|^\W*(?:imagine|pretend) (?:you|that|a)\b"
    rf"|\b(?:a|one) (?:short )?(?:poem|haiku|limerick|lullaby) (?:about|on|for)\b"
    r"|俳句|川柳|短歌|(?:詩|物語|小説|童話|歌詞|手紙|日記|キャッチコピー|作文|一行|ひとこと|台詞|セリフ)を(?:\S{0,8})?(?:書|作|詠|考え|お願い)"
    r"|一句|詠んで",
    _I,
)
_ASKED_FOR_QUESTIONS = re.compile(
    r"\bquestions?\b|\brewrite|\bparaphras|\brephras|\bconvert|\bcorrect|\bedit\b|\bform\b|\bsentence|\briddle|\bjoke"
    r"|質問(?:を|文)|問題|疑問文|書き換え|言い換え|クイズ|なぞなぞ",
    _I,
)
_ASKS = re.compile(
    r"[?？]|(?:何|なに|誰|だれ|いつ|どこ|どの|どれ|なぜ|どう|いくつ|いくら)[^。]{0,40}(?:か|は)。?$"
    r"|^\W*(?:what|who|whom|whose|when|where|which|why|how)\b",
    _I,
)
_FROM_PASSAGE = re.compile(
    r"\b(?:passage|paragraph|text|article|context|reference|summar|extract|according to|based on|given)\b"
    r"|要約|抜き出|文章|本文|によると|記録から",
    _I,
)


def by_rule(record: Record) -> Tag | None:
    """The category, where a rule knows it."""
    found = _category(record)
    return Tag(found.value, "rule", CONFIDENCE, VERSION) if found else None


def _category(record: Record) -> Category | None:
    asked = record.instruction
    if len(asked) > 2 * MAX_CHARACTERS:
        asked = f"{asked[:MAX_CHARACTERS]}\n{asked[-MAX_CHARACTERS:]}"
    if _TRANSLATION.search(asked):
        return Category.TRANSLATION
    if _only_asks_back(record.output) and not _ASKED_FOR_QUESTIONS.search(asked):
        return Category.QUESTION_TO_QUESTION
    if _CLASSIFICATION.search(asked):
        return Category.CLASSIFICATION
    if not record.input:
        if _CREATIVE.search(asked):
            return Category.CREATIVE
        return Category.BRAINSTORMING if _BRAINSTORMING.search(asked) else None
    if len(record.input) >= PASSAGE_CHARACTERS and (_ASKS.search(asked) or _FROM_PASSAGE.search(asked)):
        return Category.CLOSED_QA
    return None


def _only_asks_back(answer: str) -> bool:
    """One question and nothing after it, at most a sentence before it."""
    if len(answer) > 200 or "\n" in answer:
        return False
    if not (answer.endswith(("?", "？")) or re.search(r"(?:です|ます|ました|でしょう|ません)か。$", answer)):
        return False
    return len(re.findall(r"[.。!！?？]+(?:\s|$|(?<=[。！？?]))", answer)) <= 2
