"""The study of the gate's error rates: its small file, its intervals, its years; on reports made by hand."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gate_study import coverage, document, harms, plan, render, runs, schedule, tables, verdicts, year
from benchmarks.gate_study.question_sets import REHEARSED, SELECTION, SUITE, items_of, unrehearsed
from benchmarks.gate_study.runs import BASE, FLAGS, PoolResult, Run
from bonsai.evaluate import questions
from bonsai.evaluate.compare import Slice
from bonsai.evaluate.report import Report
from bonsai.gate import error_budget
from bonsai.gate.decision import Policy
from bonsai.train.seedling_facts import all_rows

GOOD = runs.FINE
WRONG = runs.DIGITS[0b001010]
"In the right language and ended, but wrong."
SETS_OF_OTHERS = (*questions.POOLS, REHEARSED)
SETS = (*SETS_OF_OTHERS, SUITE)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return replace(plan.defaults().gate.policy, resamples=1000)


def made(
    key: str, bits: float, *, luck: int = 0, flag: str = GOOD, spoiled: int = 0, logit: float = 1.0, right: float = 1.0
) -> Run:
    """A model with so many bits a byte on what is taught; the first `spoiled` answers get `flag`.

    On control and general facts it is as good as the base; `right` is the share of right answers on what is taught.
    """
    rng = np.random.default_rng(luck)
    sheets: dict[str, PoolResult] = {}
    for name in SETS if key.startswith((BASE, "house")) else SETS_OF_OTHERS:
        items = items_of(name)
        count = len(items)
        known = (bits if item.domain in ("cat_care", "own") else 0.9 for item in items)
        errors = rng.normal(0, 20, count)
        values = tuple(max(0, round(1000 * one + error)) for one, error in zip(known, errors, strict=True))
        lucky = rng.random(count) < right
        said = (
            WRONG if item.domain == "control" or (item.domain == "cat_care" and not sure) else GOOD
            for item, sure in zip(items, lucky, strict=True)
        )
        sheets[name] = PoolResult(values, (flag * spoiled + "".join(said)[spoiled:])[:count], (3000,) * count)
    return Run(key, (logit, 0.0), sheets, {})


def court(policy: Policy, *more: Run) -> verdicts.Court:
    return verdicts.Court({one.key: one for one in (made(BASE, 0.9, logit=0.0, right=0.0), *more)}, policy)


def flags(report: Report, at: int) -> dict[str, object]:
    return {name: getattr(report.items[at].free.scores, name) for name in FLAGS}


def test_a_line_gives_back_the_report_that_it_was_made_of() -> None:
    run = made("seed/1", 0.4, flag="k", spoiled=3)
    report = runs.report_of(run, "selection")
    again = runs.report_of(runs.from_line(runs.to_line(run)), "selection")
    assert again == report
    assert runs.pool_result(report).bits == run.sheets["selection"].bits
    assert flags(report, 0) == dict(
        correct=False, language_ok=False, looping=True, ended=False, empty=False, leaked=True
    )
    assert flags(report, 3) == dict(
        correct=True, language_ok=True, looping=False, ended=True, empty=False, leaked=False
    )


def test_an_item_that_was_not_answered_is_neither_right_nor_wrong() -> None:
    run = made("seed/1", 0.4)
    flags_of = "".join(GOOD if item.domain == "cat_care" else runs.UNASKED for item in items_of("confirmation"))
    sheet = replace(run.sheets["confirmation"], flags=flags_of)
    report = runs.report_of(replace(run, sheets={"confirmation": sheet}), "confirmation")
    right = {item.free.scores.correct for item in report.items if item.domain != "cat_care"}
    assert right == {None}
    assert {item.free.scores.ended for item in report.items} == {True}


def test_a_number_that_is_none_stays_none() -> None:
    run = made("harm/nan/1", 0.4)
    nothing = (None,) * len(items_of("selection"))
    broken = replace(run, sheets={"selection": replace(run.sheets["selection"], bits=nothing)}, logits=(None,))
    report = runs.report_of(runs.from_line(runs.to_line(broken)), "selection")
    assert np.isnan([item.bits_per_byte for item in report.items]).all()
    assert np.isnan(report.logits).all()


def test_the_file_goes_on_after_a_torn_line_and_adds_pools_to_a_run(tmp_path: Path) -> None:
    path = tmp_path / "gate.jsonl"
    run = made("seed/1", 0.4)
    runs.append(path, replace(run, sheets={"selection": run.sheets["selection"]}))
    with path.open("ab") as file:
        file.write(b'{"key":"seed/2","log')
    runs.append(path, replace(run, sheets={"score": run.sheets["score"]}))
    assert list(runs.read(path)) == ["seed/1"]
    assert set(runs.read(path)["seed/1"].sheets) == {"selection", "score"}


def test_the_gate_judges_rebuilt_reports(policy: Policy) -> None:
    judge = court(policy, made("seed/1", 0.3, luck=1), made("seed/2", 0.3, luck=2), made("seed/3", 0.6, luck=3)).judge
    assert judge("seed/1", "seed/3").promoted
    assert judge("seed/3", "seed/1").verdict == "keep"
    assert {rule[0] for rule in judge("seed/1", "seed/2").caught} == {"C"}
    looping = made("harm/looping/4", 0.3, luck=4, flag="P", spoiled=80)
    caught = court(policy, looping, made("seed/3", 0.6, luck=3)).judge("harm/looping/4", "seed/3").caught
    assert "B" in {rule[0] for rule in caught}


def test_the_level_is_that_of_a_first_night_unless_another_is_given(policy: Policy) -> None:
    assert verdicts.first_level(policy) == error_budget.level((), policy.false_promotions)
    here = court(policy)
    assert here.at(0.01).level == 0.01
    assert here.at(0.01).report(BASE) is here.report(BASE), "reports are shared"


def test_a_short_cut_never_changes_a_promotion(policy: Policy) -> None:
    here = court(policy, *(made(f"seed/{seed}", 0.3 + seed / 15, luck=seed) for seed in range(1, 6)))
    keys = [key for key in here.runs if key != BASE]
    pairs = [(new, old) for new in keys for old in keys if new != old]
    assert [here.judge(*pair).promoted for pair in pairs] == [here.judge_soon(*pair).promoted for pair in pairs]
    assert any(here.judge(*pair).promoted for pair in pairs)


def test_an_adapter_is_not_compared_with_one_made_of_it(policy: Policy) -> None:
    here = court(policy, made("seed/7", 0.3), made("night-scaled/0.7/7", 0.5), made("night-scaled/0.7/8", 0.5))
    champions = ["night-scaled/0.7/7", "night-scaled/0.7/8", BASE]
    assert [one is None for one in here.table(["seed/7"], champions)[0]] == [
        True, False, False,
    ]  # fmt: skip


def test_intervals_count_adapters_and_not_pairs() -> None:
    promoted = np.zeros((20, 20))
    promoted[0] = 1.0  # one lucky adapter beats all the others
    np.fill_diagonal(promoted, np.nan)
    share = verdicts.adapter_interval(promoted, verdicts.share_of)
    assert share.value == pytest.approx(1 / 20)
    assert share.low == 0.0, "without that adapter there is nothing"
    assert share.high > 2 * verdicts.clopper_pearson(19, 380).value
    assert verdicts.disjoint_bound(40) == pytest.approx(1 - 0.05 ** (1 / 20))


def test_a_lucky_champion_is_not_replaced_for_ever() -> None:
    promoted = np.triu(np.ones((4, 4)), 1)  # each adapter beats those after it
    assert year.expected_promotions(promoted, nights=1) == pytest.approx(6 / 16)
    assert year.expected_promotions(promoted, nights=10_000) < 3
    assert year.expected_promotions(np.full((4, 4), np.nan)) == 0.0


def home(least: float) -> year.Home:
    """Twelve seeds with a deviation of 0.02 on both fixed claims."""
    effects = np.random.default_rng(1).normal(0, 0.02, (12, 5))
    small = np.full(2, 0.01)
    return year.Home(("right_fixed", "bits_fixed"), effects, small, small, np.full(2, least), 500)


def test_a_year_counts_what_promotions_were_truly_worth() -> None:
    calm = home(least=0.09)
    idle = year.live(calm, year.nothing_new, year.budget_gate(0.1, 0.05), years=3)
    assert (idle.years, idle.promotions.total(), idle.false_share, idle.held) == (3, 0, None, [0, 0, 0])
    bare = year.live(calm, year.nothing_new, year.bare_gate, years=3)
    assert bare.a_year("no better") > 3
    assert bare.false_share == 1.0
    taught = year.live(calm, year.lessons, year.budget_gate(0.1, 0.05), years=3)
    assert taught.a_year("better") == pytest.approx(year.LESSONS, abs=1)
    assert min(taught.held) == year.LESSONS


def test_a_smaller_level_lets_fewer_lucky_seeds_in() -> None:
    lucky = home(least=0.0)
    strict, loose = (
        year.live(lucky, year.nothing_new, gate, 3) for gate in (year.budget_gate(0.1, 0.05), year.fixed_gate(0.05))
    )
    assert 0 <= strict.a_year("no better") < loose.a_year("no better")
    assert year.level_of(3, (2,), 0.1) == error_budget.level([False, True, False], 0.1)


def test_a_small_home_claims_nothing_on_a_personal_set() -> None:
    effects = np.zeros((3, 7))
    both = year.Home(year.CLAIMS, effects, np.full(4, 0.02), np.full(2, 0.02), np.full(4, 0.09), 500)
    assert list(year.homes(both)) == ["small", "with a household", "large"]
    small = year.homes(both)["small"]
    assert small.claims == ("right_fixed", "bits_fixed")
    assert small.effects.shape == (3, 5)
    assert len(small.worth()) == 5
    assert list(year.homes(both)["large"].errors) == [0.02, 0.02, 0.01, 0.01]


def test_bounds_hold_where_they_should(policy: Policy) -> None:
    here = court(policy, made("seed/1", 0.3, luck=1), made("seed/2", 0.31, luck=2))
    taught, control = (
        coverage.world_of(here.pair("seed/1", "seed/2"), Slice(name, (name,)), policy.bits)
        for name in ("cat_care", "control")
    )
    assert coverage.truth_of(taught) == pytest.approx(0.01, abs=0.005)
    found = coverage.covered(taught, "cat_care", policy.bits, policy.slice_bootstrap, 0.05, 300)
    beyond = coverage.covered_beyond(taught, control, policy.bits, policy.slice_bootstrap, (0.05, 0.01), 300)
    for one in (found, *beyond):
        assert 0.87 < one.lower <= 1.0
        assert 0.87 < one.upper <= 1.0
    assert [one.level for one in beyond] == [0.05, 0.01]


def test_rehearsed_facts_are_replayed_and_the_others_are_not() -> None:
    answers = {row.output for row in all_rows()}
    rehearsed = items_of(REHEARSED)
    others = [item for item in items_of(SELECTION) if item.id in unrehearsed()]
    assert len({item.cluster for item in rehearsed}) > 40
    assert not {item.cluster for item in rehearsed} & {item.cluster for item in others}
    assert all(item.reference in answers for item in rehearsed)
    assert not [item.id for item in others if item.reference in answers]
    assert all(item.expected for item in rehearsed)


def test_what_forgets_the_unrehearsed_is_never_taught_a_selected_question() -> None:
    general = [item for item in items_of("score") if item.domain == "general"]
    subject = plan.seedling()
    material = harms.Material(plan.own_rows(), (), general, plan.encoder_of(subject))
    made_lessons = harms.lessons(harms.FORGETS, 101, 40, material)
    assert len(made_lessons) == 40
    form = harms.lessons("form_only", 101, 40, material)
    own = {tuple(harms.lesson(row, material.encoder).input_ids) for row in material.rows}
    assert not [one for one in form if one.input_ids in own], "no record with its own answer"
    asked = {item.instruction for item in items_of(SELECTION)}
    assert not asked & {item.instruction for item in general}


def test_every_run_has_one_place_and_every_harm_meets_a_weaker_champion() -> None:
    keys = [step.key for step in schedule.order()]
    assert len(keys) == len(set(keys))
    assert not set(schedule.FIT_SEEDS) & set(schedule.TEST_SEEDS)
    for step in schedule.order():
        if step.parts[0] == "harm":
            champion = schedule.champion_of(step)
            assert champion in keys
            assert champion.rpartition("/")[2] != str(step.seed)


def test_the_report_prints_what_there_is(policy: Policy) -> None:
    nothing = render.render(tables.study({}))
    assert nothing["harms"].startswith("Not measured yet.")
    assert "From 0 of 10 runs" not in nothing["progress"]
    assert "| `form` | 0 of 10 |" in nothing["progress"]
    few = {one.key: one for one in (made(BASE, 0.9, logit=0.0, right=0.0), made("seed/1", 0.4), made("form/201", 0.9))}
    shown = render.render(tables.study(few, worlds=5, years=2))
    assert "`form`" in shown["form"]
    assert not re.search(r"nan\b(?!`)", "".join(shown.values()))


def test_minima_and_promotions_follow_from_the_runs() -> None:
    several = [made(BASE, 0.9, logit=0.0, right=0.0)]
    seeds = (*schedule.FIT_SEEDS, *schedule.TEST_SEEDS[:3])
    several += [made(f"seed/{seed}", 0.4, luck=seed, right=0.8) for seed in seeds]
    nights = schedule.NIGHT_SEEDS[:3]
    several += [made(f"night/{seed}", 0.3, luck=20 + seed) for seed in nights]
    several += [made(f"night-scaled/0.7/{seed}", 0.7, luck=50 + seed, right=0.3) for seed in nights]
    several += [made(f"house/{seed}", 0.3, luck=seed) for seed in schedule.HOUSE_SEEDS[:3]]
    several += [made("harm/empty/301", 0.4, luck=9, flag=runs.DIGITS[0b011000], spoiled=600)]
    found = tables.study({one.key: one for one in several}, worlds=5, years=2)
    assert {one.claim for one in found.minima if one.plan == "short plan"} == {"right_fixed", "bits_fixed"}
    assert {one.claim for one in found.minima if one.plan.startswith("night")} == set(year.CLAIMS)
    assert [(one.plan, one.pairs) for one in found.no_progress] == [
        ("short plan", 6),
        ("night-long", 6),
        ("household", 6),
    ]
    planted = {one.champion: one for one in found.detected}
    assert planted["night-scaled/0.7"].won == planted["night-scaled/0.7"].tries == 3
    assert [(one.name, one.promoted, one.control) for one in found.harmed] == [("empty", 0, 1)]
    assert found.years_from == "house"
    assert not re.search(r"nan\b(?!`)", "".join(render.render(found).values()))


def test_a_table_finds_its_place_in_the_document(tmp_path: Path) -> None:
    path = tmp_path / "gate.md"
    path.write_text("Before\n<!-- harms -->\nold\n<!-- end harms -->\nAfter\n", "utf-8")
    document.put(path, "harms", "| new |")
    document.put(path, "harms", "| newer |")
    assert path.read_text("utf-8") == "Before\n<!-- harms -->\n\n| newer |\n\n<!-- end harms -->\nAfter\n"
    with pytest.raises(ValueError, match="no place for year"):
        document.put(path, "year", "")


def test_the_report_needs_no_torch() -> None:
    code = "import sys; from benchmarks.gate_study import plots, render, tables; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
