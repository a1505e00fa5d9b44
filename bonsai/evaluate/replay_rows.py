"""Which of a base's own answers may be replayed, and as which rows. Pure.

A usable answer has no fault (`bonsai.evaluate.faults`). Of one that reached its limit the whole sentences are kept, as
chat models are verbose. Rows that hold a benchmark's question, or the answer of an item that no night teaches, are
dropped too (`bonsai.ingest.dedup.contamination`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

from bonsai.evaluate import questions
from bonsai.evaluate.faults import FAULTS, fault_of, whole_sentences
from bonsai.evaluate.scoring import normalise_answer
from bonsai.ingest.dedup.contamination import ReplayCheck
from bonsai.model.answerer import Generated
from bonsai.model.prompt import parse
from bonsai.system.defaults import default_section
from bonsai.train import own_answers
from bonsai.train.own_answers import OwnAnswers, Prompt

DROPPED = ("too_long", *FAULTS, "tested")
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
    said, question = parse(made.text), prompt.question
    asked = f"{question.instruction}\n{question.context}"
    fault = fault_of(said.response, ended=made.ended, asked=asked, language=prompt.tags.language)
    tested = not fault and replay_check().finds(question.instruction, question.context, _answer(made))
    return "tested" if tested else fault


def _answer(made: Generated) -> str:
    """What the base said; of an answer that was cut off, its whole sentences."""
    return whole_sentences(parse(made.text).response, ended=made.ended)


@cache
def replay_check() -> ReplayCheck:
    """Of every bundled version of the benchmark, its closed pools included."""
    pools = [(pool, version) for version in questions.versions() for pool in questions.manifest(version).pools]
    items = [item for pool, version in pools for item in questions.load(pool, version)]
    asked = ((item.id, item.instruction, item.input) for item in items)
    taught_by_no_night = default_section("gate")["retention_domains"]
    references = (item.reference for item in items if item.domain in taught_by_no_night)
    return ReplayCheck(asked, references, normalise_answer)
