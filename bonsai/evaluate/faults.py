"""What is wrong with an answer, whatever was asked: nobody should take it for one. Pure.

A base's own answers with a fault are not replayed, and a model's answer with one is not shown as an answer.
"""

from __future__ import annotations

import re

from bonsai.evaluate.scoring import is_in_language, is_looping, normalise_answer
from bonsai.ingest.tags.language import asks_for_language, guess_question
from bonsai.model.prompt import leaks_markers

_SENTENCES = re.compile(r"(?:.*(?<![\d\W])[.!?。！？](?=\s|$|[^\x00-\x7f]))?", re.DOTALL)
"Up to the last sentence that ends; `2.` opens an entry of a list."
_BROKEN = "\ufffd"
"What stands for a character that was cut in two."
FAULTS = ("endless", "empty", "broken", "markers", "looping", "other_language")


def whole_sentences(said: str, *, ended: bool) -> str:
    """What was said; of an answer that reached its limit, its whole sentences."""
    return said if ended else _SENTENCES.match(said)[0].strip()  # type: ignore[index]


def fault_of(said: str, *, ended: bool, asked: str, language: str) -> str:
    """The first of FAULTS; empty for an answer. `language` is that of the answer, or empty for any."""
    answer = whole_sentences(said, ended=ended)
    faults = {
        "endless": not ended and not answer,
        "empty": not normalise_answer(answer),
        "broken": _BROKEN in answer,
        "markers": leaks_markers(said),
        "looping": is_looping(answer),
        "other_language": bool(language) and not is_in_language(answer, language, "", asked),
    }
    return next((fault for fault, holds in faults.items() if holds), "")


def language_of_answer(instruction: str, context: str = "") -> str:
    """The language that an answer is expected in: ja, en, or empty where the question asks for one or does not tell."""
    language = guess_question(instruction, context).language
    return language if language in ("ja", "en") and not asks_for_language(instruction) else ""
