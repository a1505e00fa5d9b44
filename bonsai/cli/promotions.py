"""`bonsai promotions`: verdicts with their evidence, and people's decisions on them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.presenters import promotions
from bonsai.cli.presenters.promotions import suite_words, tell_explanation
from bonsai.cli.presenters.records import short
from bonsai.cli.shell import AsJson, By, Shell, shell_of

if TYPE_CHECKING:
    from bonsai.actions.blind_review import ReviewState
    from bonsai.context import Bonsai
    from bonsai.evaluate.blind_review import BlindPair
    from storage.tables.promotions_table import Promotion


app = noun()

PromotionId = Annotated[str, typer.Argument(help="cli.arg_promotion", metavar="ID")]
PromotionOrNewest = Annotated[str, typer.Argument(help="cli.arg_promotion_or_newest", metavar="ID")]
Reason = Annotated[str, typer.Option("--reason", help="cli.opt_reason")]


@verb(app, "cli.promotions_list", name="list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Newest first."""
    from bonsai.queries.promotions import list_promotions, pointer
    from bonsai.serializers.promotions import promotion

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = list_promotions(bonsai)
    if as_json:
        now = pointer(bonsai)
        shell.json_lines(promotion(one, now, shell.language) for one in found)
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
    """One verdict with all its evidence; without an id, the newest."""
    from bonsai.queries.explanation import explain
    from bonsai.queries.promotions import promotion_evidence
    from bonsai.serializers.promotions import explanation

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = explain(bonsai, promotion)
    more = promotion_evidence(bonsai, found.promotion.adapter)
    if as_json:
        shell.json(explanation(found, more, shell.language))
        return
    needed, evidence = bonsai.config.gate.min_clusters, found.evidence
    own = suite_words(evidence.suite_clusters, needed, evidence.suite_version, shell.language)
    shell.fields([*promotion_fields(found.promotion), ("suite", own)])
    tell_explanation(shell, found, every=every)
    promotions.tell_evidence(shell, more)


@verb(app, "cli.promotions_answers")
def answers(
    ctx: typer.Context,
    promotion: PromotionOrNewest = "",
    text: Annotated[str, typer.Option("--text", help="cli.opt_answers_text")] = "",
    language: Annotated[str, typer.Option("--language", help="cli.opt_answers_language")] = "",
    topic: Annotated[str, typer.Option("--topic", help="cli.opt_topic")] = "",
    turn: Annotated[str, typer.Option("--turn", help="cli.opt_turn")] = "",
    right: Annotated[str, typer.Option("--right", help="cli.opt_right")] = "",
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Both models' answers to every question that may be shown."""
    from bonsai.queries.answers import AnswerFilter, list_answers
    from bonsai.serializers.promotions import compared_answer

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = list_answers(bonsai, promotion, AnswerFilter(text, language, topic, turn, right))
    shown = found[: limit or bonsai.config.cli.list_limit]
    if as_json:
        shell.json_lines(map(compared_answer, found[: limit or None]))
        return
    headings = ("change", "domain", "question", "before", "after")
    shell.table(headings, promotions.answer_rows(shown, shell.language), clipped=(2, 3, 4))
    if len(shown) < len(found):
        shell.say("cli.shown_of", shown=len(shown), all=len(found))


@verb(app, "cli.promotions_data")
def data(
    ctx: typer.Context,
    promotion: PromotionOrNewest = "",
    kind: Annotated[str, typer.Option("--kind", help="cli.opt_change_kind")] = "",
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Records that only the candidate or only its champion was trained on; newest first."""
    from bonsai.queries.promotions import data_changes_of

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = data_changes_of(bonsai, promotion, limit or bonsai.config.cli.list_limit, kind=kind)
    if as_json:
        from bonsai.serializers.promotions import changed_record

        shell.json_lines(changed_record(one, shell.language) for one in found.records)
        return
    headings = ("change", "id", "language", "category", "status", "question")
    shell.table(headings, promotions.change_rows(found.records, shell.language), clipped=(5,))
    shell.say("review.data_sentence", **found.counts)


@verb(app, "cli.promotions_review")
def review(ctx: typer.Context, promotion: PromotionOrNewest = "", by: By = "", as_json: AsJson = False) -> None:
    """Blind review: say which of two answers is better; resumes an unfinished one."""
    shell = shell_of(ctx)
    run(shell, shell.open(), promotion, shell.person(by), as_json=as_json)


@verb(app, "cli.promotions_approve")
def approve(
    ctx: typer.Context, promotion: PromotionId, reason: Reason = "", by: By = "", as_json: AsJson = False
) -> None:
    """Promote a waiting adapter; refused if the champion is no longer the one it was judged against."""
    from bonsai.actions import promotions as promotions_action

    shell = shell_of(ctx)
    bonsai = shell.open()
    done = promotions_action.approve(bonsai, promotion, by=shell.person(by), reason=reason, now=shell.now())
    _tell(shell, bonsai, done, as_json)


@verb(app, "cli.promotions_reject")
def reject(
    ctx: typer.Context, promotion: PromotionId, reason: Reason = "", by: By = "", as_json: AsJson = False
) -> None:
    """Refuse a waiting adapter."""
    from bonsai.actions import promotions as promotions_action

    shell = shell_of(ctx)
    bonsai = shell.open()
    done = promotions_action.reject(bonsai, promotion, by=shell.person(by), reason=reason, now=shell.now())
    _tell(shell, bonsai, done, as_json)


@verb(app, "cli.promotions_rollback")
def rollback(ctx: typer.Context, reason: Reason = "", by: By = "", as_json: AsJson = False) -> None:
    """Restore the previous champion; repeating it goes one further back."""
    from bonsai.actions import promotions as promotions_action

    shell = shell_of(ctx)
    bonsai = shell.open()
    done = promotions_action.rollback(bonsai, by=shell.person(by), reason=reason, now=shell.now())
    _tell(shell, bonsai, done, as_json)


def promotion_fields(promotion: Promotion) -> list[tuple[str, object]]:
    """A promotion for reading."""
    names = ("adapter", "night", "state", "verdict", "judged_against", "created_at", "updated_at")
    return [(name, getattr(promotion, name)) for name in names]


def _tell(shell: Shell, bonsai: Bonsai, promotion: Promotion, as_json: bool) -> None:
    """Show the promotion after a decision."""
    if not as_json:
        shell.fields(promotion_fields(promotion))
        return
    from bonsai.queries.promotions import history, pointer
    from bonsai.serializers.promotions import promotion_detail

    shell.json(promotion_detail(promotion, pointer(bonsai), history(bonsai), shell.language))


KEYS = {
    "l": "left", "1": "left", "\x1b[D": "left", "r": "right", "2": "right", "\x1b[C": "right",
    "s": "same", "=": "same", "\x1b[B": "same", "u": "undo", "\x7f": "undo",
    "q": "quit", "\x1b": "quit",
}  # fmt: skip
WORDS = {"left": "left", "right": "right", "same": "same", "undo": "undo", "quit": "quit"}


def run(shell: Shell, bonsai: Bonsai, promotion: str, person: str, *, as_json: bool) -> None:
    """Ask until the review is finished or the person stops; every verdict is stored at once."""
    from bonsai.actions.blind_review import add_verdict, review_state, undo_verdict

    standing = review_state(bonsai, promotion, person)
    while (asked := standing.question) is not None:
        _show(shell, standing, asked, as_json)
        chosen = _choice(shell)
        if chosen == "quit":
            break
        if chosen == "undo":
            standing = undo_verdict(bonsai, standing.adapter, person) if standing.done else standing
            continue
        standing = add_verdict(bonsai, standing.adapter, person, asked.item, chosen, shell.now())
    _end(shell, standing, as_json)


def _show(shell: Shell, standing: ReviewState, asked: BlindPair, as_json: bool) -> None:
    if as_json:
        from bonsai.serializers.promotions import blind_question

        shell.json_lines([blind_question(standing, asked)])
        shell.out.flush()
        return
    from rich.padding import Padding
    from rich.table import Table

    shell.show(f"\n{shell.text('review.progress', number=standing.done + 1, asked=standing.asked)}\n{asked.question}")
    sides = Table.grid(padding=(0, 2), expand=True)
    for _ in range(2):
        sides.add_column(ratio=1, overflow="fold")
    sides.add_row(shell.text("review.answer_1"), shell.text("review.answer_2"), style="bold")
    sides.add_row(*(said.strip() or shell.text("review.nothing_said") for said in (asked.left, asked.right)))
    shell.show(Padding(sides, (0, 0, 0, 4)))
    shell.say("review.key_hint")


def _choice(shell: Shell) -> str:
    """left, right, same, undo or quit: one key on a terminal, else a line of standard input."""
    while True:
        said = _key() if sys.stdin.isatty() else sys.stdin.readline()
        if not said:
            return "quit"
        word = said.strip() or said
        chosen = WORDS.get(word.lower()) or KEYS.get(word.lower()) or KEYS.get(word)
        if chosen:
            return chosen
        shell.complain("review.key_unknown")


def _key() -> str:
    """One key from the terminal, arrows as escape sequences; empty for Ctrl-D."""
    import typer

    try:
        return typer.getchar()
    except EOFError:
        return ""


def _end(shell: Shell, standing: ReviewState, as_json: bool) -> None:
    """The result, or how to continue."""
    if as_json:
        from bonsai.serializers.promotions import review_state

        shell.json_lines([review_state(standing)])
    elif standing.tally:
        from bonsai.evaluate.blind_review import words

        shell.show("\n" + " ".join(words(standing.tally, shell.language)))
    elif standing.question is None:
        shell.say("review.nothing_to_ask")
    else:
        adapter = short(standing.adapter)
        shell.say("review.interrupted", done=standing.done, asked=standing.asked, adapter=adapter)
