"""An examination without a model, through everything that writes: the job on the disk, the worker's reports, the cache.

Only the answerer is made by hand: a pupil answers each question with its reference answer or with nonsense.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bonsai.evaluate import worker
from bonsai.evaluate.evaluation import BASE, EvaluatedModel, EvaluatedReport, EvaluationRun, from_json, to_json
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import expected_tags
from bonsai.model.answerer import Generated, Likelihood, OnProgress, Scored, ignore_progress
from bonsai.model.prompt import CURRENT, AnswerTags, Question, completion
from bonsai.system.files import write_json_atomic

DISTRACTOR_BITS = 6.0
UNTAUGHT_BITS = 2.0
"Of control facts, which no model knows: nothing teaches them."


@dataclass(frozen=True)
class StubModel:
    """What a model knows."""

    knows: Callable[[Item], bool]
    bits: Callable[[Item], float]


def ignorant(bits: float = 2.0) -> StubModel:
    return StubModel(lambda item: False, lambda item: bits)


def learned(bits: float = 1.0, *, domains: Sequence[str] = (), forgot: Sequence[str] = ()) -> StubModel:
    """Answers these domains (all for none) rightly, but for the items in `forgot`."""
    return StubModel(
        lambda item: item.domain in (domains or (item.domain,)) and item.id not in forgot, lambda item: bits
    )


@dataclass
class HandAnswerer:
    """A pupil at its desk."""

    name: str
    planned: StubModel
    known: Mapping[tuple[str, str], Item]
    "By instruction and input."

    def answers(
        self,
        questions: Sequence[Question],
        forced: Sequence[AnswerTags | None],
        max_new_tokens: int | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> list[Generated]:
        return [self._answer(self._item(question)) for question in questions]

    def _answer(self, item: Item) -> Generated:
        knows = item.domain != "control" and self.planned.knows(item)
        said = item.reference if knows else nonsense(item)
        return Generated(completion(CURRENT, expected_tags(item), said), True, 5)

    def log_likelihoods(
        self, examples: Sequence[Scored], on_progress: OnProgress = ignore_progress
    ) -> list[Likelihood]:
        made = []
        for one in examples:
            item, size = self._item(one.question), len(one.response.encode())
            bits = UNTAUGHT_BITS if item.domain == "control" else self.planned.bits(item)
            if one.response != item.reference:
                bits = DISTRACTOR_BITS
            made.append(Likelihood((bits + jitter(self.name, item.id)) * size, size))
        return made

    def logits_fingerprint(self) -> tuple[float, ...]:
        return (jitter(self.name, "logits"),)

    def _item(self, question: Question) -> Item:
        return self.known[(question.instruction, question.context)]


def nonsense(item: Item) -> str:
    """A wrong answer in the right language that no other item gets."""
    word = hashlib.sha256(item.instruction.encode()).hexdigest()[:12]
    return f"それは{word}という話です。" if item.language == "ja" else f"That would be {word} I guess."


def jitter(*names: str) -> float:
    return int(hashlib.sha256(" ".join(names).encode()).hexdigest()[:4], 16) / 65_536 / 20


@dataclass
class DeskEvaluator:
    """`Examiner` whose worker is called in this process."""

    planned_models: dict[str, StubModel] = field(default_factory=lambda: {BASE: ignorant()})
    newcomer: StubModel = field(default_factory=learned)
    asked: list[tuple[str, str]] = field(default_factory=list)
    "(model, question set) of every report that was really made."

    def evaluate(
        self, evaluation_run: EvaluationRun, on_progress: Callable[[int, int], None]
    ) -> tuple[EvaluatedReport, ...]:
        job = Path(evaluation_run.reports_folder) / "jobs" / f"{evaluation_run.created_at.replace(':', '')}.json"
        write_json_atomic(job, to_json(evaluation_run))
        read = from_json(json.loads(job.read_text("utf-8")))
        desk = worker.Session(read, "settings", "libraries")
        made = []
        for number, subject in enumerate(read.subjects):
            for question_set in read.question_sets:
                path = desk.path(subject, question_set)
                if not path.is_file():
                    self.asked.append((subject.adapter, question_set.name))
                asked = {(one.instruction, one.input): one for one in question_set.items}
                answerer = HandAnswerer(subject.adapter, self._planned(subject), asked)
                report = worker.write_report(desk, answerer, subject, question_set, path, lambda done, steps: None)
                made.append(EvaluatedReport(subject.adapter, question_set.name, path, report))
                on_progress(number + 1, len(read.subjects))
        return tuple(made)

    def _planned(self, subject: EvaluatedModel) -> StubModel:
        return self.planned_models.get(subject.adapter, self.newcomer)
