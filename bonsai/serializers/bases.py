"""Bases and their checks -> `bonsai.schemas.bases`."""

from __future__ import annotations

from datetime import datetime

from bonsai.i18n import TextLanguage, text
from bonsai.model.home_bases import BaseCheck
from bonsai.queries.bases import KnownToHome
from bonsai.schemas import bases as schemas


def check(made: BaseCheck, language: TextLanguage) -> schemas.BaseCheck:
    """What a check found, in words."""
    return schemas.BaseCheck(
        passed=made.passed,
        checked_at=datetime.fromisoformat(made.checked_at),
        device=made.device,
        weights_hash=made.weights_hash,
        findings=[
            schemas.CheckPoint(name=one.name, ok=one.ok, detail=text(one.key, language, **one.values))
            for one in made.findings
        ],
    )


def row(one: KnownToHome, language: TextLanguage) -> schemas.BaseRow:
    """One base of the list."""
    return schemas.BaseRow(
        name=one.name,
        origin=one.origin,
        in_use=one.in_use,
        model=one.model,
        revision=one.revision,
        licence=one.licence,
        languages=list(one.languages),
        parameters=one.parameters,
        on_disk=one.on_disk,
        tried=one.known.tried if one.known else None,
        note=one.known.note(language) if one.known else "",
    )


def detail(one: KnownToHome, language: TextLanguage) -> schemas.BaseDetail:
    """Everything known of a base."""
    profile, manifest = one.profile, one.manifest
    return schemas.BaseDetail(
        **row(one, language).model_dump(),
        kind=profile.inherits if profile else "",
        quantisation=profile.base.quantisation if profile else "",
        compute_dtype=profile.base.compute_dtype if profile else "",
        max_tokens=profile.base.max_tokens if profile else 0,
        template=profile.recipe.template if profile else "",
        source=manifest.source if manifest else "",
        added_at=datetime.fromisoformat(manifest.added_at) if manifest else None,
        check=check(manifest.check, language) if manifest else None,
    )
