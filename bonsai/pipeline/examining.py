"""The benchmark by hand: put a pool to any adapter, read a report that is there, compare two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bonsai.benchmark import questions, report
from bonsai.benchmark.compare import ACCURACY, Comparison, Pair, Slice, compare, slices
from bonsai.benchmark.examination import Examination, Sheet, Subject
from bonsai.benchmark.report import Report
from bonsai.benchmark.run import RunSettings
from bonsai.decision import Policy
from bonsai.errors import UnknownId, UsageError
from bonsai.model.bases import find_device
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.voices import adapter_id
from bonsai.progress import Progress, silent
from bonsai.progress import Report as Tell
from bonsai.promotion import BASE
from storage import adapters_table

CLOSED = "confirmation"
"Opened by the gate alone: looking at it would use it up."


def run_benchmark(b: Bonsai, adapter: str, pool: str, now: datetime, tell: Tell = silent) -> Report:
    """Ask all questions of a pool; a report that still reproduces is read instead.

    Raises UsageError for the confirmation pool, which only the gate opens, and for an unknown one; UnknownId.
    """
    if pool == CLOSED:
        raise UsageError("pipeline.pool_closed", pool=pool, open=", ".join(p for p in questions.pools() if p != CLOSED))
    items = questions.load(pool)
    profile = b.config.profiles[b.find_profile()]
    with b.database.reading() as con:
        wanted = adapter_id(con, adapter)
        folder = "" if wanted == BASE else adapters_table.get(con, wanted).folder
    examination = Examination(
        base=profile.base,
        device=find_device().kind,
        template=profile.recipe.template,
        subjects=(Subject(wanted, folder),),
        sheets=(Sheet(_sheet(pool), items),),
        settings=RunSettings(**b.config.benchmark.model_dump()),
        reports_folder=str(b.places.reports),
        created_at=now.isoformat(),
    )
    made = b.examiner.examine(examination, lambda done, total: tell(Progress("benchmark", done, total)))
    return made[0].report


def benchmark_report(b: Bonsai, adapter: str, pool: str) -> Report:
    """The newest report of an adapter on a pool. Raises UnknownId when there is none."""
    with b.database.reading() as con:
        wanted = adapter_id(con, adapter)
    found = _reports(b.places.reports, wanted, pool)
    if not found:
        raise UnknownId("pipeline.no_report", adapter=wanted, pool=pool)
    return max(found, key=lambda one: one.created_at)


def _reports(folder: Path, adapter: str, pool: str) -> Sequence[Report]:
    return [report.read(path) for path in folder.glob(f"{adapter}-{_sheet(pool).replace('/', '-')}-*.json")]


def _sheet(pool: str) -> str:
    return f"{questions.CURRENT_VERSION}/{pool}"


def compare_adapters(b: Bonsai, left: str, right: str, pool: str) -> tuple[Comparison, ...]:
    """How much better `left` is than `right` in bits and in right answers, slice by slice; reads stored reports."""
    pair = Pair(benchmark_report(b, left, pool), benchmark_report(b, right, pool))
    policy = Policy(**b.config.gate.model_dump(exclude={"mode"}))
    languages = [Slice(name, None, name) for name in ("ja", "en")]
    parts = (Slice("all"), *languages, *slices(pair.challenger, policy.min_slice_clusters))
    return tuple(
        compare(pair, part, measure, policy.slice_bootstrap, frozenset())
        for part in parts
        for measure in (policy.bits, ACCURACY)
    )
