"""`python -m research experiment`:

repeats the seed project's questions with several seeds; the champion is not touched.
"""

from __future__ import annotations

import os
from collections import Counter
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, Shell, one_of, shell_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from research.experiment.plan import Design
    from research.experiment.results import Run
    from research.experiment.running import Bench
    from research.experiment.summary import BehaviourRow, SliceRow
    from research.experiment.verdicts import Judged


app = noun()

Name = Annotated[str, typer.Argument(help="experiment.arg_name", metavar="NAME")]
_MARKS = {"holds": "✓", "reversed": "✗", "not_shown": "·", "too_few": "?"}


@verb(app, "experiment.help_run")
def run(
    ctx: typer.Context,
    name: Name,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=20, help="experiment.opt_seeds")] = 3,
    passes: Annotated[int, typer.Option("--passes", min=1, max=100, help="experiment.opt_passes")] = 3,
    records: Annotated[str, typer.Option("--records", help="experiment.opt_records")] = "samples",
    jobs: Annotated[int, typer.Option("--jobs", min=0, max=64, help="experiment.opt_jobs")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print the plan, run what is missing, show the result."""
    from bonsai import bootstrap
    from research.experiment import home, plan, running

    shell = shell_of(ctx)
    design = plan.design(name)
    own = one_of(records, ("samples", "home"), "--records") == "home"
    if not (shell.home / "bonsai.toml").is_file():
        bootstrap.init(shell.home, shell.language, shell.now(), shell.environ)
    b = shell.open()
    options = home.RunOptions(passes, jobs or min(os.cpu_count() or 1, 4), own)
    bench = home.bench(b, design, options)
    chosen = range(1, seeds + 1)
    with home.reserved(b.home, bench, design):
        if not as_json:
            _tell_plan(shell, design, bench, chosen)
        with progress.shown(shell, quiet=as_json) as report:
            running.run(bench, design, chosen, shell.now(), report)
    _show(shell, design, bench.runs_file, bench.place, as_json)


@verb(app, "experiment.help_show")
def show(
    ctx: typer.Context,
    name: Name = "templates",
    runs: Annotated[Path | None, typer.Option("--runs", help="experiment.opt_runs", show_default=False)] = None,
    plots: Annotated[Path | None, typer.Option("--plots", help="experiment.opt_plots", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Tables, claims with intervals and the plot of the finished runs."""
    from bonsai.errors import InputError
    from research.experiment import plan, results
    from research.experiment.home import place_of

    shell = shell_of(ctx)
    design = plan.design(name)
    place = place_of(shell.home, name)
    file = runs or place / results.RUNS
    if not file.is_file():
        raise InputError("experiment.no_runs", path=file, name=name)
    _show(shell, design, file, plots or (Path.cwd() if runs else place), as_json)


@verb(app, "experiment.help_list", "list")
def list_experiments(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All experiments, with this home's progress."""
    from research.experiment import plan, results
    from research.experiment.home import place_of
    from research.experiment.verdicts import seeds_of

    shell = shell_of(ctx)
    rows: list[dict[str, object]] = []
    for design in plan.DESIGNS.values():
        place = place_of(shell.home, design.name)
        found = results.read(place / results.RUNS)
        about = shell.text(f"experiment.about_{design.name}")
        rows.append(
            {
                "name": design.name,
                "about": about,
                "arms": len(design.arms),
                "runs": len(found),
                "seeds": len(seeds_of(found)),
                "folder": place if found else None,
            }
        )
    if as_json:
        shell.json_lines(rows)
        return
    columns = ("name", "about", "arms", "runs", "seeds")
    _table(shell, "", columns, ([row[column] for column in columns] for row in rows), left=2)


def _tell_plan(shell: Shell, design: Design, bench: Bench, seeds: Sequence[int]) -> None:
    """Print the plan before it runs."""
    from research.experiment import question_sets, running
    from research.experiment.plan import Unit, units

    waiting = running.missing(bench, design, seeds)
    rows, seconds = [], {}
    for arm in design.arms:
        unit = Unit(arm, seeds[0])
        snapshot, passes = bench.snapshot(unit), bench.passes_of(unit)
        seconds[arm.name] = running.expected_seconds(bench, snapshot, passes)
        own = sum(row.role == "own" for row in snapshot.train)
        about = shell.text(f"experiment.arm_{arm.name.replace('-', '_')}")
        rows.append((arm.name, about, own, snapshot.anchors_a_pass, passes, len(seeds)))
    shell.say("experiment.plan_head", name=design.name, about=shell.text(f"experiment.about_{design.name}"))
    _table(shell, "", ("arm", "about", "own", "anchors", "passes", "seeds"), rows, left=2)
    kinds = Counter(item.pool for item in question_sets.question_set(design.every).items)
    shell.say("experiment.plan_asked", **kinds)
    shell.say("experiment.plan_limits", arms=", ".join(design.limited), limits=", ".join(map(str, design.limits)))
    shell.say("experiment.plan_champion")
    left = sum(seconds[unit.arm.name] if unit.seed else running.ASKING_SECONDS for unit in waiting)
    shell.say(
        "experiment.plan_work", runs=len(tuple(units(design, seeds))), left=len(waiting), jobs=bench.jobs,
        threads=bench.threads or "auto", minutes=ceil(left / bench.jobs / 60), folder=bench.place,
    )  # fmt: skip
    shell.out.flush()


def _show(shell: Shell, design: Design, file: Path, plots: Path, as_json: bool) -> None:
    from research.experiment import plot, question_sets, results, summary, verdicts

    asked = question_sets.question_set(design.every)
    items = asked.items
    everything = results.read(file)
    found = {key: one for key, one in everything.items() if one.items_hash == asked.digest}
    judged = verdicts.judge(design, found, items)
    pictures = plot.draw(design, found, plots)
    losses = summary.loss_rows(design, found, items)
    slices = summary.slice_rows(design, found, items)
    behaviour = summary.behaviour_rows(design, found, items)
    if as_json:
        tables = {"losses": losses, "slices": slices, "behaviour": behaviour}
        claims = [_claim_object(shell, one) for one in judged]
        shell.json({"name": design.name, "runs": len(found), "claims": claims, **tables, "plots": pictures})
        return
    if len(found) < len(everything):
        shell.complain("experiment.left_out", count=len(everything) - len(found))
    _tell_runs(shell, found)
    headings = ("arm", "seeds", "steps", "response_bytes", "loss", "bits", "bits_with_tags")
    _table(shell, "losses", headings, ([getattr(row, heading) for heading in headings] for row in losses))
    domains = tuple(dict.fromkeys(row.domain for row in slices))
    _table(shell, "slices", ("arm", *domains), _by_arm(slices), raw=domains)
    columns = ("arm", "right", "language", "no_loop", "ended", "bytes", "en_ja", "ja_en", "chinese")
    _table(shell, "behaviour", columns, map(_behaviour, behaviour))
    claimed = ((_MARKS[one.verdict], _sentence(shell, one), *_figures(one)) for one in judged)
    _table(shell, "claims", ("verdict", "claim", "difference", "interval", "by_seed"), claimed, left=2)
    shell.say("experiment.legend")
    for picture in pictures:
        shell.line(str(picture))


def _tell_runs(shell: Shell, found: Mapping[str, Run]) -> None:
    trained = [one for one in found.values() if one.seed]
    shell.say("experiment.runs", trained=len(trained), bare=len(found) - len(trained))


def _claim_object(shell: Shell, one: Judged) -> dict[str, object]:
    claim = one.claim
    return {
        "claim": claim.name, "sentence": _sentence(shell, one), "measure": claim.measure, "first": claim.first,
        "second": claim.second, "verdict": one.verdict, "by_itself": claim.by_itself, "seeds": one.seeds,
        "difference": one.difference,
    }  # fmt: skip


def _sentence(shell: Shell, one: Judged) -> str:
    return shell.text(f"experiment.claim_{one.claim.name}")


def _figures(one: Judged) -> tuple[str, str, str]:
    """The difference, its interval, and each seed's value."""
    from research.experiment.verdicts import SHARES

    found, measure = one.difference, one.claim.measure
    if found is None:
        return "", "", ""
    scale, digits = (100, 1) if measure in SHARES else (1, 1) if measure == "length" else (1, 3)

    def said(value: float) -> str:
        return f"{scale * value:+.{digits}f}"

    interval = "" if found.low is None or found.high is None else f"{said(found.low)} … {said(found.high)}"
    return said(found.mean), interval, " ".join(map(said, found.by_seed))


def _by_arm(slices: Sequence[SliceRow]) -> Iterator[tuple[str, ...]]:
    """One row per arm, one cell per domain: Japanese / English."""
    domains = tuple(dict.fromkeys(row.domain for row in slices))
    found = {(row.domain, row.language): row.accuracy for row in slices}
    for arm in slices[0].accuracy if slices else ():
        pairs = ([found.get((domain, language), {}).get(arm) for language in ("ja", "en")] for domain in domains)
        yield arm, *("/".join(map(_percent, pair)) for pair in pairs)


def _behaviour(row: BehaviourRow) -> tuple[str, ...]:
    from research.experiment.plan import PIPELINE

    name = row.arm if row.way == PIPELINE else f"{row.arm}@{row.way}"
    spoken = "/".join(map(_percent, (row.language_ja, row.language_en, row.language_asked)))
    shares = map(_percent, (row.no_loop, row.ended))
    translated = map(_percent, (row.en_ja, row.ja_en))
    return name, _percent(row.accuracy), spoken, *shares, f"{row.length:.0f}", *translated, _languages(row.chinese)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}"


def _languages(shares: Mapping[str, float] | None) -> str:
    return "" if shares is None else "/".join(_percent(shares[name]) for name in ("zh", "ja", "en"))


def _table(
    shell: Shell,
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    left: int = 1,
    raw: Sequence[str] = (),
) -> None:
    """A table with headings from `experiment.col_`; `raw` ones are shown as they are."""
    from rich import box
    from rich.table import Table

    from bonsai.cli.shell import shown

    if title:
        shell.line("")
        shell.say(f"experiment.title_{title}")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for number, heading in enumerate(headings):
        name = heading if heading in raw else shell.text(f"experiment.col_{heading}")
        table.add_column(name, justify="left" if number < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(shown(cell) for cell in row))
    shell.show(table)
