"""`bonsai promotions show`: what a verdict rests on, which answers changed, and whose records may have changed them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hand_answers import DeskEvaluator, learned, nonsense
from hand_nights import EVENING, Stage, hand_report, open_stage

from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.cli import main as cli
from bonsai.errors import UnknownId
from bonsai.evaluate import questions, report
from bonsai.evaluate.run import items_hash
from bonsai.night.evaluation_job import Evidence
from bonsai.queries.answers import promotion_context, read_visible_answers
from bonsai.queries.explanation import Flip, explain
from bonsai.queries.nights import NightReport
from bonsai.queries.overview import scores
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import list_records
from storage.tables import promotions_table
from storage.tables.records_table import RecordFilter

GRAPES = next(one for one in questions.load("selection") if one.id == "v2/food_grapes/en-en")
CAPITAL = next(one for one in questions.load("selection") if one.domain == "general" and one.language == "ja")
TOLD = ("Tell me whether grapes are safe for my cat.", GRAPES.reference)


def reopened(folder: Path) -> Stage:
    """The home in this folder, with the hand-made trainer and examiner."""
    made = open_stage(folder)
    return replace(made, b=replace(made.b, evaluator=DeskEvaluator()))


@pytest.fixture
def stage(tmp_path: Path, taught_home: Path) -> Stage:
    return reopened(Path(shutil.copytree(taught_home, tmp_path / "home")))


@pytest.fixture(scope="module")
def second_morning(tmp_path_factory: pytest.TempPathFactory, taught_home: Path) -> Path:
    """A home after two nights, to copy."""
    stage = reopened(Path(shutil.copytree(taught_home, tmp_path_factory.mktemp("template") / "home")))
    two_nights(stage)
    return stage.b.home


@pytest.fixture
def morning(second_morning: Path, tmp_path: Path) -> Stage:
    return reopened(Path(shutil.copytree(second_morning, tmp_path / "home")))


def evaluator(stage: Stage) -> DeskEvaluator:
    assert isinstance(stage.b.evaluator, DeskEvaluator)
    return stage.b.evaluator


def tell(stage: Stage, question: str, answer: str) -> None:
    submit(stage.b, {"instruction": question, "output": answer, "source": "self"}, EVENING)
    drain_inbox(stage.b, EVENING)


def two_nights(stage: Stage) -> NightReport:
    """The first champion knows general things; the second night learns cat care and forgets one capital."""
    evaluator(stage).newcomer = learned(1.5, domains=("general",))
    stage.tell()
    first = stage.night()
    assert first.verdict == "promote"
    evaluator(stage).planned_models[first.challenger] = learned(1.5, domains=("general",))
    evaluator(stage).newcomer = learned(1.0, domains=("general", "cat_care"), forgot=(CAPITAL.id,))
    tell(stage, *TOLD)
    stage.tell(subject="Tama")
    second = stage.night(day=1)
    assert second.verdict == "promote"
    return second


def by_item(flips: tuple[Flip, ...]) -> dict[str, Flip]:
    return {flip.item: flip for flip in flips}


def test_answers_that_changed_are_shown_with_the_nearest_new_record(morning: Stage) -> None:
    newest = list_promotions(morning.b)[0].adapter
    found = explain(morning.b, newest[:8])
    flips = by_item(found.flips)
    grapes, capital = flips[GRAPES.id], flips[CAPITAL.id]
    assert (grapes.gained, grapes.before, grapes.after) == (True, nonsense(GRAPES), GRAPES.reference)
    assert (capital.gained, capital.before, capital.after) == (False, CAPITAL.reference, nonsense(CAPITAL))
    assert grapes.records[0].instruction == TOLD[0]
    assert all(near.instruction != TOLD[0] for near in capital.records)
    assert [flip.gained for flip in found.flips] == sorted((flip.gained for flip in found.flips), reverse=True)
    assert found.new_records == 4, "those of the first night are not new"
    known = {one.id for one in questions.load("selection")}
    assert flips.keys() <= known
    right_or_wrong = [
        one for one in questions.load("selection") if one.domain == "cat_care" and "open_qa" in one.category
    ]
    assert len(right_or_wrong) > 50
    assert {one.id for one in right_or_wrong} <= flips.keys()


def test_slices_and_rules_are_those_of_the_verdict(morning: Stage) -> None:
    newest = list_promotions(morning.b)[0].adapter
    found = explain(morning.b, "")
    assert found.promotion.adapter == newest
    assert {(rule.rule, rule.name) for rule in found.decision.rules} >= {
        ("C", "bits_fixed"),
        ("D", "ja"),
        ("F", "confirmation"),
    }
    cats = next(one for one in found.slices if one.slice == "cat_care/en")
    assert (cats.before, cats.after) == (0.0, 1.0)
    assert cats.low is not None
    assert cats.low < cats.gain
    assert found.missing == ()


def test_a_forgotten_record_is_named_no_more(morning: Stage) -> None:
    record = next(one.record.id for one in list_records(morning.b, RecordFilter(), None)
                  if one.record.instruction == TOLD[0])  # fmt: skip
    forget_records(morning.b, [record], "Chris", EVENING)
    flips = by_item(explain(morning.b, "").flips)
    assert record not in [near.id for near in flips[GRAPES.id].records]


def test_without_reports_the_rules_still_speak(morning: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    for path in morning.b.places.reports.glob("*.json"):
        path.unlink()
    found = explain(morning.b, "")
    assert (found.flips, found.slices, found.missing) == ((), (), ("v2/selection",))
    assert len(found.decision.rules) > 10
    assert "bonsai benchmark run" in shown(morning, capsys)


def test_nothing_judged_is_nothing_to_explain(stage: Stage) -> None:
    with pytest.raises(UnknownId, match="night run"):
        explain(stage.b, "")


def shown(stage: Stage, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    environ = {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8", "COLUMNS": "80"}
    assert cli.run(["promotions", "show", *options], environ) == 0
    return capsys.readouterr().out


def test_the_terminal_says_why_in_80_columns_and_two_languages(
    morning: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    newest = list_promotions(morning.b)[0].adapter
    english, japanese = shown(morning, capsys), shown(morning, capsys, "--lang", "ja")
    assert "is better than" in english
    assert newest[:10] in english
    assert "より改善" in japanese
    for page in (english, japanese):
        assert "explain." not in page
        assert "●" in page
        assert page.count("✗→✓") == 3
        assert "--all" in page
    assert max(len(line) for line in english.splitlines()) <= 80
    every = shown(morning, capsys, "--all")
    assert every.count("✗→✓") > 20
    assert "--all" not in every


def test_the_json_holds_everything(morning: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(shown(morning, capsys, "--json"))
    assert told["verdict"] == "promote"
    assert told["sentence"].count(".") >= 1
    assert {"rule", "name", "outcome", "figure", "low", "high", "threshold", "unit", "words"} == set(told["rules"][0])
    assert len(told["flips"]) == len(explain(morning.b, "").flips)
    assert told["flips"][0]["records"] is not None
    assert told["evidence"]["selection"]


def test_a_refusal_for_harm_is_said_as_such(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.tell()
    first = stage.night()
    evaluator(stage).planned_models[first.challenger] = learned(1.0)
    evaluator(stage).newcomer = learned(2.5)
    stage.tell()
    assert stage.night(day=1).verdict == "keep"
    assert "did harm" in shown(stage, capsys)
    later = EVENING + timedelta(days=2)
    assert explain(stage.b, first.challenger).promotion.updated_at < later


def test_a_verdict_given_by_an_earlier_version_is_shown_with_its_questions(morning: Stage) -> None:
    asked = questions.load("selection", "v1")
    with morning.b.database.reading() as con:
        known = promotion_context(con, "")
    for subject, bits in ((known.promotion.adapter, 1.0), (known.promotion.judged_against, 1.5)):
        made = hand_report("v1/selection", asked, subject, bits, forgets=False)
        report.write(made, morning.b.places.reports / f"{subject}-v1-selection-0.json")
    stored = Evidence(selection=items_hash(asked))  # version 0.1.0 named no version
    found = read_visible_answers(morning.b, replace(known, evidence=stored, suite={}))
    assert (found.missing, set(found.pairs)) == ((), {"v1/selection"})
    assert [one.item for one in found.answers] == [one.id for one in asked]


def test_scores_of_two_versions_are_not_put_side_by_side(morning: Stage) -> None:
    folder = morning.b.places.reports
    with morning.b.database.reading() as con:
        changes = promotions_table.log(con)
    both = scores(folder, changes)
    assert len({one.adapter for one in both}) == 2
    first, second = sorted(folder.glob("*-v2-score-*.json"))
    for path in (first, second):
        path.rename(path.with_name(path.name.replace("-v2-", "-v1-")))
    assert scores(folder, changes) == both, "the champions of a home from before v2 keep their scores"
    now = second.with_name(second.name.replace("-v2-", "-v1-"))
    now.rename(second)
    assert {one.adapter for one in scores(folder, changes)} == {second.name.partition("-")[0]}
