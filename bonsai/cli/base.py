"""`bonsai base`: the base models of this home: add, check, choose and remove them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.findings import tell
from bonsai.cli.shell import AsJson, By, Shell, shell_of
from bonsai.model.base_sources import short_count

if TYPE_CHECKING:
    from bonsai.actions.bases import AddPlan
    from bonsai.config.settings import Config
    from bonsai.model.home_bases import BaseCheck
    from bonsai.queries.bases import KnownToHome


app = noun()
Name = Annotated[str, typer.Argument(help="cli.arg_base", metavar="NAME")]
Yes = Annotated[bool, typer.Option("--yes", help="cli.opt_yes")]


@verb(app, "cli.base_add")
def add(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="cli.arg_base_source", metavar="SOURCE")],
    name: Annotated[str, typer.Option("--name", help="cli.opt_base_name")] = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Look, say what will happen, ask; then fetch, convert and check. Safe to interrupt."""
    from bonsai.actions import bases
    from bonsai.model.base_sources import HuggingFaceHub
    from bonsai.train.base_check import ProcessBaseChecker

    shell = shell_of(ctx)
    bonsai, hub = shell.open(), HuggingFaceHub()
    plan = bases.plan_add(bonsai, source, name, hub)
    tell_plan(shell, plan)
    if not yes and not shell.agreed("bases.go_on"):
        shell.complain("bases.not_added_after_all")
        raise typer.Exit(1)
    checker = ProcessBaseChecker(bonsai.config.training.nice)
    with progress.shown(shell, quiet=as_json) as report:
        made = bases.add_base(bonsai, plan, shell.now(), hub, checker, report)
    code = tell_check(shell, made.check, as_json)
    if not as_json:
        shell.line("")
        shell.show(shell.text("bases.added" if made.check.passed else "bases.refused", name=made.name))
    raise typer.Exit(code)


@verb(app, "cli.base_list", "list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Needs no home."""
    from bonsai.model.known_bases import known_bases
    from bonsai.queries import bases

    shell = shell_of(ctx)
    config, in_use = _settings(shell)
    found = bases.list_bases(shell.home, config, in_use, bases.shipped_profiles())
    if as_json:
        from bonsai.serializers.bases import row

        shell.json_lines(row(one, shell.language) for one in found)
        return
    here = [one for one in found if one.profile]
    shell.table(
        ("mark", "name", "parameters", "licence", "languages", "state"),
        ((*_row(one), shell.text(f"bases.state_{one.state}")) for one in here),
        right=(2,),
    )
    shell.line("")
    tried = (one.name for one in known_bases().values() if one.tried)
    shell.show(shell.text("bases.table_title", tried=", ".join(tried)))
    shell.line("")
    shell.table(
        ("name", "parameters", "licence", "languages", "about"),
        ((*_row(one)[1:], one.known.note(shell.language) if one.known else "") for one in found if not one.profile),
        right=(1,),
    )


@verb(app, "cli.base_show")
def show(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Everything known of one base, its check included."""
    from bonsai.queries import bases
    from bonsai.serializers.bases import detail, fields

    shell = shell_of(ctx)
    config, in_use = _settings(shell)
    found = bases.show_base(shell.home, config, name, in_use, bases.shipped_profiles())
    if as_json:
        shell.json(detail(found, shell.language))
        return
    shell.fields(fields(found, shell.language))
    if found.manifest:
        shell.line("")
        tell_check(shell, found.manifest.check, as_json=False)
    elif found.profile is None:
        shell.line("")
        shell.show(shell.text("bases.to_add", name=found.name))
    else:
        step = found.next_step
        shell.line("")
        shell.show(step.render(shell.language) if step else shell.text(found.no_check))


@verb(app, "cli.base_plan")
def plan(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="cli.arg_base_plan", metavar="SOURCE")],
    memory: Annotated[float | None, typer.Option("--memory", help="cli.opt_memory", min=1)] = None,
    records: Annotated[int | None, typer.Option("--records", help="cli.opt_records", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Needs no home, downloads nothing and loads nothing."""
    from bonsai.queries import base_plans

    shell = shell_of(ctx)
    facts = base_plans.find_facts(shell.home, shell.config(), source)
    sizes = (memory,) if memory else base_plans.CARDS_GIB
    cards = [base_plans.plan_on(base_plans.Machine.card(gib), facts) for gib in sizes] if facts.known else []
    here = base_plans.plan_here(base_plans.Machine.here(), facts) if facts.known else None
    bonsai = shell.open() if (shell.home / "bonsai.duckdb").is_file() else None
    night = base_plans.plan_night(bonsai, facts, records or 0) if bonsai else None
    if as_json:
        from bonsai.serializers.bases import plan as serialized

        shell.json(serialized(facts, cards, here, night))
        return
    from bonsai.cli.presenters import base_plans as presenter

    presenter.show_facts(shell, facts)
    if here is None:
        shell.show(shell.text("bases.plan_no_shape", name=facts.name, source=presenter.to_add(facts)))
        return
    presenter.show_plans(shell, cards, here)
    presenter.show_night(shell, facts, night)


@verb(app, "cli.base_check")
def check(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Load, ask and train a base once; exit code 1 if a point fails."""
    from bonsai.actions import bases
    from bonsai.train.base_check import ProcessBaseChecker

    shell = shell_of(ctx)
    bonsai = shell.open()
    checker = ProcessBaseChecker(bonsai.config.training.nice)
    with progress.shown(shell, quiet=as_json) as report:
        made = bases.check_base(bonsai, name, shell.now(), checker, report)
    raise typer.Exit(tell_check(shell, made, as_json))


@verb(app, "cli.base_use")
def use(ctx: typer.Context, name: Name, yes: Yes = False, by: By = "", as_json: AsJson = False) -> None:
    """Set training.profile; a champion of another base is rolled back first."""
    from bonsai.actions import bases

    shell = shell_of(ctx)
    bonsai = shell.open()
    plan = bases.plan_use(bonsai, name)
    if plan.champion:
        words = {"champion": plan.champion[:10], "base": plan.champion_base, "name": plan.profile}
        _aside(shell, "bases.rolls_back", **words)
        if not yes and not shell.agreed("bases.go_on"):
            shell.complain("bases.not_used_after_all")
            raise typer.Exit(1)
    bases.use_base(bonsai, plan, shell.now(), shell.person(by))
    overruled = shell.config().training.profile != plan.name
    if overruled:
        shell.complain("bases.overruled", variable="BONSAI_TRAINING__PROFILE")
    if as_json:
        from bonsai.schemas.bases import BaseInUse

        shell.json(BaseInUse(profile=plan.name, base=plan.profile, rolled_back=plan.champion))
        return
    shell.show(shell.text("bases.used", name=plan.profile, settings=bonsai.places.settings_file))
    if not plan.keeps_champion:
        shell.show(shell.text("bases.first_night"))


@verb(app, "cli.base_remove")
def remove(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Remove what `add` made in this home."""
    from bonsai.actions import bases

    shell = shell_of(ctx)
    gone = bases.remove_base(shell.open(), name)
    kept = gone.source if gone else ""
    if as_json:
        from bonsai.schemas.bases import BaseRemoved

        shell.json(BaseRemoved(name=name, kept=kept))
        return
    shell.show(shell.text("bases.removed", name=name))
    if kept:
        shell.show(shell.text("bases.kept", source=kept))


def _settings(shell: Shell) -> tuple[Config, str]:
    """The settings, and the profile that they mean on this machine; works without a home."""
    from bonsai.model.bases import choose_profile, find_device

    config = shell.config()
    return config, choose_profile(config.training.profile, tuple(config.profiles), find_device())


def tell_plan(shell: Shell, plan: AddPlan) -> None:
    """What adding will do; on stderr, as `--json` has stdout for itself."""
    import dataclasses

    from bonsai.serializers.bases import plan_fields

    dataclasses.replace(shell, out=shell.err).fields(plan_fields(plan, shell.language))
    shell.err.write("\n")
    _aside(shell, f"bases.will_{plan.source.kind}")


def _aside(shell: Shell, key: str, **values: object) -> None:
    """A text on stderr, wrapped to the terminal."""
    import dataclasses

    dataclasses.replace(shell, out=shell.err).show(shell.text(key, **values))


@dataclass(frozen=True, slots=True)
class _Point:
    """One finding in words."""

    name: str
    ok: bool | None
    detail: str


def tell_check(shell: Shell, made: BaseCheck, as_json: bool) -> int:
    """Print a check; returns 1 if it failed."""
    if as_json:
        from bonsai.serializers.bases import check as serialized

        shell.json(serialized(made, shell.language))
        return 0 if made.passed else 1
    points: Sequence[_Point] = [
        _Point(shell.text(f"bases.point_{one.name}"), one.ok, shell.text(one.key, **one.values))
        for one in made.findings
    ]
    return tell(shell, points, as_json=False)


def _row(one: KnownToHome) -> tuple[str, str, str, str, str]:
    languages = ", ".join(one.languages[:3]) + (" …" if len(one.languages) > 3 else "")
    return ("*" if one.in_use else "", one.name, short_count(one.parameters), one.licence, languages)
