"""Bases, their checks and plans to add one -> `bonsai.schemas.bases`, or fields in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bonsai.i18n import TextLanguage, text
from bonsai.model.base_sources import short_count
from bonsai.model.home_bases import BaseCheck
from bonsai.queries.base_plans import GIB, BaseFacts, MachinePlan, NightPlan
from bonsai.queries.bases import KnownToHome
from bonsai.schemas import bases as schemas

if TYPE_CHECKING:
    from bonsai.actions.bases import AddPlan

Fields = tuple[tuple[str, str], ...]
"""(Name, words); the text of a name is `cli.col_<name>`, and words that are empty are unknown."""
BFLOAT16_BYTES = 2
"Of a weight that was unpacked from a GGUF file."


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


def plan(
    facts: BaseFacts, cards: Sequence[MachinePlan], here: MachinePlan | None, night: NightPlan | None
) -> schemas.BasePlan:
    """What training on a base would take."""
    machines = [_machine("card", one) for one in cards]
    if here:
        machines.append(_machine("here", here))
    return schemas.BasePlan(
        name=facts.name,
        licence=facts.licence,
        languages=list(facts.languages),
        parameters=facts.parameters,
        machines=machines,
        night=_night(night) if night else None,
    )


def _machine(name: Literal["card", "here"], one: MachinePlan) -> schemas.MachinePlan:
    need = one.plan.need
    return schemas.MachinePlan(
        machine=name,
        device=one.machine.device.kind,
        memory_gib=_rounded_gib(one.machine.memory),
        kind=one.plan.kind,
        fits=one.fits,
        in_halves=one.in_halves,
        needed_gib=_rounded_gib(one.needed),
        weights_gib=_rounded_gib(need.weights),
        adapter_gib=_rounded_gib(need.adapter),
        activations_gib=_rounded_gib(one.activations),
    )


def _night(one: NightPlan) -> schemas.NightPlan:
    return schemas.NightPlan(
        tokens=one.tokens,
        most=one.most,
        tokens_per_second=round(one.tokens_per_second, 1),
        seconds=round(one.seconds),
    )


def _rounded_gib(size: int) -> float:
    return round(size / GIB, 1)


def fields(one: KnownToHome, language: TextLanguage) -> Fields:
    """Everything known of a base but its check."""
    profile, manifest = one.profile, one.manifest
    base = profile.base if profile else None
    return (
        ("name", one.name),
        ("state", text(f"bases.state_{one.state}", language)),
        ("about", one.known.note(language) if one.known else ""),
        ("source", manifest.source if manifest else ""),
        ("model", f"{one.model}@{one.revision}" if one.revision else one.model),
        ("licence", one.licence or text("bases.unknown_licence", language)),
        ("languages", ", ".join(one.languages)),
        ("parameters", short_count(one.parameters)),
        ("kind", profile.inherits if profile else ""),
        ("template", profile.recipe.template if profile else ""),
        ("weights", f"{base.quantisation}, {base.compute_dtype}" if base else ""),
        ("max_tokens", str(base.max_tokens) if base else ""),
        ("added_at", manifest.added_at[:10] if manifest else ""),
        ("weights_hash", manifest.check.weights_hash if manifest else ""),
    )


def plan_fields(plan: AddPlan, language: TextLanguage) -> Fields:
    """What adding a base will do, and the memory that training it needs."""
    source, need, precision = plan.source, plan.need, plan.profile.base.compute_dtype
    parts = {name: _gib(getattr(need, name)) for name in ("weights", "adapter", "activations", "program")}
    memory = text("bases.memory", language, needed=_gib(need.total), has=_gib(plan.memory), **parts)
    size = _size(source.size)
    if source.kind == "gguf":
        size = text("bases.unpacked", language, size=size, unpacked=_size(BFLOAT16_BYTES * source.parameters))
    return (
        ("name", plan.name),
        ("source", f"{source.model}@{source.revision[:12]}" if source.revision else source.model),
        ("licence", source.licence or text("bases.unknown_licence", language)),
        ("languages", ", ".join(source.languages)),
        ("parameters", short_count(source.parameters)),
        ("size", size),
        ("kind", text(f"bases.kind_{plan.kind.replace('-', '_')}", language, kind=plan.kind, type=precision)),
        ("training_memory", memory),
    )


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f}"


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
