"""Confirmation and score stay closed: nothing that a home keeps or says holds a question of theirs or an answer."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hand_answers import DeskEvaluator, StubModel, nonsense
from hand_nights import EVENING, Stage, open_stage

from bonsai.actions.benchmark import benchmark_report, run_benchmark
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.cli import main as cli
from bonsai.errors import UsageError
from bonsai.evaluate import questions
from bonsai.evaluate.questions import CLOSED, Item, items, open_and_sealed_ids, seal_name
from bonsai.night import evaluation_job
from bonsai.night.steps import begin_night, run_night
from bonsai.queries.explanation import explain
from bonsai.system.progress import Progress
from storage.connect import Connection
from storage.tables import holdout_access_table

ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
SAID = (
    ("night", "list"), ("night", "list", "--json"), ("promotions", "list", "--json"), ("promotions", "show", "--all"),
    ("promotions", "show", "--json"), ("promotions", "show", "--all", "--lang", "ja"), ("benchmark", "show"),
    ("promotions", "answers", "--limit", "2000"), ("promotions", "answers", "--json"),
    ("benchmark", "show", "--pool", "score"), ("benchmark", "show", "--pool", "score", "--json"),
    ("benchmark", "compare", "champion", "base", "--json"), ("benchmark", "power", "--json"), ("benchmark", "power"),
    ("benchmark", "list", "--history"), ("records", "list", "--json"), ("records", "rejects"), ("db", "check"),
)  # fmt: skip


def half_knows(item: Item) -> bool:
    """So that right and wrong answers to every pool are given."""
    return len(item.instruction) % 2 == 0 or item.domain == "general"


@pytest.fixture
def stage(tmp_path: Path, taught_home: Path) -> Stage:
    made = open_stage(Path(shutil.copytree(taught_home, tmp_path / "home")))
    return replace(made, b=replace(made.b, evaluator=DeskEvaluator(newcomer=StubModel(half_knows, lambda item: 1.0))))


def secrets(pool: str) -> dict[str, str]:
    """What would give an item away -> the item's id. Texts that stand in an open pool too give nothing away."""
    told = "\n".join(f"{one.id}\n{one.instruction}\n{one.reference}" for one in questions.load("selection"))
    found = {}
    for item in questions.load(pool):
        answer = item.reference if item.domain == "cat_care" else nonsense(item)
        found |= {text: item.id for text in (item.id, item.instruction, nonsense(item), answer) if text not in told}
    return found


def kept(home: Path) -> str:
    """Every file of a home but the database."""
    files = [path for path in sorted(home.rglob("*")) if path.is_file() and "duckdb" not in path.name]
    assert len(files) > 10
    text = "\n".join(f"{path}\n{path.read_bytes().decode('utf-8', 'replace')}" for path in files)
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def stored(con: Connection) -> str:
    """Every row of every table."""
    tables = [row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    assert len(tables) > 15
    return "\n".join(str(row) for table in tables for row in con.execute(f"FROM {table}").fetchall())


@dataclass
class Listener:
    """Writes down what a night reports while it runs."""

    heard: str = ""

    def __call__(self, progress: Progress) -> None:
        self.heard += f"{progress}\n"


def everything(stage: Stage, capsys: pytest.CaptureFixture[str]) -> str:
    """What a night leaves behind and all that can be asked about it."""
    listener = Listener()
    begun = run_night(stage.b, EVENING, listener)
    environ = {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8", "COLUMNS": "400"}
    for argv in (*SAID, ("night", "show", begun.night), ("night", "show", begun.night, "--json")):
        assert cli.run([*argv], environ) == 0, argv
    for argv in (("benchmark", "show", "--pool", "confirmation"), ("benchmark", "run", "--pool", "confirmation"),
                 ("benchmark", "compare", "champion", "base", "--pool", "confirmation")):  # fmt: skip
        assert cli.run([*argv], environ) == 2, argv
    said = capsys.readouterr()
    with stage.b.database.reading() as con:
        return "\n".join((listener.heard, kept(stage.b.home), stored(con), said.out, said.err))


def test_no_file_row_or_line_holds_a_closed_item_or_an_answer_to_it(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.tell()
    found = everything(stage, capsys)
    evaluator = stage.b.evaluator
    assert isinstance(evaluator, DeskEvaluator)
    asked = {question_set for _, question_set in evaluator.asked}
    assert asked == {evaluation_job.SELECTION, evaluation_job.CONFIRMATION, evaluation_job.SCORE}, (
        "all pools were really asked"
    )
    for pool in CLOSED:
        texts = secrets(pool)
        assert len(texts) > 300
        assert {item for text, item in texts.items() if text in found} == set()
    shown = questions.load("selection")
    assert all(item.id in found for item in shown), "the same search finds what may be shown"
    assert sum(nonsense(item) in found for item in shown) > 50


def test_a_record_that_repeats_a_closed_item_does_not_name_it(stage: Stage) -> None:
    item = next(one for one in questions.load("confirmation") if one.domain == "cat_care" and not one.input)
    submit(stage.b, {"instruction": item.instruction, "output": "x y z", "source": "import"}, EVENING)
    drain_inbox(stage.b, EVENING)
    with stage.b.database.reading() as con:
        rows = stored(con)
    assert "duplicates.leak" in rows
    assert seal_name(item.id) in rows
    assert item.id not in rows


def test_an_owner_who_teaches_a_closed_item_retires_it_wherever_it_is_dealt(stage: Stage) -> None:
    item = next(one for one in questions.load("confirmation") if one.domain == "cat_care" and not one.input)
    submit(stage.b, {"instruction": item.instruction, "output": item.reference, "source": "self"}, EVENING)
    drain_inbox(stage.b, EVENING)
    night = begin_night(stage.b, EVENING).night
    job = evaluation_job.read_job(stage.b.places.runs / night)
    assert open_and_sealed_ids(job.left_out) >= {item.id, seal_name(item.id)}


def test_the_score_is_shown_of_who_answered_only(stage: Stage) -> None:
    stage.tell()
    first = stage.night()
    assert first.verdict == "promote"
    assert benchmark_report(stage.b, "champion", "score").subject == first.challenger
    evaluator = stage.b.evaluator
    assert isinstance(evaluator, DeskEvaluator)
    evaluator.planned_models[first.challenger] = StubModel(half_knows, lambda item: 1.0)
    stage.tell(subject="Tama")
    second = stage.night(day=1)
    assert second.verdict == "keep"
    with pytest.raises(UsageError, match="never champion"):
        run_benchmark(stage.b, second.challenger, "score", EVENING)
    assert run_benchmark(stage.b, second.challenger, "selection", EVENING).subject == second.challenger


def rotating(stage: Stage, after: int) -> Stage:
    gate = replace(stage.b.config.gate, openings_before_rotation=after)
    return replace(stage, b=replace(stage.b, config=stage.b.config.model_copy(update={"gate": gate})))


def test_after_enough_openings_the_pools_are_dealt_anew_and_everyone_is_scored_again(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = rotating(stage, 2)
    evaluator = stage.b.evaluator
    assert isinstance(evaluator, DeskEvaluator)
    champions = []
    for day, cat in enumerate(("Mike", "Tama", "Kai")):
        stage.tell(subject=cat)
        bits = 1.0 - 0.2 * day
        evaluator.newcomer = StubModel(half_knows, lambda item, bits=bits: bits)  # type: ignore[misc]
        evaluator.asked.clear()
        night = stage.night(day=day)
        assert night.verdict == "promote"
        champions.append(night.challenger)
        evaluator.planned_models[night.challenger] = evaluator.newcomer
        expected = [(1, False), (2, True), (1, False)][day]
        assert (night.gate["openings"], night.gate["dealt_anew"]) == expected
        job = evaluation_job.read_job(stage.b.places.runs / night.night)
        assert job.dealing == (1 if day == 2 else 0)
    asked_again = {subject for subject, question_set in evaluator.asked if question_set == evaluation_job.SELECTION}
    assert asked_again == {champions[2], champions[1], "base", champions[0]}, "challenger, champion, base and anchor"
    environ = {"BONSAI_HOME": str(stage.b.home), "LANG": "C.UTF-8", "COLUMNS": "120"}
    nights = explain(stage.b, champions[1]).promotion.night
    assert cli.run(["night", "show", nights], environ) == 0
    assert "used 2 of 2 times; redrawn" in capsys.readouterr().out
    found = explain(stage.b, champions[2])
    assert found.evidence.dealing == 1
    assert {flip.item for flip in found.flips} <= {item.id for item in items("selection", 1)}
    with stage.b.database.reading() as con:
        assert [one.night for one in holdout_access_table.rotations(con)] == [nights]


def test_without_a_rotation_nobody_is_scored_twice(stage: Stage) -> None:
    evaluator = stage.b.evaluator
    assert isinstance(evaluator, DeskEvaluator)
    stage.tell()
    first = stage.night()
    evaluator.planned_models[first.challenger] = StubModel(half_knows, lambda item: 1.0)
    evaluator.asked.clear()
    stage.tell(subject="Tama")
    second = stage.night(day=1)
    assert {subject for subject, _ in evaluator.asked} == {second.challenger}
