"""One champion, moved only by legal moves, each written whole, with a history that cannot be altered unseen."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bonsai.domain.promotion import BASE, GATE, GENESIS, Pointer, State
from bonsai.domain.reasons import Reason
from bonsai.errors import IntegrityError, PromotionError, UnknownId
from bonsai.gate.decision import Decision, RuleResult, Verdict
from storage.connect import Connection
from storage.home import Home
from storage.tables import nights_table, promotions_table
from storage.tables.nights_table import Outcome

REASON = Reason("decision.valid", (("benchmark", "v1"),))
EVIDENCE = {"dealing": 1}


def decided(verdict: Verdict) -> Decision:
    rule = RuleResult("C", "gain_v1", "pass", REASON, 0.5, (0.25, 0.75), 0.0, unit="bits")
    return Decision(verdict, (REASON,), (rule,), harm=False, confirmation_opened=True)


def propose(con: Connection, adapter: str, against: str, at: datetime, verdict: Verdict = "promote") -> None:
    promotions_table.propose(con, adapter, f"night-{adapter}", against, decided(verdict), EVIDENCE, at)


def states(con: Connection) -> dict[str, str]:
    return {one.adapter: one.state.value for one in promotions_table.list_promotions(con)}


def three_promotions(home: Home, at: datetime) -> None:
    for adapter, against in (("a1", BASE), ("a2", "a1"), ("a3", "a2")):
        with home.database.writing() as con:
            propose(con, adapter, against, at)
            promotions_table.approve(con, adapter, GATE, "", at)


def test_a_new_home_answers_with_the_base(home: Home) -> None:
    with home.database.reading() as con:
        assert promotions_table.champion(con) == Pointer(BASE, 0)
        assert promotions_table.verify(con) == promotions_table.head(con) == GENESIS


def test_a_promotion_moves_pointer_states_and_log_together(home: Home, at: datetime) -> None:
    three_promotions(home, at)
    with home.database.reading() as con:
        assert promotions_table.champion(con) == Pointer("a3", 3)
        assert states(con) == {"a1": "replaced", "a2": "replaced", "a3": "champion"}
        lines = promotions_table.log(con)
        assert [line.entry.number for line in lines] == [1, 2, 3]
        assert lines[0].entry.at == at
        assert promotions_table.verify(con) == lines[-1].hash == promotions_table.head(con)
        newest = promotions_table.get(con, "a3")
        assert (newest.decision, newest.evidence) == (decided("promote"), EVIDENCE)


def test_repeating_an_approval_or_a_proposal_changes_nothing(home: Home, at: datetime) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        propose(con, "a3", "a2", at)
        assert promotions_table.approve(con, "a3", GATE, "", at) == Pointer("a3", 3)
        assert len(promotions_table.log(con)) == 3
        assert promotions_table.get(con, "a3").state is State.CHAMPION


def test_of_two_candidates_judged_against_one_champion_only_one_wins(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        propose(con, "a1", BASE, at)
        propose(con, "b1", BASE, at)
        propose(con, "c1", BASE, at, verdict="keep")
        promotions_table.approve(con, "a1", GATE, "", at)
        assert states(con) == {"a1": "champion", "b1": "superseded", "c1": "superseded"}
        assert promotions_table.champion(con) == Pointer("a1", 1)
        promotions_table.verify(con)
    with pytest.raises(PromotionError), home.database.writing() as con:
        promotions_table.approve(con, "b1", "mika", "please", at)


def test_a_candidate_judged_against_a_former_champion_is_refused(home: Home, at: datetime) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        propose(con, "late", "a1", at)
    with pytest.raises(PromotionError, match="compared with a1, but a3"), home.database.writing() as con:
        promotions_table.approve(con, "late", GATE, "", at)
    with home.database.reading() as con:
        assert promotions_table.champion(con) == Pointer("a3", 3)


def test_a_rollback_and_back(home: Home, at: datetime) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        assert promotions_table.roll_back(con, "mika", "odd", at) == Pointer("a2", 4)
        assert states(con) == {"a1": "replaced", "a2": "champion", "a3": "rolled_back"}
        assert promotions_table.restore(con, "a3", "mika", "fine", at) == Pointer("a3", 5)
        assert states(con) == {"a1": "replaced", "a2": "rolled_back", "a3": "champion"}
        promotions_table.verify(con)


def test_rollbacks_end_at_the_base(home: Home, at: datetime) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        assert [promotions_table.roll_back(con, "m", "", at).adapter for _ in range(3)] == ["a2", "a1", BASE]
        with pytest.raises(PromotionError):
            promotions_table.roll_back(con, "m", "", at)


def test_every_night_that_was_judged_for_progress_is_a_look(home: Home, at: datetime) -> None:
    with home.database.reading() as con:
        assert promotions_table.looks(con) == []
    with home.database.writing() as con:
        for days, (adapter, verdict) in enumerate([("a1", "keep"), ("a2", "promote"), ("a3", "not_enough_evidence")]):
            propose(con, adapter, BASE, at + timedelta(days=days), verdict)  # type: ignore[arg-type]
        unjudged = Decision("invalid", (REASON,), (RuleResult("A", "differs", "fail", REASON),), False, False)
        promotions_table.propose(con, "a4", "night-a4", BASE, unjudged, EVIDENCE, at + timedelta(days=4))
        waived = replace(decided("promote"), rules=(replace(decided("promote").rules[0], outcome="noted"),))
        promotions_table.propose(con, "a5", "night-a5", BASE, waived, EVIDENCE, at + timedelta(days=5))
        for key, outcome in {
            "again": Outcome("done", "promote", challenger="a1"),
            "idle": Outcome("nothing_to_do"),
            "broken": Outcome("done", "invalid", challenger="a4"),
        }.items():
            nights_table.begin(con, key, "h", at)
            nights_table.finish(con, key, outcome, at + timedelta(days=6))
    with home.database.reading() as con:
        assert promotions_table.looks(con) == [False, True, False, False], "a2 was promoted; a1 was judged twice"


def test_a_rejection_and_an_unknown_candidate(home: Home, at: datetime) -> None:
    with home.database.writing() as con:
        propose(con, "a1", BASE, at, verdict="not_enough_evidence")
        assert promotions_table.get(con, "a1").state is State.REFUSED
        promotions_table.reject(con, "a1", "mika", "no", at)
        assert promotions_table.get(con, "a1").state is State.REJECTED
        with pytest.raises(UnknownId):
            promotions_table.approve(con, "nobody", "mika", "", at)


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage.connect import Database
from storage.tables import promotions_table
with Database(Path(sys.argv[1]), 20, "200MB", 1).writing() as con:
    promotions_table.approve(con, "a4", "gate", "", datetime(2026, 11, 21, tzinfo=UTC))
    if sys.argv[2] == "after":
        con.execute("COMMIT")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "version"), [("before", 3), ("after", 4)])
def test_a_killed_promotion_is_whole_or_absent_and_can_be_repeated(
    home: Home, at: datetime, when: str, version: int
) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        propose(con, "a4", "a3", at)
    command = [sys.executable, "-c", KILLED, str(home.database.path), when]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], timeout=60).returncode == -signal.SIGKILL
    with home.database.writing() as con:
        assert promotions_table.champion(con).version == version
        assert len(promotions_table.log(con)) == version
        promotions_table.verify(con)
        assert promotions_table.approve(con, "a4", GATE, "", at) == Pointer("a4", 4)
        assert len(promotions_table.log(con)) == 4
        promotions_table.verify(con)


TAMPERINGS: dict[str, str] = {
    "a changed reason": "UPDATE promotion_log SET reason = 'because' WHERE number = 2",
    "a changed time": "UPDATE promotion_log SET decided_at = decided_at + INTERVAL 1 HOUR WHERE number = 1",
    "a removed line": "DELETE FROM promotion_log WHERE number = 2",
    "a removed last line": "DELETE FROM promotion_log WHERE number = 3",
    "a moved pointer": "UPDATE champion SET adapter = 'a1'",
    "a second pointer": "INSERT INTO champion VALUES ('a1', 9, TIMESTAMP '2026-01-01')",
    "no pointer": "DELETE FROM champion",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_is_seen(home: Home, at: datetime, statement: str) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        con.execute(statement)
        with pytest.raises(IntegrityError):
            promotions_table.verify(con)


def test_a_history_cut_together_with_its_pointer_is_seen_by_the_nights(home: Home, at: datetime) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        nights_table.begin(con, "n3", "host:1:1", at)
        nights_table.finish(con, "n3", Outcome("done", chain_head=promotions_table.head(con)), at)
        promotions_table.verify(con)
        con.execute("DELETE FROM promotion_log WHERE number = 3")
        con.execute("UPDATE champion SET adapter = 'a2', version = 2")
        with pytest.raises(IntegrityError, match="n3"):
            promotions_table.verify(con)


@pytest.mark.parametrize("move", [promotions_table.approve, promotions_table.reject])
def test_a_move_that_fails_leaves_nothing(home: Home, at: datetime, move: Callable[..., Pointer]) -> None:
    three_promotions(home, at)
    with home.database.writing() as con:
        propose(con, "a4", "a3", at)

    def interrupted() -> None:
        with home.database.writing() as con:
            move(con, "a4", "mika", "yes", at)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with home.database.reading() as con:
        assert promotions_table.champion(con) == Pointer("a3", 3)
        assert promotions_table.get(con, "a4").state is State.WAITING
        assert len(promotions_table.log(con)) == 3
