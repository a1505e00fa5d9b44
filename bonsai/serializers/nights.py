"""Nights and their progress -> `bonsai.schemas.nights`."""

from __future__ import annotations

from typing import Any

from bonsai.i18n import TextLanguage
from bonsai.queries.nights import Accuracy, NightDetail, NightProgress, NightReport
from bonsai.schemas import nights as schemas


def night(found: NightReport, language: TextLanguage) -> schemas.Night:
    """One night; reasons in this language."""
    return schemas.Night(**_fields(found, language))


def night_detail(found: NightDetail, language: TextLanguage) -> schemas.NightDetail:
    """One night with its figures, steps and cost."""
    report = found.report
    cost = schemas.NightCost(**found.cost.model_dump(), gpu_seconds=found.gpu_seconds, seconds=found.seconds)
    return schemas.NightDetail(
        **_fields(report, language),
        state=found.state,
        slices=_slices(report.accuracy),
        suite=_slices(report.suite),
        gate=schemas.GateState.model_validate(report.gate) if report.gate else None,
        steps=list(found.steps),
        cost=cost,
        learned=schemas.TrainingData.model_validate(found.learned) if found.learned else None,
    )


def progress(found: NightProgress | None, *, starting: bool = False) -> schemas.Progress:
    """Progress of a night; without one, whether one starts."""
    if found is None:
        return schemas.Progress(state="starting" if starting else "none")
    status = found.status
    return schemas.Progress(
        state=found.state,
        night=status.night,
        step=status.step.name if status.step else "",
        done=status.done,
        total=status.total,
        loss=status.losses[-1][1] if status.losses else None,
        tokens=status.cost.tokens,
        seconds_left=found.seconds_left,
        updated_at=status.updated_at,
        steps=list(status.steps),
        cost=status.cost,
    )


def _fields(found: NightReport, language: TextLanguage) -> dict[str, Any]:
    names = ("night", "status", "verdict", "challenger", "champion", "start", "parent", "started_at", "finished_at")
    fields = {name: getattr(found, name) for name in names}
    return {**fields, "why": found.why_in(language), "reasons": found.reasons_in(language)}


def _slices(accuracy: Accuracy) -> list[schemas.Slice]:
    return [
        schemas.Slice(domain=domain, language=language, before=figures.get("before"), after=figures.get("after"))
        for domain, languages in accuracy.items()
        for language, figures in languages.items()
    ]
