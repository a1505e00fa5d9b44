"""The benchmark by hand: what it can see, measured between two stored reports, and which pools may be looked at."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hand_answers import DeskEvaluator
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.benchmark import benchmark_power, run_benchmark
from bonsai.actions.personal_set import WrittenQuestion, add_question
from bonsai.cli import main as cli
from bonsai.errors import UnknownId, UsageError
from bonsai.night.prepare import claims_tonight


def reopened(folder: Path) -> Stage:
    made = open_stage(folder)
    return replace(made, b=replace(made.b, evaluator=DeskEvaluator()))


@pytest.fixture(scope="module")
def first_morning(tmp_path_factory: pytest.TempPathFactory, taught_home: Path) -> Path:
    """A home after one night in which twelve questions of the owner's own were asked too."""
    stage = reopened(Path(shutil.copytree(taught_home, tmp_path_factory.mktemp("template") / "home")))
    for number in range(12):
        written = WrittenQuestion(
            (f"Where is box {number + 10}?",), f"Box {number + 10} is in the barn.", category="open_qa"
        )
        add_question(stage.b, written, hold_back=False, by="Chris", now=EVENING)
    stage.tell()
    assert stage.night().verdict == "promote"
    return stage.b.home


@pytest.fixture
def morning(first_morning: Path, tmp_path: Path) -> Stage:
    return reopened(Path(shutil.copytree(first_morning, tmp_path / "home")))


def test_the_pair_that_the_gate_compared_last_is_measured(morning: Stage) -> None:
    fixed, own = benchmark_power(morning.b, power=0.8)
    assert (fixed.question_set, fixed.champion, own.question_set) == ("v2/selection", "base", "suite")
    named = {(one.slice, one.measure): one for one in fixed.effects}
    assert {("all", "bits"), ("ja", "bits"), ("en", "accuracy"), ("general/ja", "bits")} <= named.keys()
    assert (named["all", "bits"].items, named["all", "bits"].clusters) == (646, 315)
    assert fixed.smallest_promoted is not None
    assert fixed.smallest_promoted > fixed.minimum_gain
    level = claims_tonight(morning.b).level
    assert fixed.alpha == level / 2 < 0.05 / 2, "a personal set that cannot decide takes no share of the level"
    assert (own.smallest_promoted, own.facts_to_see_minimum) == (None, None), "twelve facts are too few to decide"
    assert {one.clusters for one in own.effects} == {12}


def test_more_power_asks_for_a_larger_gain(morning: Stage) -> None:
    usual, safe = (benchmark_power(morning.b, power=power)[0].effects[0] for power in (0.8, 0.95))
    assert usual.smallest_gain is not None
    assert safe.smallest_gain is not None
    assert safe.smallest_gain > usual.smallest_gain


def test_any_pair_with_common_reports_can_be_named(morning: Stage) -> None:
    assert benchmark_power(morning.b, "base", "champion", power=0.8)[0].challenger == "base"
    for path in morning.b.places.reports.glob("base-v2-selection-*.json"):
        path.write_text(path.read_text("utf-8").replace('"settings"', '"other settings"'), "utf-8")
    with pytest.raises(UnknownId, match="bonsai benchmark run"):
        benchmark_power(morning.b, power=0.8)


def test_without_reports_it_says_what_to_run(taught_home: Path, tmp_path: Path) -> None:
    stage = reopened(Path(shutil.copytree(taught_home, tmp_path / "home")))
    with pytest.raises(UnknownId, match="bonsai night run"):
        benchmark_power(stage.b, power=0.8)
    with pytest.raises(UnknownId, match="bonsai benchmark run"):
        benchmark_power(stage.b, "base", "base", power=0.8)


def test_the_personal_set_is_a_pool_that_can_be_asked(morning: Stage) -> None:
    assert len(run_benchmark(morning.b, "base", "suite", EVENING).items) == 12
    for pool, said in (("confirmation", "only the gate"), ("nothing", "no benchmark pool")):
        with pytest.raises(UsageError, match=said):
            run_benchmark(morning.b, "base", pool, EVENING)


def test_the_terminal_tells_it_in_two_languages_and_as_json(
    morning: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    environ = {"BONSAI_HOME": str(morning.b.home), "LANG": "C.UTF-8"}
    pages = []
    for options in ((), ("--lang", "ja"), ("--json",)):
        assert cli.run(["benchmark", "power", *options], environ) == 0
        pages.append(capsys.readouterr().out)
    assert "passes rule C in 80% of cases" in " ".join(pages[0].split())
    assert "検出できる最小の改善" in pages[1]
    assert max(len(line) for line in pages[0].splitlines()) <= 80
    told = json.loads(pages[2])
    assert [one["question_set"] for one in told] == ["v2/selection", "suite"]
    assert set(told[0]["slices"][0]) == {"slice", "measure", "items", "clusters", "standard_error", "smallest_gain"}
