"""Which of a base's own answers may be replayed, and as which rows. Pure.

A usable answer says something, in the language that was asked for, without a loop or a marker. Of one that reached its
limit the whole sentences are kept, as chat models are verbose. Rows that hold a benchmark's question, or the answer of
an item that no night teaches, are dropped too (`bonsai.ingest.dedup.contamination`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from bonsai.evaluate import questions
from bonsai.evaluate.scoring import is_in_language, is_looping, normalise_answer
from bonsai.ingest.dedup.contamination import ReplayCheck
from bonsai.model.answerer import Generated
from bonsai.model.prompt import parse
from bonsai.system.defaults import default_section
from bonsai.train import own_answers
from bonsai.train.own_answers import OwnAnswers, Prompt

_SENTENCES = re.compile(r"(?:.*(?<![\d\W])[.!?。！？](?=\s|$|[^\x00-\x7f]))?", re.DOTALL)
"Up to the last sentence that ends; `2.` opens an entry of a list."
DROPPED = ("too_long", "endless", "empty", "markers", "looping", "other_language", "tested")
"Why an answer is not replayed; `too_long`: the prompt leaves no room for an answer, so it was not asked."


def usable(base: str, prompts: Sequence[Prompt], generated: Sequence[Generated | None]) -> OwnAnswers:
    """The usable answers of a base; None for a prompt that it was not asked. Every answer is counted."""
    reasons = [_dropped(prompt, made) for prompt, made in zip(prompts, generated, strict=True)]
    rows = tuple(
        own_answers.row(prompt, _answer(made))
        for prompt, made, reason in zip(prompts, generated, reasons, strict=True)
        if made is not None and not reason
    )
    counts = Counter(filter(None, reasons))
    dropped = {reason: counts[reason] for reason in DROPPED if counts[reason]}
    return OwnAnswers(base, len(prompts), dropped, len(rows) < own_answers.FEW, rows)


def _dropped(prompt: Prompt, made: Generated | None) -> str:
    """The first reason against an answer; empty for a usable one."""
    if made is None:
        return "too_long"
    answer, question = _answer(made), prompt.question
    asked = f"{question.instruction}\n{question.context}"
    reasons = {
        "endless": not made.ended and not answer,
        "empty": not normalise_answer(answer),
        "markers": parse(made.text).leaked_markers,
        "looping": is_looping(answer),
        "other_language": not is_in_language(answer, prompt.tags.language, "", asked),
        "tested": replay_check().finds(question.instruction, question.context, answer),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _answer(made: Generated) -> str:
    """What the base said; of an answer that was cut off, its whole sentences."""
    said = parse(made.text).response
    return said if made.ended else _SENTENCES.match(said)[0].strip()  # type: ignore[index]


@cache
def replay_check() -> ReplayCheck:
    """Of every bundled version of the benchmark, its closed pools included."""
    pools = [(pool, version) for version in questions.versions() for pool in questions.manifest(version).pools]
    items = [item for pool, version in pools for item in questions.load(pool, version)]
    asked = ((item.id, item.instruction, item.input) for item in items)
    taught_by_no_night = default_section("gate")["retention_domains"]
    references = (item.reference for item in items if item.domain in taught_by_no_night)
    return ReplayCheck(asked, references, normalise_answer)
