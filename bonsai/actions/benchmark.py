"""Manual benchmarking: run a pool on an adapter, read and compare stored reports, and compute the power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE
from bonsai.errors import UnknownId, UsageError
from bonsai.evaluate import questions
from bonsai.evaluate.compare import ACCURACY, BeyondControl, Comparison, ReportPair, Slice, compare, slices
from bonsai.evaluate.evaluation import EvaluatedModel, EvaluationRun, QuestionSet, fixed_question_set
from bonsai.evaluate.power import DetectableEffect, clusters_needed, detectable_effects, smallest_gain
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Report
from bonsai.gate.decision import Policy
from bonsai.gate.rules import ALL, Claim, claims_of, weigh
from bonsai.model.bases import find_device
from bonsai.night import evaluation_job
from bonsai.night.prepare import Claims, claims_tonight
from bonsai.queries import answers
from bonsai.queries.adapters import adapter_id
from bonsai.system.json_values import from_values
from bonsai.system.progress import Progress, silent
from bonsai.system.progress import Report as Tell
from storage.connect import Connection
from storage.tables import adapters_table, holdout_access_table, personal_set_table, promotions_table

CONFIRMATION = "confirmation"
"Only the gate opens it: every look uses it up."
SCORE = "score"
"Champions only: choosing candidates by their score would invalidate it."
PERSONAL = "suite"
"The personal set."


@dataclass(frozen=True, slots=True)
class PowerAnalysis:
    """Statistical power of one question set."""

    question_set: str
    challenger: str
    champion: str
    "The two models whose differences were measured."
    alpha: float
    power: float
    effects: tuple[DetectableEffect, ...]
    "All, each language, each (domain, language); in bits and in right answers."
    smallest_promoted: float | None
    "Bits/byte beyond control that must truly be gained to pass rule C with probability `power`; None: too few facts."
    minimum_gain: float
    "Gain that the policy requires, besides a lower bound above 0."
    facts_to_see_minimum: int | None
    "Number of such facts needed to detect the policy's minimum gain."


def run_benchmark(b: Bonsai, adapter: str, pool: str, now: datetime, tell: Tell = silent) -> Report:
    """Run a pool, or read its report if a stored one still reproduces.

    Raises UsageError for the confirmation pool, the score pool of an adapter that was never champion, an empty personal
    set or an unknown pool; UnknownId.
    """
    profile = b.config.profiles[b.find_profile()]
    with b.database.reading() as con:
        subject = adapter_id(con, adapter)
        _require_open(con, pool, subject)
        folder = "" if subject == BASE else adapters_table.get(con, subject).folder
        question_set = _question_set(con, pool)
    evaluation_run = EvaluationRun(
        base=profile.base,
        device=find_device().kind,
        template=profile.recipe.template,
        subjects=(EvaluatedModel(subject, folder),),
        question_sets=(question_set,),
        settings=b.config.benchmark,
        reports_folder=str(b.places.reports),
        created_at=now.isoformat(),
        preferred=b.config.gate.policy.preferred,
    )
    evaluated = b.evaluator.evaluate(evaluation_run, lambda done, total: tell(Progress("benchmark", done, total)))
    return evaluated[0].report


def _require_open(con: Connection, pool: str, adapter: str) -> None:
    """Raises UsageError for a sealed or unknown pool."""
    valid = (*questions.pools(), PERSONAL)
    if pool not in valid:
        raise UsageError("questions.unknown_pool", pool=pool, known=", ".join(valid))
    if pool == CONFIRMATION:
        raise UsageError("pipeline.pool_closed", pool=pool, open=", ".join(p for p in valid if p != CONFIRMATION))
    answered = {BASE, *(line.entry.champion_after for line in promotions_table.log(con))}
    if pool == SCORE and adapter not in answered:
        raise UsageError("pipeline.score_of_candidate", adapter=adapter[:12])


def _question_set(con: Connection, pool: str) -> QuestionSet:
    if pool != PERSONAL:
        return fixed_question_set(_name(pool), holdout_access_table.rotation(con))
    items = personal_set_table.active_items(con)
    if not items:
        raise UsageError("suite.empty")
    return QuestionSet(evaluation_job.PERSONAL, tuple(from_values(Item, one.item) for one in items))


def _name(pool: str, version: str = questions.CURRENT_VERSION) -> str:
    return evaluation_job.PERSONAL if pool == PERSONAL else questions.set_name(pool, version)


def benchmark_report(b: Bonsai, adapter: str, pool: str) -> Report:
    """Newest report of an adapter on a pool, of the newest version that it was asked.

    Raises UnknownId if there is none, UsageError for a sealed pool.
    """
    with b.database.reading() as con:
        subject = adapter_id(con, adapter)
        _require_open(con, pool, subject)
    for version in reversed(questions.versions()):
        if reports := answers.stored_reports(b.places.reports, subject, _name(pool, version)):
            return reports[0]
    raise UnknownId("pipeline.no_report", adapter=subject, pool=pool)


def compare_adapters(b: Bonsai, left: str, right: str, pool: str) -> tuple[Comparison, ...]:
    """Gain of `left` over `right` in bits and right answers, by slice; reads stored reports."""
    pair = _pair(b, left, right, pool)
    policy = b.config.gate.policy
    return tuple(
        compare(pair, part, measure, policy.slice_bootstrap, frozenset())
        for part in _parts(pair, policy)
        for measure in (policy.bits, ACCURACY)
    )


def _parts(pair: ReportPair, policy: Policy) -> Sequence[Slice]:
    """All, each language, and each (domain, language) if there is more than one."""
    languages = [Slice(name, None, name) for name in ("ja", "en")]
    small = (
        ()
        if pair.challenger.benchmark == evaluation_job.PERSONAL
        else slices(pair.challenger, policy.min_slice_clusters)
    )
    return (ALL, *languages, *small)


def _pair(b: Bonsai, left: str, right: str, pool: str) -> ReportPair:
    """Newest comparable reports of both. Raises UnknownId if there are none."""
    one, other = benchmark_report(b, left, pool), benchmark_report(b, right, pool)
    found = answers.newest_pair(b.places.reports, one.subject, other.subject, one.benchmark)
    if found is None:
        raise UnknownId("pipeline.no_common_report", left=one.subject[:12], right=other.subject[:12], pool=pool)
    return found


def benchmark_power(
    b: Bonsai, left: str = "", right: str = "", pools: Sequence[str] = ("selection", PERSONAL), *, power: float
) -> tuple[PowerAnalysis, ...]:
    """Minimum detectable effects, from the spread between two models' stored reports.

    Defaults to the newest judged adapter and its champion, the pair that the gate compared. A personal set that was not
    put to both is left out. Raises UnknownId without two comparable reports.
    """
    tonight = claims_tonight(b)
    if not left:
        left, right = _judged_last(b)
    pairs = {pool: _pair(b, left, right or "champion", pool) for pool in pools[:1]}
    for pool in pools[1:]:
        one = next(iter(pairs.values()))
        found = answers.newest_pair(b.places.reports, one.challenger.subject, one.champion.subject, _name(pool))
        pairs |= {pool: found} if found else {}
    claims = claims_of(pairs[pools[0]], pairs.get(PERSONAL), tonight.policy)
    weighed = {claim.name: (claim, weigh(claim, tonight.policy.bootstrap)) for claim in claims}
    made = sum(found.estimate is not None for _, found in weighed.values())
    alpha = tonight.level / max(made, 1)
    named = {pool: "bits_personal" if pool == PERSONAL else "bits_fixed" for pool in pairs}
    return tuple(
        _analyse_power(pool, pair, *weighed[named[pool]], tonight, alpha, power) for pool, pair in pairs.items()
    )


def _facts_needed(found: BeyondControl, alpha: float, power: float, claim: Claim, least: int) -> int | None:
    if found.estimate is None or not claim.smallest:
        return None
    seen = smallest_gain(found.estimate, alpha, power)
    return max(clusters_needed(found.taught.clusters, seen, claim.smallest), least)


def _judged_last(b: Bonsai) -> tuple[str, str]:
    with b.database.reading() as con:
        judged = promotions_table.list_promotions(con)
    if not judged:
        raise UnknownId("pipeline.nothing_to_measure")
    return judged[-1].adapter, judged[-1].judged_against


def _analyse_power(
    pool: str, pair: ReportPair, claim: Claim, found: BeyondControl, tonight: Claims, alpha: float, power: float
) -> PowerAnalysis:
    """Power on one question set; the claims of progress share the next night's level, as in rule C."""
    policy, made = tonight.policy, found.estimate
    return PowerAnalysis(
        question_set=_name(pool),
        challenger=pair.challenger.subject,
        champion=pair.champion.subject,
        alpha=alpha,
        power=power,
        effects=detectable_effects(
            pair, _parts(pair, policy), (policy.bits, ACCURACY), policy.slice_bootstrap, alpha=alpha, power=power
        ),
        smallest_promoted=smallest_gain(made, alpha, power, claim.smallest) if made else None,
        minimum_gain=claim.smallest,
        facts_to_see_minimum=_facts_needed(found, alpha, power, claim, policy.min_clusters),
    )
