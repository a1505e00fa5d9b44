"""`bonsai promotions`: which adapter answers, why, and a person's last word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import promotion_evidence, promotion_review
from bonsai.cli.gate_shown import suite_words
from bonsai.cli.help import noun, verb
from bonsai.cli.promotion_shown import explanation_object, tell_explanation
from bonsai.cli.records_shown import short
from bonsai.cli.shell import AsJson, By, Shell, shell_of

if TYPE_CHECKING:
    from storage.promotions_table import Promotion

app = noun()

PromotionId = Annotated[str, typer.Argument(help="cli.arg_promotion", metavar="ID")]
PromotionOrNewest = Annotated[str, typer.Argument(help="cli.arg_promotion_or_newest", metavar="ID")]
Reason = Annotated[str, typer.Option("--reason", help="cli.opt_reason")]


@verb(app, "cli.promotions_list", name="list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Newest first."""
    from bonsai import views

    shell = shell_of(ctx)
    found = views.list_promotions(shell.open())
    if as_json:
        shell.json_lines(promotion_object(one) for one in found)
        return
    rows = ((short(o.adapter), o.night, short(o.judged_against), o.state.value, o.updated_at) for o in found)
    shell.table(("adapter", "night", "judged_against", "state", "at"), rows)


@verb(app, "cli.promotions_show")
def show(
    ctx: typer.Context,
    promotion: PromotionOrNewest = "",
    every: Annotated[bool, typer.Option("--all", help="cli.opt_all_flips")] = False,
    as_json: AsJson = False,
) -> None:
    """One verdict and everything it rests on; the newest one without an id."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = pipeline.explain(bonsai, promotion)
    told, adapter = promotion_object(found.promotion), found.promotion.adapter
    more = pipeline.beside(bonsai, adapter)
    if as_json:
        shell.json(told | explanation_object(found, shell.language) | promotion_evidence.evidence_object(more))
        return
    needed, evidence = bonsai.config.gate.min_clusters, found.evidence
    own = suite_words(evidence.suite_clusters, needed, evidence.suite_version, shell.language)
    shell.fields([*told.items(), ("suite", own)])
    tell_explanation(shell, found, every=every)
    promotion_evidence.tell_evidence(shell, more)


@verb(app, "cli.promotions_answers")
def answers(
    ctx: typer.Context,
    promotion: PromotionOrNewest = "",
    text: Annotated[str, typer.Option("--text", help="cli.opt_answers_text")] = "",
    language: Annotated[str, typer.Option("--language", help="cli.opt_answers_language")] = "",
    topic: Annotated[str, typer.Option("--topic", help="cli.opt_topic")] = "",
    turn: Annotated[str, typer.Option("--turn", help="cli.opt_turn")] = "",
    right: Annotated[str, typer.Option("--right", help="cli.opt_right")] = "",
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """What both said to every question that may be shown."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = pipeline.list_answers(bonsai, promotion, pipeline.Wanted(text, language, topic, turn, right))
    shown = found[: limit or bonsai.config.cli.list_limit]
    if as_json:
        shell.json_lines(map(promotion_evidence.answer_object, found[: limit or None]))
        return
    headings = ("change", "domain", "question", "before", "after")
    shell.table(headings, promotion_evidence.answer_rows(shown, shell.language), clipped=(2, 3, 4))
    if len(shown) < len(found):
        shell.say("cli.shown_of", shown=len(shown), all=len(found))


@verb(app, "cli.promotions_data")
def data(
    ctx: typer.Context,
    promotion: PromotionOrNewest = "",
    kind: Annotated[str, typer.Option("--kind", help="cli.opt_change_kind")] = "",
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """The records that it learned and the champion had not, and the reverse; newest first."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = pipeline.data_changes_of(bonsai, promotion, limit or bonsai.config.cli.list_limit, kind=kind)
    if as_json:
        shell.json_lines(map(promotion_evidence.change_object, found.records))
        return
    headings = ("change", "id", "language", "category", "status", "question")
    shell.table(headings, promotion_evidence.change_rows(found.records, shell.language), clipped=(5,))
    shell.say("review.data_sentence", **found.counts)


@verb(app, "cli.promotions_review")
def review(ctx: typer.Context, promotion: PromotionOrNewest = "", by: By = "", as_json: AsJson = False) -> None:
    """Say which of two answers is better without knowing whose they are; goes on where it was left."""
    shell = shell_of(ctx)
    promotion_review.run(shell, shell.open(), promotion, shell.person(by), as_json=as_json)


@verb(app, "cli.promotions_approve")
def approve(
    ctx: typer.Context, promotion: PromotionId, reason: Reason = "", by: By = "", as_json: AsJson = False
) -> None:
    """Let a waiting adapter answer; holds only against the champion it was judged against."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    done = pipeline.approve(shell.open(), promotion, by=shell.person(by), reason=reason, now=shell.now())
    _tell(shell, done, as_json)


@verb(app, "cli.promotions_reject")
def reject(
    ctx: typer.Context, promotion: PromotionId, reason: Reason = "", by: By = "", as_json: AsJson = False
) -> None:
    """Refuse a waiting adapter."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    done = pipeline.reject(shell.open(), promotion, by=shell.person(by), reason=reason, now=shell.now())
    _tell(shell, done, as_json)


@verb(app, "cli.promotions_rollback")
def rollback(ctx: typer.Context, reason: Reason = "", by: By = "", as_json: AsJson = False) -> None:
    """The champion before this one answers again; again goes one further back."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    done = pipeline.rollback(shell.open(), by=shell.person(by), reason=reason, now=shell.now())
    _tell(shell, done, as_json)


def promotion_object(promotion: Promotion) -> dict[str, object]:
    """The JSON shape of a promotion."""
    return {
        "adapter": promotion.adapter,
        "night": promotion.night,
        "state": promotion.state.value,
        "verdict": promotion.decision.get("verdict", ""),
        "judged_against": promotion.judged_against,
        "created_at": promotion.created_at,
        "updated_at": promotion.updated_at,
    }


def _tell(shell: Shell, promotion: Promotion, as_json: bool) -> None:
    told = promotion_object(promotion)
    if as_json:
        shell.json(told)
    else:
        shell.fields(told.items())
