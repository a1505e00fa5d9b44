"""`bonsai benchmark`: evaluate any adapter on the benchmark, edit the personal set, compute statistical power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.records import on_one_line
from bonsai.cli.shell import AsJson, By, Shell, shell_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bonsai.actions.benchmark import PowerAnalysis
    from bonsai.actions.personal_set import PersonalSetState
    from bonsai.evaluate.report import Report


app = noun()

AdapterArgument = Annotated[str, typer.Argument(help="cli.arg_adapter", metavar="ADAPTER")]
Pool = Annotated[str, typer.Option("--pool", help="cli.opt_pool")]


@verb(app, "cli.benchmark_run")
def run(
    ctx: typer.Context, adapter: AdapterArgument = "champion", pool: Pool = "selection", as_json: AsJson = False
) -> None:
    """Ask all questions of a pool, or read the stored report if its inputs are unchanged."""
    from bonsai.actions.benchmark import run_benchmark

    shell = shell_of(ctx)
    bonsai = shell.open()
    with progress.shown(shell, quiet=as_json) as report:
        made = run_benchmark(bonsai, adapter, pool, shell.now(), report)
    _tell(shell, made, as_json)


@verb(app, "cli.benchmark_show")
def show(
    ctx: typer.Context, adapter: AdapterArgument = "champion", pool: Pool = "selection", as_json: AsJson = False
) -> None:
    """A stored report."""
    from bonsai.actions.benchmark import benchmark_report

    shell = shell_of(ctx)
    made = benchmark_report(shell.open(), adapter, pool)
    _tell(shell, made, as_json)


@verb(app, "cli.benchmark_compare")
def compare(
    ctx: typer.Context,
    left: Annotated[str, typer.Argument(help="cli.arg_left", metavar="ADAPTER")],
    right: Annotated[str, typer.Argument(help="cli.arg_right", metavar="ADAPTER")] = "champion",
    pool: Pool = "selection",
    as_json: AsJson = False,
) -> None:
    """Two adapters on the same questions, with the interval of the difference."""
    from bonsai.actions.benchmark import compare_adapters
    from bonsai.serializers.benchmark import comparison

    shell = shell_of(ctx)
    bonsai = shell.open()
    alpha = bonsai.config.gate.alpha
    found = compare_adapters(bonsai, left, right, pool)
    compared = [comparison(one, alpha) for one in found if one.items]
    if as_json:
        shell.json(compared)
        return
    headings = ("slice", "measure", "items", "clusters", "gain", "low", "high")
    shell.table(headings, ([getattr(one, name) for name in headings] for one in compared), right=(2, 3, 4, 5, 6))
    shell.say("cli.gain_meaning")


@verb(app, "cli.benchmark_power")
def power(
    ctx: typer.Context,
    left: Annotated[str, typer.Argument(help="cli.arg_power_left", metavar="ADAPTER")] = "",
    right: Annotated[str, typer.Argument(help="cli.arg_power_right", metavar="ADAPTER")] = "",
    share: Annotated[float, typer.Option("--power", help="cli.opt_power", min=0.5, max=0.99)] = 0.8,
    as_json: AsJson = False,
) -> None:
    """The minimum detectable effect, from the spread between two models' answers."""
    from bonsai.actions.benchmark import benchmark_power

    shell = shell_of(ctx)
    found = benchmark_power(shell.open(), left, right, power=share)
    if as_json:
        from bonsai.serializers.benchmark import power_analysis

        shell.json([power_analysis(one) for one in found])
        return
    for one in found:
        _tell_outlook(shell, one)
    shell.show(shell.text("suite.power_meaning", power=share, alpha=found[0].alpha))


@verb(app, "cli.benchmark_add")
def add(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="cli.arg_instruction", metavar="QUESTION")],
    answer: Annotated[str, typer.Argument(help="cli.arg_output", metavar="ANSWER")],
    accept: Annotated[list[str] | None, typer.Option("--accept", help="cli.opt_accept")] = None,
    wording: Annotated[list[str] | None, typer.Option("--wording", help="cli.opt_wording")] = None,
    input: Annotated[str, typer.Option("--input", help="cli.opt_input")] = "",
    fact: Annotated[str, typer.Option("--fact", help="cli.opt_fact")] = "",
    language: Annotated[str, typer.Option("--language", help="cli.opt_suite_language")] = "",
    category: Annotated[str, typer.Option("--category", help="cli.opt_tag_category")] = "",
    hold_back: Annotated[bool, typer.Option("--hold-back", help="cli.opt_hold_back")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Add a question to the personal set; paraphrases and translations of one fact share its name."""
    from bonsai.actions.personal_set import WrittenQuestion, add_question

    shell = shell_of(ctx)
    written = WrittenQuestion(
        (question, *(wording or ())), answer, tuple(accept or ()), input, language, category, fact
    )  # fmt: skip
    added = add_question(shell.open(), written, hold_back=hold_back, by=shell.person(by), now=shell.now())
    if as_json:
        from bonsai.serializers.benchmark import added_questions

        shell.json(added_questions(added))
        return
    shell.show(shell.text("suite.added", ids=", ".join(item.id for item in added.items), new=added.new))
    if added.held_back:
        shell.show(shell.text("suite.held_back", ids=", ".join(one[:10] for one in added.held_back)))
    tell_state(shell, added.state)


@verb(app, "cli.benchmark_list", name="list")
def list_(
    ctx: typer.Context,
    history: Annotated[bool, typer.Option("--history", help="cli.opt_suite_history")] = False,
    as_json: AsJson = False,
) -> None:
    """The personal set: its items, and how many facts it lacks to decide."""
    from bonsai.actions.personal_set import personal_set_history, personal_set_state

    shell = shell_of(ctx)
    bonsai = shell.open()
    state = personal_set_state(bonsai)
    if as_json:
        from bonsai.serializers.benchmark import personal_set

        shell.json(personal_set(state, personal_set_history(bonsai) if history else None))
        return
    rows = ((one.id, one.item["language"], one.cluster, one.frozen_at, on_one_line(str(one.item["instruction"])))
            for one in state.items)  # fmt: skip
    shell.table(("id", "language", "fact", "frozen_at", "wording"), rows, clipped=(2, 4))
    if history:
        changes = personal_set_history(bonsai)
        lines = (
            (
                c.changed_at,
                shell.text(f"suite.action_{c.action}"),
                c.item_id,
                c.who,
                why(shell, c.reason),
                c.version[:8],
            )
            for c in changes
        )
        shell.table(("at", "status", "id", "by", "reason", "version"), lines)
    tell_state(shell, state)


@verb(app, "cli.benchmark_retire")
def retire(
    ctx: typer.Context,
    ids: Annotated[list[str], typer.Argument(help="cli.arg_suite_items", metavar="ID")],
    reason: Annotated[str, typer.Option("--reason", help="cli.opt_reason")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Take questions out of the personal set; their records may train again."""
    from bonsai.actions.personal_set import personal_set_state, retire_questions

    shell = shell_of(ctx)
    bonsai = shell.open()
    retired = retire_questions(bonsai, ids, by=shell.person(by), reason=reason, now=shell.now())
    state = personal_set_state(bonsai)
    if as_json:
        from bonsai.serializers.benchmark import retired_questions

        shell.json(retired_questions(retired, state))
        return
    shell.show(shell.text("suite.retired_now", ids=", ".join(retired)))
    tell_state(shell, state)


def tell_state(shell: Shell, state: PersonalSetState) -> None:
    """Whether the personal set is large enough to decide."""
    values = {"items": len(state.items), "facts": state.clusters, "needed": state.needed, "missing": state.missing}
    key = "suite.can_decide" if not state.missing else "suite.cannot_decide"
    shell.show(shell.text(key, counting=state.counting, version=state.version[:12], **values))


def why(shell: Shell, reason: str) -> str:
    """Built-in reasons localised; a person's as written."""
    return shell.text(f"suite.because_{reason}") if reason in ("not_active", "forgotten", "released") else reason


def _tell_outlook(shell: Shell, one: PowerAnalysis) -> None:
    names = {"question_set": one.question_set, "left": one.challenger[:10], "right": one.champion[:10]}
    shell.show(shell.text("suite.power_of", **names))
    headings = ("slice", "measure", "items", "clusters", "spread", "smallest_gain")
    shell.table(headings, _sight_rows(shell, one), right=(2, 3, 4, 5))
    if one.smallest_promoted is None:
        shell.show(shell.text("suite.power_too_few"))
        return
    values = {"gain": one.smallest_promoted, "minimum": one.minimum_gain, "facts": one.facts_to_see_minimum or 0}
    shell.show(shell.text("suite.power_promoted", power=one.power, **values))


def _sight_rows(shell: Shell, one: PowerAnalysis) -> Iterable[tuple[str, ...]]:
    from bonsai.cli.presenters.promotions import slice_name

    for seen in one.effects:
        points = seen.measure == "accuracy"
        figures = (
            "-" if value is None else f"{100 * value:.1f}" if points else f"{value:.3f}"
            for value in (seen.standard_error, seen.smallest_gain)
        )
        name = slice_name(one.question_set, seen.slice, shell.language)
        yield name, shell.text(f"suite.measure_{seen.measure}"), str(seen.items), str(seen.clusters), *figures


def _tell(shell: Shell, made: Report, as_json: bool) -> None:
    from bonsai.evaluate.report import render_table
    from bonsai.serializers.benchmark import report

    if as_json:
        shell.json(report(made))
    else:
        shell.show(render_table(made, shell.language))
