"""The states of a candidate, the legal moves, and the log's hash chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import get_args

import pytest

from bonsai.domain import promotion
from bonsai.domain.promotion import BASE, GATE, GENESIS, MOVES, Action, Candidate, LogEntry, Pointer, State
from bonsai.errors import IntegrityError, PromotionError

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
FIRST = Candidate("a1", State.WAITING, BASE)


def approved(candidate: Candidate, pointer: Pointer, number: int = 0) -> promotion.Move:
    return promotion.approve(candidate, pointer, who=GATE, at=AT, reason="", last_number=number)


def test_the_first_promotion_replaces_the_base() -> None:
    move = approved(FIRST, Pointer(BASE, 0))
    assert move.states == (("a1", State.CHAMPION),)
    assert move.pointer == Pointer("a1", 1)
    assert (move.entry.number, move.entry.champion_before, move.entry.champion_after) == (1, BASE, "a1")


def test_a_promotion_replaces_the_champion_it_was_judged_against() -> None:
    move = approved(Candidate("a2", State.WAITING, "a1"), Pointer("a1", 1), 1)
    assert move.states == (("a2", State.CHAMPION), ("a1", State.REPLACED))
    assert move.pointer == Pointer("a2", 2)


def test_an_approval_against_another_champion_is_superseded() -> None:
    late = Candidate("a3", State.WAITING, "a1")
    with pytest.raises(PromotionError, match="compared with a1"):
        approved(late, Pointer("a2", 2))
    assert promotion.settle(late, Pointer("a2", 2)) is State.SUPERSEDED
    assert promotion.settle(late, Pointer("a1", 1)) is State.WAITING


def test_a_refused_candidate_needs_a_person_and_a_reason() -> None:
    refused = Candidate("a1", State.REFUSED, BASE)
    for who, reason in ((GATE, "because"), ("mika", "  ")):
        with pytest.raises(PromotionError, match="reason"):
            promotion.approve(refused, Pointer(BASE, 0), who=who, at=AT, reason=reason, last_number=0)
    move = promotion.approve(refused, Pointer(BASE, 0), who="mika", at=AT, reason="I read its answers", last_number=0)
    assert move.states == (("a1", State.CHAMPION),)


def test_a_rollback_and_back() -> None:
    champion, before = Candidate("a2", State.CHAMPION, "a1"), Candidate("a1", State.REPLACED, BASE)
    back = promotion.roll_back(champion, Pointer("a2", 2), before, who="mika", at=AT, reason="odd", last_number=2)
    assert back.states == (("a2", State.ROLLED_BACK), ("a1", State.CHAMPION))
    assert back.pointer == Pointer("a1", 3)
    again = promotion.restore(
        replace(champion, state=State.ROLLED_BACK), back.pointer, who="mika", at=AT, reason="fine", last_number=3
    )
    assert again.states == (("a2", State.CHAMPION), ("a1", State.ROLLED_BACK))
    assert again.pointer == Pointer("a2", 4)


def test_the_first_champion_rolls_back_to_the_base() -> None:
    move = promotion.roll_back(
        Candidate("a1", State.CHAMPION, BASE), Pointer("a1", 1), None, who="mika", at=AT, reason="", last_number=1
    )
    assert move.states == (("a1", State.ROLLED_BACK),)
    assert move.pointer == Pointer(BASE, 2)


def test_only_the_champion_rolls_back() -> None:
    with pytest.raises(PromotionError, match="a2 is"):
        promotion.roll_back(
            Candidate("a1", State.CHAMPION, BASE), Pointer("a2", 2), None, who="m", at=AT, reason="", last_number=1
        )


def test_a_rejection_leaves_the_champion_and_its_version() -> None:
    move = promotion.reject(FIRST, Pointer("a0", 7), who="mika", at=AT, reason="no", last_number=4)
    assert move.states == (("a1", State.REJECTED),)
    assert move.pointer == Pointer("a0", 7)


@pytest.mark.parametrize(("state", "action"), list(product(State, get_args(Action))))
def test_whatever_is_not_in_the_table_is_refused(state: State, action: Action) -> None:
    if (state, action) in MOVES:
        assert promotion.next_state(state, action) is MOVES[state, action]
    else:
        with pytest.raises(PromotionError, match=state.value):
            promotion.next_state(state, action)


def history(length: int) -> list[tuple[LogEntry, str]]:
    lines, head = [], GENESIS
    for number in range(1, length + 1):
        entry = LogEntry(number, AT, GATE, "approve", f"a{number}", f"a{number - 1}", f"a{number}", number, "良い")
        head = promotion.chain_hash(head, entry)
        lines.append((entry, head))
    return lines


def test_the_chain_of_an_untouched_log_holds() -> None:
    lines = history(4)
    assert promotion.verify_chain(lines) == lines[-1][1]
    assert promotion.verify_chain([]) == GENESIS


def test_an_altered_removed_or_swapped_line_breaks_the_chain() -> None:
    lines = history(4)
    altered = [lines[0], (replace(lines[1][0], who="someone"), lines[1][1]), *lines[2:]]
    for broken in (altered, lines[1:], [lines[1], lines[0], *lines[2:]], [lines[0], *lines[2:]]):
        with pytest.raises(IntegrityError):
            promotion.verify_chain(broken)


def test_the_chain_does_not_depend_on_the_time_zone_of_the_reader() -> None:
    entry = history(1)[0][0]
    tokyo = replace(entry, at=AT.astimezone(timezone(timedelta(hours=9))))
    assert promotion.chain_hash(GENESIS, entry) == promotion.chain_hash(GENESIS, tokyo)
