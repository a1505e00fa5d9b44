"""The study of the gate's error rates: its small file, its intervals, its years; on reports made by hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gate_study import coverage, document, plan, runs, schedule, verdicts, year
from benchmarks.gate_study.runs import BASE, FLAGS, PoolResult, Run
from bonsai.evaluate import questions
from bonsai.evaluate.compare import Slice
from bonsai.evaluate.report import Report
from bonsai.gate.decision import Policy

GOOD = runs.FINE


@pytest.fixture(scope="module")
def policy() -> Policy:
    return replace(plan.policy_of(plan.defaults()), resamples=200)


def made(key: str, bits: float, *, luck: int = 0, flag: str = GOOD, spoiled: int = 0, logit: float = 1.0) -> Run:
    """A model with so many bits a byte, but on general facts; the first `spoiled` answers get `flag`."""
    rng = np.random.default_rng(luck)
    sheets: dict[str, PoolResult] = {}
    for pool in questions.POOLS:
        items = runs.pool_items(pool)
        count = len(items)
        known = (0.9 if item.domain == "general" else bits for item in items)
        errors = rng.normal(0, 20, count)
        values = tuple(max(0, round(1000 * one + error)) for one, error in zip(known, errors, strict=True))
        sheets[pool] = PoolResult(values, flag * spoiled + GOOD * (count - spoiled))
    return Run(key, (logit, 0.0), sheets, {})


def court(policy: Policy, *more: Run) -> verdicts.Court:
    return verdicts.Court({one.key: one for one in (made(BASE, 0.9, logit=0.0), *more)}, policy)


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


def test_a_number_that_is_none_stays_none() -> None:
    run = made("harm/nan/1", 0.4)
    broken = replace(run, sheets={"selection": replace(run.sheets["selection"], bits=(None,) * 302)}, logits=(None,))
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
    judge = court(policy, made("seed/1", 0.3, luck=1), made("seed/2", 0.3, luck=2), made("seed/3", 0.5, luck=3)).judge
    assert judge("seed/1", "seed/3").promoted
    assert judge("seed/3", "seed/1").verdict == "keep"
    assert {rule[0] for rule in judge("seed/1", "seed/2").caught} == {"C"}
    looping = made("harm/looping/4", 0.3, luck=4, flag="P", spoiled=40)
    caught = court(policy, looping, made("seed/3", 0.5, luck=3)).judge("harm/looping/4", "seed/3").caught
    assert {rule[0] for rule in caught} == {"B"}


def test_a_short_cut_never_changes_a_promotion(policy: Policy) -> None:
    here = court(policy, *(made(f"seed/{seed}", 0.3 + seed / 20, luck=seed) for seed in range(1, 6)))
    keys = [key for key in here.runs if key != BASE]
    pairs = [(new, old) for new in keys for old in keys if new != old]
    assert [here.judge(*pair).promoted for pair in pairs] == [here.judge_soon(*pair).promoted for pair in pairs]
    assert any(here.judge(*pair).promoted for pair in pairs)


def test_an_adapter_is_not_compared_with_one_made_of_it(policy: Policy) -> None:
    here = court(policy, made("seed/7", 0.3), made("scaled/0.6/7", 0.5), made("scaled/0.6/8", 0.5))
    assert [one is None for one in here.table(["seed/7"], ["scaled/0.6/7", "scaled/0.6/8", BASE])[0]] == [
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


def test_a_year_counts_what_promotions_were_worth() -> None:
    right = year.figures({"low/1": 0.5, "low/2": 0.7, "high/1": 0.8, "high/2": 0.8})
    worth = year.Worth(right, right)
    kinds, ledger = year.Kinds([["low/1", "low/2"], ["high/1", "high/2"]], []), year.Ledger()
    year.grown_year(lambda challenger, champion: True, kinds, worth, ledger, seed=1)
    assert ledger.years == 1
    assert ledger.promotions["better"] > 0
    assert ledger.promotions["worse"] > 0
    assert ledger.promotions["no better"] > 50
    assert sorted({round(true, 6) for _, true in ledger.bits}) == [-0.2, 0.0, 0.2]
    assert max(shown for shown, true in ledger.accuracy if round(true, 6) == 0) == pytest.approx(0.2), "luck is shown"
    never = year.Ledger()
    year.grown_year(lambda challenger, champion: False, kinds, worth, never, seed=1)
    assert never.last == [pytest.approx(0.6)]


def test_bounds_hold_where_they_should(policy: Policy) -> None:
    here = court(policy, made("seed/1", 0.3, luck=1), made("seed/2", 0.31, luck=2))
    world = coverage.world_of(here.pair("seed/1", "seed/2"), Slice("all"), policy.bits)
    assert coverage.truth_of(world) == pytest.approx(0.01, abs=0.005)
    found = coverage.covered(world, "all", policy.bits, policy.slice_bootstrap, 0.05, 150)
    assert 0.88 < found.lower <= 1.0
    assert 0.88 < found.upper <= 1.0


def test_every_run_has_one_place_and_every_harm_meets_a_weaker_champion() -> None:
    keys = [step.key for step in schedule.order()]
    assert len(keys) == len(set(keys))
    assert not set(schedule.FIT_SEEDS) & set(schedule.TEST_SEEDS)
    for step in schedule.order():
        if step.parts[0] == "harm":
            champion = schedule.champion_of(step)
            assert keys.index(champion) < keys.index(step.key)
            assert champion.rpartition("/")[2] != str(step.seed)


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
