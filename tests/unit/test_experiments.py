"""Experiments: the designs, what is asked, the intervals, the verdicts, the lines of the results."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bonsai.errors import InputError, UsageError
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Scores
from bonsai.ingest.tags.language import detect
from bonsai.model.prompt import TEMPLATES
from bonsai.system.json_values import from_values
from bonsai.train.seedling_facts import fact_samples
from research.experiment import chinese, plan, question_sets, results, rows, summary, verdicts
from research.experiment.comparing import Asked, difference, draws
from research.experiment.plan import Claim, Design, Unit
from research.experiment.plot import smoothed
from research.experiment.results import Answers, Costs, Point, Run
from research.experiment.rows import Room
from research.samples.rows import sample_rows

ROOM = Room(count_tokens=lambda row: 10, max_tokens=50, anchor_share=0.5)


def test_seeds_are_whole_when_it_stops_early_and_longer_arms_come_last() -> None:
    found = [unit.key for unit in plan.units(plan.TEMPLATES, (1, 2))]
    assert found[:4] == ["base/alpaca", "base/reasoning", "base/tagged", "alpaca/1"]
    assert found.index("chinese/1") < found.index("alpaca/2")
    assert found[-2:] == ["alpaca-longer/1", "alpaca-longer/2"]
    assert len(set(found)) == 3 + 2 * len(plan.TEMPLATES.arms)


@pytest.mark.parametrize("design", plan.DESIGNS.values(), ids=str)
def test_claims_are_about_arms_and_ways_of_the_design(design: Design) -> None:
    for claim in design.claims:
        for side in (claim.first, claim.second):
            arm, _, way = side.partition("@")
            assert design.arm(arm).template in TEMPLATES
            assert not way or arm in design.limited
            assert way in ("", plan.UNSTOPPED, *map(str, design.limits))


def test_an_unknown_experiment_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="templates"):
        plan.design("tempaltes")


def test_every_chinese_answer_is_chinese_to_the_rules_and_no_question_trains_and_asks() -> None:
    assert len(chinese.records()) == 60
    assert {detect(row.output).value for row in chinese.records()} == {"zh"}
    asked = {item.instruction for item in chinese.questions()}
    assert len(asked) == 20
    assert not asked & {row.instruction for row in chinese.records()}


def test_added_translations_are_in_no_replay_sample_and_go_both_ways() -> None:
    items = question_sets.translation_items()
    asked = {item.instruction for item in items}
    assert len(asked) == len(items) == 100
    assert {(item.language, item.question_language) for item in items} == set(product(("ja", "en"), repeat=2))
    assert not asked & {record.instruction for record in fact_samples(3000, seed=1)}


def test_no_pool_but_selection_is_asked() -> None:
    every = question_sets.question_set()
    assert {item.pool for item in every.items} == {"selection", "translations", "chinese"}
    assert [item.pool for item in every.items[: every.pool]] == ["selection"] * every.pool
    assert question_sets.question_set(12).digest != every.digest


def test_arms_share_rows_and_differ_in_what_they_are_about() -> None:
    own = sample_rows()
    found = {arm.name: rows.snapshot_of(arm, own, 2, 1, ROOM) for arm in plan.TEMPLATES.arms}
    assert found["alpaca"].content_hash == found["tagged"].content_hash == found["reasoning"].content_hash
    assert {row.category for row in found["no-translation"].train}.isdisjoint({"translation"})
    more = set(found["chinese"].train) - set(found["tagged"].train)
    assert {row.language for row in more} == {"zh"}
    assert len(more) == 60
    assert set(found["tagged"].train) < set(found["chinese"].train)


def test_another_seed_replays_other_samples() -> None:
    own, arm = sample_rows(), plan.TEMPLATES.arm("tagged")
    first, again, other = (rows.snapshot_of(arm, own, 1, seed, ROOM) for seed in (1, 1, 2))
    assert first == again
    assert first.content_hash != other.content_hash


def test_bytes_of_answers_count_every_pass() -> None:
    own = sample_rows()[:3]
    made = rows.snapshot_of(plan.TEMPLATES.arm("tagged"), own, 4, 1, replace(ROOM, anchor_share=0.0))
    assert rows.response_bytes(made, 4) == 4 * sum(len(row.output.encode()) for row in own)


# --- intervals


def asked_of(clusters: int) -> Asked:
    return Asked(tuple(f"fact {number}" for number in range(clusters) for _ in "je"), tuple("je" * clusters))


def test_every_draw_of_the_seeds_is_counted() -> None:
    assert sum(times for _, times in draws(3)) == 27
    assert len(draws(3)) == 10
    assert draws(1) == [((0,), 1)]
    assert len(draws(8)) == 100


def test_an_interval_holds_its_mean_and_is_the_mirror_of_the_other_order() -> None:
    values = np.random.default_rng(3).normal(0.3, 1.0, size=(3, 80))
    found, mirrored = (difference(sign * values, asked_of(40), shares=False) for sign in (1, -1))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.mean < found.high
    assert found.mean == pytest.approx(-mirrored.mean)
    assert found.low == pytest.approx(-mirrored.high, abs=0.02)  # type: ignore[operator]
    assert found.by_seed == pytest.approx(values.mean(axis=1))


def test_seeds_that_disagree_widen_the_interval() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.1, size=(1, 80))
    agree = difference(np.repeat(noise, 3, axis=0) + 0.2, asked_of(40), shares=False)
    differ = difference(noise + np.array([[-0.2], [0.2], [0.6]]), asked_of(40), shares=False)
    assert differ.mean == pytest.approx(agree.mean)
    assert agree.low is not None
    assert agree.low > 0
    assert differ.low is not None
    assert differ.low < 0


def test_there_is_no_interval_from_a_few_facts() -> None:
    found = difference(np.full((2, 8), 0.5), asked_of(4), shares=False)
    assert (found.mean, found.low, found.high) == (0.5, None, None)
    assert verdicts.verdict_of(found) == "too_few"


# --- verdicts, on runs made by hand

ITEMS = tuple(
    Item(
        f"{number}{language}", "selection", f"fact {number}", "general", "open_qa", language, language, "?", "", "!", ()
    )
    for number in range(40)
    for language in ("ja", "en")
)
DESIGN = Design(
    name="by hand",
    arms=(plan.TEMPLATES.arm("alpaca"), plan.TEMPLATES.arm("tagged")),
    claims=(
        Claim("bits", "bits", "tagged", "alpaca"),
        Claim("fall", "fall", "tagged", "alpaca"),
        Claim("accuracy", "accuracy", "tagged", "alpaca"),
        Claim("limit_ended", "ended", "tagged", "tagged@16"),
    ),
    limits=(16,),
    limited=("tagged",),
)


def scores(*, correct: bool, ended: bool) -> Scores:
    return Scores(
        correct=correct, exact=correct, accepted=False, character_f1=0.0, chrf=0.0, language_ok=True, looping=False,
        ended=ended, empty=False, leaked=False, tags_ok=True,
    )  # fmt: skip


def answers(right: int, ended: bool = True) -> Answers:
    flags = (results.packed(scores(correct=number < right, ended=ended)) for number in range(len(ITEMS)))
    return Answers("".join(flags), (10,) * len(ITEMS), "j" * len(ITEMS))


def a_run(unit: Unit, bits: int, right: int) -> Run:
    noise = [bits + 7 * (number % 5) + unit.seed for number in range(len(ITEMS))]
    ways = {"pipeline": answers(right), "16": answers(right // 2, ended=False)}
    return Run(
        key=unit.key,
        arm=unit.arm.name if unit.seed else "base",
        seed=unit.seed,
        template=unit.arm.template,
        items_hash="h",
        training={"steps": 4, "response_bytes": 4000.0} if unit.seed else {},
        seconds=1.0,
        losses=(3.0, 2.0, 1.0, 0.5) if unit.seed else (),
        curve=(Point(0, 1.0, 1.0, 1.0),),
        costs=Costs(tuple(noise), tuple(noise), tuple(noise)),
        answers=ways,
    )


def by_hand() -> dict[str, Run]:
    made = {}
    for unit in plan.units(DESIGN, (1, 2)):
        bits, right = (900, 30) if unit.arm.name == "alpaca" else (400, 60)
        made[unit.key] = a_run(unit, bits if unit.seed else bits + 100, right)
    return made


def test_a_planted_gain_is_shown_and_the_other_order_is_shown_to_be_wrong() -> None:
    runs = by_hand()
    found = {one.claim.name: one for one in verdicts.judge(DESIGN, runs, ITEMS)}
    assert found["bits"].verdict == found["accuracy"].verdict == found["limit_ended"].verdict == "holds"
    assert found["bits"].difference is not None
    assert found["bits"].difference.mean == pytest.approx(0.5)
    assert found["bits"].seeds == (1, 2)
    turned = replace(DESIGN, claims=(Claim("bits", "bits", "alpaca", "tagged"),))
    assert verdicts.judge(turned, runs, ITEMS)[0].verdict == "reversed"


def test_equal_falls_from_different_bases_show_nothing() -> None:
    found = {one.claim.name: one for one in verdicts.judge(DESIGN, by_hand(), ITEMS)}
    assert found["fall"].verdict == "not_shown"
    assert found["fall"].difference is not None
    assert found["fall"].difference.mean == pytest.approx(0.0)


def test_one_seed_has_an_interval_and_shows_nothing() -> None:
    runs = {key: run for key, run in by_hand().items() if run.seed < 2}
    found = verdicts.judge(DESIGN, runs, ITEMS)[0]
    assert found.difference is not None
    assert found.difference.low is not None
    assert found.difference.low > 0
    assert found.verdict == "too_few"


def test_a_claim_without_its_arm_is_not_judged() -> None:
    runs = {key: run for key, run in by_hand().items() if run.arm != "alpaca"}
    found = {one.claim.name: one.verdict for one in verdicts.judge(DESIGN, runs, ITEMS)}
    assert found == {"bits": "too_few", "fall": "too_few", "accuracy": "too_few", "limit_ended": "holds"}


def test_tables_have_a_row_for_every_arm_and_way() -> None:
    runs = by_hand()
    losses = summary.loss_rows(DESIGN, runs, ITEMS)
    assert [row.arm for row in losses] == ["base/alpaca", "base/tagged", "alpaca", "tagged"]
    assert losses[2].bits == pytest.approx(0.9155)
    behaviour = {(row.arm, row.way): row for row in summary.behaviour_rows(DESIGN, runs, ITEMS)}
    assert behaviour["tagged", "pipeline"].accuracy == pytest.approx(60 / 80)
    assert behaviour["tagged", "16"].ended == 0
    sliced = summary.slice_rows(DESIGN, runs, ITEMS)
    assert [(row.domain, row.language, row.items) for row in sliced] == [("general", "en", 40), ("general", "ja", 40)]


def test_a_curve_is_smoothed_without_moving_its_mean() -> None:
    losses = [float(number % 7) for number in range(128)]
    assert len(smoothed(losses)) == 8
    assert np.mean(smoothed(losses)) == pytest.approx(np.mean(losses))
    assert len(smoothed([1.0, 2.0])) == 2


# --- lines


def test_a_line_reads_back_as_the_run(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    for run in by_hand().values():
        results.append(file, run)
    assert results.read(file) == by_hand()
    assert from_values(results.Run, asdict(by_hand()["tagged/1"])) == by_hand()["tagged/1"]


def test_a_torn_last_line_is_cut_off_and_the_run_done_again(tmp_path: Path) -> None:
    file, runs = tmp_path / "runs.jsonl", by_hand()
    results.append(file, runs["tagged/1"])
    with file.open("a") as torn:
        torn.write('{"key": "tagged/2", "ar')
    assert set(results.read(file)) == {"tagged/1"}
    results.append(file, runs["tagged/2"])
    assert set(results.read(file)) == {"tagged/1", "tagged/2"}


def test_a_whole_line_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text('{"key": "tagged/1"}\n')
    with pytest.raises(InputError, match="line 1"):
        results.read(file)


def test_flags_unpack() -> None:
    said = answers(1, ended=False)
    assert said.flag(0, "correct")
    assert not said.flag(1, "correct")
    assert not said.flag(0, "ended")
    assert said.flag(5, "language_ok")
