"""Run a question set on a model and score the answers: `run(...) -> Report`.

Each item yields an answer with the model's own tags, as a user would get it, and the bits per byte of the reference
answer and of a distractor. Decoding is greedy.

The worker `bonsai.evaluate.worker` calls this in its own process; tests call it with a hand-written answerer.
"""

from __future__ import annotations

import hashlib
import math
import platform
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from typing import Annotated, cast

from annotated_types import Ge

from bonsai.domain.records import Language, reasoning_sentence
from bonsai.errors import BenchmarkError, InputError
from bonsai.evaluate.questions import Item, item_values
from bonsai.evaluate.report import Answer, ConsistencyCheck, ItemResult, Report
from bonsai.evaluate.scoring import SCORING_VERSION, score
from bonsai.model.answerer import Answerer, Generated, Likelihood, OnProgress, Scored, ignore_progress
from bonsai.model.prompt import AnswerTags, Question, parse
from bonsai.system.files import sha256_json

CONSISTENCY_BITS = 1e-3
"Tolerance in bits per byte for a reproduced item: thread counts change the order of additions."
_LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "tokenizers", "numpy", "sacrebleu")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a question set is asked; `[benchmark]` of the settings."""

    canaries: Annotated[int, Ge(1)]
    "Number of items asked again, to check a stored report without asking everything."


@dataclass(frozen=True, slots=True)
class ReportMetadata:
    """Metadata of a report."""

    benchmark: str
    subject: str
    adapter_hash: str
    base: str
    settings_hash: str
    library_fingerprint: str
    created_at: str


def run(
    answerer: Answerer,
    items: Sequence[Item],
    settings: RunSettings,
    about: ReportMetadata,
    *,
    preferred: Collection[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Report:
    """Score the model on all items; on another fact's answer too in the `preferred` domains, or all.

    `progress` gets (steps done, total steps), also while a batch is answered. Items that cannot be asked are listed in
    the report's `errors`, which makes it invalid for the gate. Raises BenchmarkError without items.
    """
    if not items:
        raise BenchmarkError("benchmark.no_items")
    started = clock()
    phases = ("free", "likelihood", "distractors", "consistency")

    def on(phase: str) -> OnProgress:
        before = phases.index(phase) * len(items)
        return lambda done: progress(before + done, len(phases) * len(items))

    asked = list(items)
    errors: tuple[tuple[str, str], ...] = ()
    try:
        free = generate(answerer, asked, on("free"))
    except InputError:
        asked, free, errors = [], [], failing_items(answerer, items)
    likelihoods = answerer.log_likelihoods([_scored(item) for item in asked], on("likelihood")) if asked else []
    distracted = distractor_bits(answerer, asked, preferred, on("distractors"))
    results = tuple(map(_result, asked, free, likelihoods, distracted))
    checks = consistency_checks(answerer, asked, settings.canaries, on("consistency"))
    logits = answerer.logits_fingerprint()
    on("consistency")(len(items))
    return Report(
        **asdict(about), items_hash=items_hash(items), logits=logits, seconds=round(clock() - started, 3),
        items=results, canaries=checks, errors=errors,
    )  # fmt: skip


def generate(answerer: Answerer, items: Sequence[Item], on_progress: OnProgress = ignore_progress) -> list[Generated]:
    """One completion per item. Raises BenchmarkError if answers are missing."""
    if not items:
        return []
    made = answerer.answers([_question(item) for item in items], [None] * len(items), on_progress=on_progress)
    if len(made) != len(items):
        raise BenchmarkError("benchmark.answers_missing", asked=len(items), got=len(made))
    return made


def failing_items(answerer: Answerer, items: Sequence[Item]) -> tuple[tuple[str, str], ...]:
    """Items that the model cannot take (too long), each tried alone, with the error."""
    return tuple(found for item in items if (found := _error_of(answerer, item)))


def _error_of(answerer: Answerer, item: Item) -> tuple[str, str] | None:
    try:
        answerer.answers([_question(item)], [None])
    except InputError as error:
        return item.id, str(error)
    return None


def consistency_checks(
    answerer: Answerer, items: Sequence[Item], count: int, on_progress: OnProgress = ignore_progress
) -> tuple[ConsistencyCheck, ...]:
    """Answer a fixed few items again in a batch of their own: greedy results depend on the batch."""
    few = sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).hexdigest())[:count]
    made = generate(answerer, few, on_progress)
    likelihoods = answerer.log_likelihoods([_scored(item) for item in few]) if few else []
    return tuple(
        ConsistencyCheck(item.id, hashlib.sha256(said.text.encode()).hexdigest()[:16], likelihood.bits_per_byte)
        for item, said, likelihood in zip(few, made, likelihoods, strict=True)
    )


def reproduces(
    answerer: Answerer,
    report: Report,
    items: Sequence[Item],
    settings: RunSettings,
    on_progress: OnProgress = ignore_progress,
) -> bool:
    """Whether a stored report still holds: its consistency items give the same answers."""
    now = consistency_checks(answerer, items, settings.canaries, on_progress)
    return len(now) == len(report.canaries) and all(
        (new.id, new.answer_hash) == (old.id, old.answer_hash)
        and abs(new.bits_per_byte - old.bits_per_byte) <= CONSISTENCY_BITS
        for new, old in zip(now, report.canaries, strict=True)
    )


def expected_tags(item: Item) -> AnswerTags:
    """Tags that the model should declare for this item."""
    asked, answered = cast("Language", item.question_language), cast("Language", item.language)
    return AnswerTags(reasoning_sentence(asked, answered), item.category, item.language)


def items_hash(items: Sequence[Item]) -> str:
    """Hash of a question set with its references."""
    return sha256_json([item_values(item) for item in items])


def library_fingerprint(device: str) -> str:
    """Hash of all installed software that affects generation and scoring."""
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    return sha256_json([versions, platform.python_version(), platform.machine(), device, SCORING_VERSION])


def _question(item: Item) -> Question:
    return Question(item.instruction, item.input, item.language)


def _scored(item: Item) -> Scored:
    return Scored(_question(item), expected_tags(item), item.reference)


def distractors(items: Sequence[Item]) -> list[str | None]:
    """For each item the reference of another fact, of its domain and language; None where there is no other.

    The next one in the order of hashed ids, so every reference is a distractor about once.
    """
    order = sorted(range(len(items)), key=lambda i: hashlib.sha256(items[i].id.encode()).hexdigest())
    groups: dict[tuple[str, str], list[int]] = {}
    for i in order:
        groups.setdefault((items[i].domain, items[i].language), []).append(i)
    found: list[str | None] = [None] * len(items)
    for group in groups.values():
        for place, i in enumerate(group):
            others = (items[j] for j in (*group[place + 1 :], *group[:place]))
            fits = (o.reference for o in others if o.cluster != items[i].cluster and o.reference != items[i].reference)
            found[i] = next(fits, None)
    return found


def distractor_bits(
    answerer: Answerer,
    items: Sequence[Item],
    preferred: Collection[str] = (),
    on_progress: OnProgress = ignore_progress,
) -> list[float | None]:
    """Bits per byte of each item's distractor, in these domains or all; None without one, or where it is no number."""
    wanted = [not preferred or item.domain in preferred for item in items]
    chosen = [one if does else None for one, does in zip(distractors(items), wanted, strict=True)]
    asked = [replace(_scored(item), response=one) for item, one in zip(items, chosen, strict=True) if one is not None]
    made = iter(answerer.log_likelihoods(asked, on_progress) if asked else [])
    bits = [None if one is None else next(made).bits_per_byte for one in chosen]
    return [one if one is not None and math.isfinite(one) else None for one in bits]


def _result(item: Item, free: Generated, likelihood: Likelihood, distracted: float | None) -> ItemResult:
    return ItemResult(
        item.id, item.cluster, item.domain, item.category, item.language, likelihood.bits_per_byte,
        _answer(item, free), distracted,
    )  # fmt: skip


def _answer(item: Item, made: Generated) -> Answer:
    said = parse(made.text)
    tags = (said.tags.reasoning, said.tags.category, said.tags.language)
    return Answer(said.response, tags, made.tokens, score(item, said, ended=made.ended))
