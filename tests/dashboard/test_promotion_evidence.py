"""What joins a promotion's evidence: blind reviews, the data since the champion, all answers, loss curves; as values
and in the terminal."""

from __future__ import annotations

import io
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from desk import EVIL
from hand_nights import EVENING
from two_mornings import CAPITAL, CREATIVE, GRAPES

from bonsai import bootstrap
from bonsai.actions.blind_review import ReviewState, add_verdict, review_state, undo_verdict
from bonsai.actions.forget import forget_records
from bonsai.cli import main as cli
from bonsai.context import Bonsai
from bonsai.errors import UnknownId, UsageError
from bonsai.evaluate import blind_review, questions
from bonsai.evaluate.blind_review import Preferred, Side
from bonsai.queries.answers import AnswerFilter, list_answers
from bonsai.queries.promotions import champion, data_changes_of, list_promotions, promotion_evidence, show_promotion
from bonsai.queries.records import list_records, show_record
from storage.tables import reviews_table
from storage.tables.data_changes import ChangedRecord
from storage.tables.records_table import RecordFilter


@pytest.fixture
def b(mornings: Path, tmp_path: Path) -> Bonsai:
    return bootstrap.open(Path(shutil.copytree(mornings, tmp_path / "home")), {})


@pytest.fixture
def waiting(b: Bonsai) -> str:
    one = list_promotions(b)[0]
    assert one.state == "waiting"
    return one.adapter


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> int:
    """Rounds of four questions."""
    monkeypatch.setattr(blind_review, "ROUND", 4)
    return 4


def run(b: Bonsai, *argv: str) -> int:
    return cli.run(["promotions", *argv], {"BONSAI_HOME": str(b.home), "LANG": "C.UTF-8", "COLUMNS": "100"})


def side_of(adapter: str, person: str, item: str, wanted: Preferred) -> Side:
    return next(side for side in blind_review.SIDES if blind_review.preferred(side, adapter, person, item) == wanted)


def answer_all(b: Bonsai, adapter: str, person: str, wanted: Preferred) -> ReviewState:
    """To the end of a round, which the fixture `short` makes one of four."""
    standing = review_state(b, adapter, person)
    while standing.question:
        item = standing.question.item
        standing = add_verdict(b, adapter, person, item, side_of(adapter, person, item, wanted), EVENING)
    return standing


def test_a_review_is_left_continued_and_told_only_at_its_end(b: Bonsai, waiting: str, short: int) -> None:
    first = review_state(b, waiting[:8], "mika")
    assert first.question is not None
    assert (first.done, first.asked, first.tally) == (0, short, None)
    add_verdict(b, waiting, "mika", first.question.item, "left", EVENING)
    again = review_state(b, waiting, "mika")
    assert (again.done, again.asked) == (1, short)
    assert again.question is not None
    assert again.question.item != first.question.item
    [unfinished] = promotion_evidence(b, waiting).reviews
    assert (unfinished.done, unfinished.tally) == (1, None)
    assert review_state(b, waiting, "tom").done == 0
    end = answer_all(b, waiting, "mika", "challenger")
    assert end.tally is not None
    assert end.tally.challenger >= short - 1
    [finished] = promotion_evidence(b, waiting).reviews
    assert (finished.person, finished.done, finished.tally) == ("mika", short, end.tally)


def test_a_verdict_is_given_once_and_may_be_taken_back_before_the_end(b: Bonsai, waiting: str, short: int) -> None:
    with pytest.raises(UsageError, match="nothing to undo"):
        undo_verdict(b, waiting, "mika")
    first = review_state(b, waiting, "mika").question
    assert first is not None
    second = add_verdict(b, waiting, "mika", first.item, "left", EVENING)
    again = add_verdict(b, waiting, "mika", first.item, "right", EVENING + timedelta(hours=1))
    assert again == second, "a form sent twice changes nothing"
    with b.database.reading() as con:
        [kept] = reviews_table.of_promotion(con, waiting)
    assert kept.preferred == blind_review.preferred("left", waiting, "mika", first.item)
    assert undo_verdict(b, waiting, "mika").question == first
    answer_all(b, waiting, "mika", "same")
    with pytest.raises(UsageError, match="nothing to undo"):
        undo_verdict(b, waiting, "mika")


def test_what_is_no_choice_or_not_asked_is_refused(b: Bonsai, waiting: str) -> None:
    item = questions.load("confirmation")[0].id
    with pytest.raises(UsageError, match="not part of your review"):
        add_verdict(b, waiting, "mika", item, "left", EVENING)
    with pytest.raises(UsageError, match="left, right, same"):
        add_verdict(b, waiting, "mika", CAPITAL.id, "up", EVENING)
    with pytest.raises(UnknownId):
        review_state(b, "ffff", "mika")


def test_only_what_matters_is_asked(b: Bonsai, waiting: str) -> None:
    worth = {one.item for turn in ("gained", "lost") for one in list_answers(b, waiting, AnswerFilter(turn=turn))}
    creative = {one.item for one in list_answers(b, waiting, AnswerFilter(turn="changed", right="open"))}
    assert creative >= set(CREATIVE)
    asked = set()
    for number in range(12):
        standing = review_state(b, waiting, f"person {number}")
        assert standing.question is not None
        asked.add(standing.question.item)
    assert len(asked) > 6
    assert asked <= worth | creative


def test_without_reports_there_is_nothing_to_review(b: Bonsai, waiting: str, short: int) -> None:
    answer_all(b, waiting, "mika", "champion")
    for path in b.places.reports.glob("*.json"):
        path.unlink()
    standing = review_state(b, waiting, "tom")
    assert (standing.question, standing.asked, standing.tally) == (None, 0, None)
    [kept] = promotion_evidence(b, waiting).reviews
    assert kept.tally is not None
    assert kept.tally.champion == short


def test_all_answers_are_searched_and_filtered(b: Bonsai, waiting: str) -> None:
    every = list_answers(b, "", AnswerFilter())
    assert {one.item for one in every} == {one.id for one in questions.load("selection")}
    assert [one.item for one in list_answers(b, waiting, AnswerFilter(turn="lost"))] == [CAPITAL.id]
    [evil] = list_answers(b, waiting, AnswerFilter(text="ONERROR=Alert"))
    assert (evil.after, evil.is_right) == (EVIL, False)
    grapes = list_answers(b, waiting, AnswerFilter("ｇｒａｐｅｓ", "en", "cat_care", "gained", "right"))
    assert GRAPES.id in {one.item for one in grapes}
    same = list_answers(b, waiting, AnswerFilter(turn="same"))
    assert all(one.before == one.after for one in same)
    for wrong in (AnswerFilter(turn="better"), AnswerFilter(right="maybe")):
        with pytest.raises(UsageError, match="Valid values"):
            list_answers(b, waiting, wrong)


def test_the_data_since_the_champion_is_named_by_how_it_changed(b: Bonsai, waiting: str) -> None:
    found = data_changes_of(b, waiting, 50)
    assert found.counts == {"new": 2, "edited": 1, "retagged": 1, "removed": 1}
    listed = found.records
    told = {one.kind: one.stored.record for one in listed}
    assert "Tama" in told["new"].instruction
    assert told["edited"].output == "Mike sits on the roof."
    assert "at 2 o'clock" in told["retagged"].instruction
    assert "at 3 o'clock" in told["removed"].instruction
    [edited] = [one for one in listed if one.kind == "edited"]
    assert show_record(b, edited.earlier).stored.record.output == "Mike sits on chair 1."
    assert {(one.category, one.kind) for one in found.groups} >= {("creative", "retagged")}
    pages, before = tuple[ChangedRecord, ...](), ""
    while page := data_changes_of(b, waiting, 2, before=before).records:
        pages += page
        before = page[-1].stored.record.id
    assert pages == listed
    assert promotion_evidence(b, waiting).data_changes == found.counts
    assert [one.kind for one in data_changes_of(b, waiting, 9, kind="removed").records] == ["removed"]
    with pytest.raises(UsageError, match="retagged"):
        data_changes_of(b, waiting, 9, kind="lost")


def test_against_the_base_everything_is_new_and_what_is_forgotten_stays_counted(b: Bonsai, waiting: str) -> None:
    first = champion(b)
    assert data_changes_of(b, first, 1).counts == {"new": 5, "edited": 0, "retagged": 0, "removed": 0}
    [record] = list_records(b, RecordFilter(text="at 3 o'clock"), None)
    forget_records(b, [record.record.id], "mika", EVENING)
    found = data_changes_of(b, waiting, 9, kind="removed")
    counts = found.counts
    assert (counts["removed"], counts["retagged"]) == (1, 0), "the champion's snapshot is erased: no tags to compare"
    [gone] = found.records
    assert (gone.stored.record.instruction, gone.stored.status) == ("", "forgotten")


def test_loss_curves_are_those_of_both_trainings(b: Bonsai, waiting: str) -> None:
    mine, champions = promotion_evidence(b, waiting).learned
    assert (mine.adapter, champions.adapter) == (waiting, champion(b))
    assert (mine.curve.losses[0].loss, champions.curve.losses[0].loss) == (0.8, 1.6)
    night = show_promotion(b, waiting).night
    (b.places.runs / night / "log.txt").unlink()
    assert [one.adapter for one in promotion_evidence(b, waiting).learned] == [champions.adapter]


def test_the_terminal_asks_one_key_a_question(
    b: Bonsai, waiting: str, short: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("l\nwhat\ns\nu\nr\nq\n"))
    assert run(b, "review", "--by", "mika") == 0
    said = capsys.readouterr()
    assert "Question 3 of 4" in said.out
    assert f"bonsai promotions review {waiting[:10]}" in said.out
    assert "Unknown key" in said.err
    assert run(b, "show") == 0
    shown = capsys.readouterr().out
    assert "mika: 2 of 4 answered" in shown
    assert "2 new, 1 edited, 1 retagged, 1 removed" in shown.replace("\n", " ")
    assert "in 40 steps" in shown
    monkeypatch.setattr("sys.stdin", io.StringIO("same\n" * 9))
    assert run(b, "review", waiting, "--by", "mika", "--lang", "ja") == 0
    assert "はっきりした差はありません" in capsys.readouterr().out


def test_a_script_reviews_by_json_lines(
    b: Bonsai, waiting: str, short: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("left\n" * short))
    assert run(b, "review", "--by", "a script", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == short + 1
    assert set(lines[0]) == {"number", "asked", "item", "question", "left", "right"}, "nothing tells whose is whose"
    assert lines[-1]["finished"]
    result = lines[-1]["tally"]
    assert result["challenger"] + result["champion"] == short
    assert run(b, "show", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    [kept] = told["reviews"]
    assert (kept["person"], kept["tally"]) == ("a script", result)
    assert told["data_changes"]["edited"] == 1
    assert [one["steps"] for one in told["losses"]] == [40, 40]


def test_the_terminal_lists_answers_and_data(b: Bonsai, waiting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(b, "answers", "--turn", "lost", "--json") == 0
    assert json.loads(capsys.readouterr().out)["item"] == CAPITAL.id
    assert run(b, "answers", "--topic", "cat_care", "--limit", "3") == 0
    assert "3 of " in capsys.readouterr().out
    assert run(b, "data", waiting, "--kind", "edited", "--json") == 0
    assert json.loads(capsys.readouterr().out)["record"]["output"] == "Mike sits on the roof."
    assert run(b, "data", waiting) == 0
    assert "removed" in capsys.readouterr().out
    assert run(b, "answers", "--turn", "better") == 2
