"""The evaluation job of a night: evaluates challenger and champion, and decides. Runs beside the accelerator.

Everything lies in the night's run folder, so the accelerator's host needs no database: `job.json` goes in,
`judgement.json`, written last, comes out, and in between each report is kept as soon as it is made. Run again
after a kill, it resumes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bonsai.errors import IntegrityError
from bonsai.evaluate import questions
from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.evaluation import (
    BASE,
    EvaluatedModel,
    EvaluatedReport,
    EvaluationRun,
    Evaluator,
    QuestionSet,
    find_report,
    fixed_question_set,
)
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Report, summary
from bonsai.evaluate.run import RunSettings
from bonsai.gate.decide import decide
from bonsai.gate.decision import Decision, Policy, decision_from_json
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import AdapterFolder, TrainingPlan

SELECTION, CONFIRMATION, SCORE = map(questions.set_name, questions.POOLS)
PERSONAL = "suite"
Accuracy = Mapping[str, Mapping[str, Mapping[str, float]]]
"domain -> language -> {before, after}; shares of right answers."
OLD_POLICY: Mapping[str, object] = {
    "guard_margin": 0.0,
    "false_promotions": 0.1,
    "min_gain_right": 0.15,
    "min_suite_gain_right": 0.15,
    "taught_domains": ("cat_care",),
    "control_domains": ("control",),
    "min_control_clusters": 20,
}
"What the policy of a job that version 0.1.0 began does not say."


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """All that the evaluation of a challenger needs."""

    night: str
    plan: TrainingPlan
    champion: EvaluatedModel
    anchor: EvaluatedModel | None
    "The oldest promoted adapter, when it is neither the champion nor the base."
    suite: tuple[Item, ...]
    left_out: tuple[str, ...]
    "Items that a compared adapter trained on, and retired ones."
    champion_must_go: bool
    "The champion learned from a record that was forgotten since."
    policy: Policy
    settings: RunSettings
    reports_folder: str
    created_at: str
    "ISO 8601, UTC."
    dealing: int = 0
    "Number of the split of the fixed questions (`bonsai.evaluate.questions`)."
    suite_version: str = ""
    level: float | None = None
    "Of the claims of progress (`bonsai.gate.error_budget`); None in jobs of before 0.2.0: the policy's alpha."
    calibrated_seeds: int = 0
    "On which the policy's minimum gains were measured; 0: they were not."
    form: EvaluatedModel | None = None
    "What learned the form of answers alone; known only while the bare base is champion."
    twin_seed: int | None = None
    "Seed of a second training of the same own rows, which calibrates the gate; None: there is none."


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hashes of what a decision rests on, by which its reports are found again."""

    benchmark: str = "v1"
    "Version of the fixed questions; what was stored before there was a second one does not name it."
    dealing: int = 0
    selection: str = ""
    "Items hash of the selection pool."
    suite: str = ""
    "Items hash of the personal set; empty without one."
    suite_version: str = ""
    suite_items: int = 0
    suite_clusters: int = 0
    "Facts that counted, without items that a compared adapter was trained on."


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Result of an evaluation job."""

    challenger: str
    "Adapter id."
    folder: str
    decision: Decision
    accuracy: Accuracy
    "On the selection pool: the champion before the night, the challenger after it."
    suite: Accuracy
    "The same on the personal set; empty without one."
    score: Mapping[str, Mapping[str, float]]
    "The challenger on the score pool, domain -> language -> share; only when it is to be promoted."
    evidence: Evidence = Evidence()


def write_job(run: Path, job: EvaluationJob) -> None:
    """Put the job into the run folder."""
    write_json_atomic(run / "job.json", to_values(job))


def read_job(run: Path) -> EvaluationJob:
    """Raises IntegrityError when there is none."""
    path = run / "job.json"
    if not path.is_file():
        raise IntegrityError("pipeline.no_job", folder=run)
    values = json.loads(path.read_text("utf-8"))
    values["policy"] = {**OLD_POLICY, **values["policy"]}
    return from_values(EvaluationJob, values)


def write_adapter(run: Path, adapter: AdapterFolder) -> None:
    """Record the trained adapter."""
    write_json_atomic(run / "adapter.json", {"id": adapter.id, "path": str(adapter.path)})


def read_adapter(run: Path) -> AdapterFolder:
    """The trained challenger, verified. Raises IntegrityError when there is none or it was altered."""
    path = run / "adapter.json"
    if not path.is_file():
        raise IntegrityError("pipeline.no_adapter", folder=run)
    values = json.loads(path.read_text("utf-8"))
    folder = Path(values["path"])
    return AdapterFolder(read_manifest(folder).adapter_id, folder)


def evaluate_challenger(
    job: EvaluationJob, adapter: AdapterFolder, evaluator: Evaluator, on_progress: Callable[[int, int], None]
) -> EvaluationResult:
    """Evaluate all models, decide, and open the confirmation pool only if the rules before it pass."""
    bench = _Evaluation(job, EvaluatedModel(adapter.id, str(adapter.path)), evaluator, on_progress)
    subjects = [bench.challenger, job.champion, EvaluatedModel(BASE), *([job.anchor] if job.anchor else [])]
    subjects += [job.form] if job.form else []
    asked = bench.ask((SELECTION, PERSONAL) if job.suite else (SELECTION,), tuple(dict.fromkeys(subjects)))
    found = bench.pair(asked, SELECTION)
    suite = bench.pair(asked, PERSONAL) if job.suite else None
    decision = decide(
        found.challenger,
        found.champion,
        base=find_report(asked, BASE, SELECTION),
        confirm=lambda: bench.pair(bench.ask((CONFIRMATION,), bench.both), CONFIRMATION),
        policy=job.policy,
        anchor=find_report(asked, job.anchor.adapter, SELECTION) if job.anchor else None,
        suite=suite,
        left_out=questions.open_and_sealed_ids(job.left_out),
        champion_must_go=job.champion_must_go,
        level=job.level,
        calibrated_seeds=job.calibrated_seeds,
        form=find_report(asked, job.form.adapter, SELECTION) if job.form else None,
        form_suite=find_report(asked, job.form.adapter, PERSONAL) if job.form and job.suite else None,
    )
    promoted = decision.verdict == "promote"
    score = find_report(bench.ask((SCORE,), (bench.challenger,)), adapter.id, SCORE) if promoted else None
    return EvaluationResult(
        challenger=adapter.id,
        folder=str(adapter.path),
        decision=decision,
        accuracy=_before_after(found),
        suite=_before_after(suite) if suite else {},
        score=_accuracy(score) if score else {},
        evidence=_evidence(job, found.challenger, suite.challenger if suite else None),
    )


def _evidence(job: EvaluationJob, selection: Report, suite: Report | None) -> Evidence:
    counting = {item.cluster for item in job.suite if item.id not in job.left_out}
    return Evidence(
        benchmark=questions.CURRENT_VERSION,
        dealing=job.dealing,
        selection=selection.items_hash,
        suite=suite.items_hash if suite else "",
        suite_version=job.suite_version,
        suite_items=len(job.suite),
        suite_clusters=len(counting),
    )


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """Asks models the question sets."""

    job: EvaluationJob
    challenger: EvaluatedModel
    evaluator: Evaluator
    on_progress: Callable[[int, int], None]

    @property
    def both(self) -> tuple[EvaluatedModel, ...]:
        return (self.challenger, self.job.champion)

    def ask(self, question_sets: tuple[str, ...], subjects: tuple[EvaluatedModel, ...]) -> tuple[EvaluatedReport, ...]:
        """One report for each model and question set."""
        job = self.job
        evaluation_run = EvaluationRun(
            base=job.plan.base,
            device=job.plan.device,
            template=job.plan.recipe.template,
            subjects=subjects,
            question_sets=tuple(map(self._by_name, question_sets)),
            settings=job.settings,
            reports_folder=job.reports_folder,
            created_at=job.created_at,
            preferred=job.policy.preferred,
        )
        return self.evaluator.evaluate(evaluation_run, self.on_progress)

    def _by_name(self, name: str) -> QuestionSet:
        return QuestionSet(PERSONAL, self.job.suite) if name == PERSONAL else fixed_question_set(name, self.job.dealing)

    def pair(self, reports: Sequence[EvaluatedReport], question_set: str) -> ReportPair:
        """Challenger and champion on a question set."""
        challenger, champion = (find_report(reports, subject.adapter, question_set) for subject in self.both)
        return ReportPair(challenger, champion)


def _before_after(pair: ReportPair) -> Accuracy:
    before, after = _accuracy(pair.champion), _accuracy(pair.challenger)
    return {
        domain: {language: {"before": share, "after": after[domain][language]} for language, share in shares.items()}
        for domain, shares in before.items()
    }


def _accuracy(report: Report) -> dict[str, dict[str, float]]:
    """Domain -> language -> share of right answers; a domain without right and wrong answers is left out."""
    found: dict[str, dict[str, float]] = {}
    for row in summary(report):
        if row.accuracy is not None:
            found.setdefault(row.domain, {})[row.language] = row.accuracy
    return found


def write_result(run: Path, result: EvaluationResult) -> None:
    """Written last: it marks the evaluation as finished."""
    write_json_atomic(run / "judgement.json", to_values(result))


def read_result(run: Path) -> EvaluationResult:
    """Raises IntegrityError when the evaluation has not ended."""
    path = run / "judgement.json"
    if not path.is_file():
        raise IntegrityError("pipeline.no_judgement", folder=run)
    values = json.loads(path.read_text("utf-8"))
    return from_values(EvaluationResult, {**values, "decision": decision_from_json(values["decision"])})
