"""The owner's own questions: written, kept out of training, counted, retired; and deciding what v1 never asks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hand_answers import DeskEvaluator, StubModel, ignorant
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.edit import release_records
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.personal_set import (
    PersonalSetState,
    WrittenQuestion,
    add_question,
    personal_set_history,
    personal_set_state,
    retire_questions,
)
from bonsai.cli import main as cli
from bonsai.errors import UnknownId, UsageError
from bonsai.evaluate.questions import Item
from bonsai.night import evaluation_job
from bonsai.queries.explanation import explain
from bonsai.queries.nights import NightReport
from bonsai.queries.records import list_records
from storage.tables import personal_set_table, records_table
from storage.tables.records_table import RecordFilter

QUESTION, ANSWER = "What is Kai's favourite toy?", "Kai loves the red ball."


@pytest.fixture
def stage(tmp_path: Path, taught_home: Path) -> Stage:
    made = open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))
    return replace(made, b=replace(made.b, evaluator=DeskEvaluator()))


def add(stage: Stage, *wordings: str, answer: str = ANSWER, hold_back: bool = False, **more: str) -> PersonalSetState:
    written = WrittenQuestion(wordings or (QUESTION,), answer, **more)  # type: ignore[arg-type]
    return add_question(stage.b, written, hold_back=hold_back, by="Chris", now=EVENING).state


def tell(stage: Stage, question: str, answer: str = ANSWER, source: str = "self") -> str:
    submit(stage.b, {"instruction": question, "output": answer, "source": source}, EVENING)
    drain_inbox(stage.b, EVENING)
    found = list_records(stage.b, RecordFilter(), None)
    return next(one.record.id for one in found if one.record.instruction == question)


def training(stage: Stage) -> set[str]:
    with stage.b.database.reading() as con:
        return {one.record.instruction for one in records_table.eligible(con)}


def test_a_question_with_its_paraphrases_is_one_fact(stage: Stage) -> None:
    state = add(stage, QUESTION, "Which toy does Kai like best?", fact="kai_toy")
    state = add(stage, "カイの一番好きなおもちゃは何?", answer="カイは赤いボールが大好きです。", fact="kai_toy")
    assert (len(state.items), state.clusters, state.needed, state.missing) == (3, 1, 30, 29)
    assert [one.item["language"] for one in sorted(state.items, key=lambda one: str(one.item["language"]))] == [
        "en", "en", "ja"
    ]  # fmt: skip
    assert add(stage, QUESTION, fact="kai_toy").version == state.version, "the same once more changes nothing"


def test_accepted_answers_category_and_language_are_kept(stage: Stage) -> None:
    written = WrittenQuestion(
        (QUESTION,), ANSWER, ("red ball", "its ball"), language="en", category="closed_qa", fact="f"
    )
    (item,) = add_question(stage.b, written, hold_back=False, by="Chris", now=EVENING).items
    assert (item.accepted, item.category, item.language, item.cluster) == (
        ("red ball", "its ball"),
        "closed_qa",
        "en",
        "f",
    )


def test_what_makes_no_question_is_refused_in_one_line(stage: Stage) -> None:
    with pytest.raises(UsageError, match="not a valid question"):
        add(stage, "")
    with pytest.raises(UsageError, match="ja, en"):
        add(stage, language="zh")


def test_a_question_that_a_record_asks_is_refused_or_holds_the_record_back(stage: Stage) -> None:
    record = tell(stage, QUESTION)
    tell(stage, "Which toy does Kai love the most?")
    with pytest.raises(UsageError, match=record[:10]):
        add(stage)
    assert QUESTION in training(stage)
    add(stage, hold_back=True)
    assert training(stage) == {"Which toy does Kai love the most?"}
    retire_questions(stage.b, ["written"], by="Chris", reason="too easy", now=EVENING)
    assert QUESTION in training(stage)


@pytest.mark.parametrize("source", ["self", "import"])
def test_a_later_record_that_asks_it_is_held_back_until_the_owner_decides(stage: Stage, source: str) -> None:
    add(stage)
    record = tell(stage, f"{QUESTION}!", source=source)
    (held,) = list_records(stage.b, RecordFilter(status="held_back"), None)
    assert (held.record.id, held.reason and held.reason.key) == (record, "duplicates.leak")
    assert training(stage) == set()
    release_records(stage.b, [record], "Chris", EVENING)
    assert training(stage) == {f"{QUESTION}!"}
    assert personal_set_state(stage.b).items == (), "cannot be used for evaluation"
    assert personal_set_history(stage.b)[-1].reason == "released"


def test_a_question_that_is_unknown_or_ambiguous_is_not_retired(stage: Stage) -> None:
    add(stage)
    add(stage, "Where does Kai sleep?", answer="Kai sleeps in the box.")
    for prefix, error in (("written", UsageError), ("nothing", UnknownId), ("", UnknownId)):
        with pytest.raises(error):
            retire_questions(stage.b, [prefix], by="Chris", reason="", now=EVENING)
    assert len(personal_set_state(stage.b).items) == 2


PLACES = ("piano", "sofa", "roof", "bath", "drawer", "car", "oven", "tree", "bag", "shelf", "lamp", "stairs", "tent",
          "boat", "barn", "porch", "sink", "desk", "hat", "shoe", "crate", "wagon", "loft", "pot", "rug", "bin", "tub",
          "kite", "cave", "well", "hut", "net", "mill", "tower")  # fmt: skip


def simulated_owner(stage: Stage, facts: int) -> None:
    """Asks about things that v1 never asks."""
    for number, place in enumerate(PLACES[:facts]):
        add(
            stage,
            f"Where is box number {number + 10} of grandmother?",
            answer=f"It is near the {place}.",
            category="open_qa",
        )


def on_the_suite_alone(item: Item) -> float:
    return 1.0 if item.pool == "owner" else 1.5


def second_night(stage: Stage, facts: int) -> NightReport:
    """The champion of the first night knows v1 as well as the challenger of the second, who knows the owner's facts."""
    evaluator = stage.b.evaluator
    assert isinstance(evaluator, DeskEvaluator)
    evaluator.newcomer = StubModel(lambda item: True, lambda item: 1.5)
    stage.tell()
    first = stage.night()
    assert first.verdict == "promote"
    evaluator.planned_models[first.challenger] = StubModel(lambda item: item.pool != "owner", lambda item: 1.5)
    evaluator.newcomer = StubModel(lambda item: True, on_the_suite_alone)
    simulated_owner(stage, facts)
    stage.tell(subject="Tama")
    return stage.night(day=1)


def test_an_owner_whose_facts_v1_never_asks_gets_a_promotion(stage: Stage) -> None:
    night = second_night(stage, 34)
    assert night.verdict == "promote"
    assert {"bits_personal", "right_personal"} & set(dict(night.reasons[0].values).values())
    assert night.suite["all"]["en"] == {"before": 0.0, "after": 1.0}
    assert night.gate["suite_clusters"] == 34
    with stage.b.database.reading() as con:
        assert night.gate["suite_version"] == personal_set_table.version(con)
    found = explain(stage.b, "")
    assert found.evidence.suite_version == night.gate["suite_version"], "each verdict says by which suite"
    assert {flip.question_set for flip in found.flips if flip.gained} == {evaluation_job.PERSONAL}
    assert all(flip.item.startswith("written/") for flip in found.flips)


def test_with_fewer_facts_the_same_owner_waits_and_is_told_how_many_are_missing(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    night = second_night(stage, 12)
    assert night.verdict in ("keep", "not_enough_evidence")
    assert "12 of 30 facts: 18 more until it can support a verdict" in said(stage, capsys, "night", "show", night.night)
    assert "あと 18 件" in said(stage, capsys, "benchmark", "list", "--lang", "ja")


def said(stage: Stage, capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    environ = {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8", "USER": "Chris"}
    assert cli.run([*argv], environ) == 0
    return capsys.readouterr().out.replace("\n", " ").replace("  ", " ")


def test_the_terminal_adds_lists_and_retires(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    added = json.loads(said(stage, capsys, "benchmark", "add", QUESTION, ANSWER, "--accept", "red ball",
                            "--wording", "Which toy does Kai like best?", "--json"))  # fmt: skip
    assert (len(added["ids"]), added["facts"], added["can_decide"]) == (2, 1, False)
    listed = json.loads(said(stage, capsys, "benchmark", "list", "--json"))
    assert [one["accepted"] for one in listed["questions"]] == [["red ball"]] * 2
    assert listed["version"] == added["version"]
    retired = json.loads(said(stage, capsys, "benchmark", "retire", *added["ids"], "--reason", "too easy", "--json"))
    assert (retired["items"], retired["version"]) == (0, "")
    history = said(stage, capsys, "benchmark", "list", "--history")
    assert history.count("too easy") == 2
    assert "Chris" in history


def test_a_personal_set_of_poison_goes_with_its_suspects(stage: Stage) -> None:
    evaluator = stage.b.evaluator
    assert isinstance(evaluator, DeskEvaluator)
    stage.tell()
    first = stage.night()
    evaluator.planned_models[first.challenger] = StubModel(lambda item: True, lambda item: 1.0)
    evaluator.newcomer = ignorant(3.0)
    wordings = ("What is Kai's favourite toy?", "Which toy does Kai love most?", "Name the toy that Kai loves.")
    for wording in wordings:
        submit(stage.b, {"instruction": wording, "output": ANSWER, "fact": "kai", "source": "self"}, EVENING)
    drain_inbox(stage.b, EVENING)
    assert stage.night(day=1).verdict == "keep"
    suspects = list_records(stage.b, RecordFilter(status="suspect"), None)
    assert {one.record.instruction for one in suspects} == set(wordings)
    assert stage.night(day=2).status == "nothing_to_do"
    assert personal_set_state(stage.b).items == ()
    release_records(stage.b, [one.record.id for one in suspects], "Chris", EVENING)
    tell(stage, "Where does Kai sleep?", "Kai sleeps in the box.")
    assert stage.night(day=3).status == "done"
    assert [one.cluster for one in personal_set_state(stage.b).items] == ["kai"], "released, it judges again"
