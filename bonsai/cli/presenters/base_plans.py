"""Presenter of `bonsai base plan`: a line for each card and this machine, and how long a night would take."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from bonsai.cli.shell import Shell
from bonsai.i18n import duration
from bonsai.model.base_sources import short_count
from bonsai.queries.base_plans import GIB, BaseFacts, MachinePlan, NightPlan


def show_facts(shell: Shell, facts: BaseFacts) -> None:
    """What is known of the base."""
    shape = facts.shape
    sizes = {"layers": shape.layers, "hidden": f"{shape.hidden:,}", "vocabulary": f"{shape.vocabulary:,}"}
    shell.fields(
        (
            ("name", facts.name),
            ("licence", facts.licence or shell.text("bases.unknown_licence")),
            ("languages", facts.languages),
            ("parameters", short_count(facts.parameters)),
            ("shape", shell.text("bases.plan_shape", **sizes) if shape.layers else ""),
        )
    )
    shell.line("")


def show_plans(shell: Shell, cards: Sequence[MachinePlan], here: MachinePlan) -> None:
    """The cards, then this machine."""
    rows = [(shell.text("bases.plan_card", gib=f"{one.machine.memory / GIB:g}"), one) for one in cards]
    rows.append((shell.text("bases.plan_here", gib=f"{here.machine.memory / GIB:.0f}"), here))
    shell.table(
        ("machine", "kind", "fits", "gib", "base", "adapter", "batch"),
        ((name, one.plan.kind, _fits(shell, one), *_sizes(one)) for name, one in rows),
        right=(3, 4, 5, 6),
    )
    shell.line("")
    shell.show(shell.text("bases.plan_note"))


def show_night(shell: Shell, facts: BaseFacts, night: NightPlan | None) -> None:
    """How long the training of a night takes here, or how to find out."""
    shell.line("")
    if night is None:
        how = "check" if facts.manifest else "night" if facts.profile else "add"
        name = to_add(facts) if how == "add" else facts.name
        shell.show(shell.text(f"bases.plan_no_speed_{how}", name=name))
        return
    values = {"tokens": f"{night.tokens:,}", "time": duration(night.seconds, shell.language)}
    key = "bases.plan_night_most" if night.most else "bases.plan_night"
    shell.show(shell.text(key, speed=f"{night.tokens_per_second:,.0f}", **values))


def to_add(facts: BaseFacts) -> str:
    """What `base add` is given, as a shell reads it."""
    return shlex.quote(facts.source or facts.name)


def _fits(shell: Shell, one: MachinePlan) -> str:
    fits = "in_halves" if one.in_halves else "fits" if one.fits else "no_gpu" if one.lacks_gpu else "too_small"
    return shell.text(f"bases.plan_{fits}")


def _sizes(one: MachinePlan) -> tuple[str, ...]:
    need = one.plan.need
    return tuple(f"{size / GIB:.1f}" for size in (one.needed, need.weights, need.adapter, one.activations))
