"""Promotion: the states of a candidate adapter, the legal moves between them, and the hash-chained log.

A candidate starts in the state of the gate's verdict (`first_state`) and moves only as `MOVES` allows:

    waiting  --approve--> champion      (mode `auto` approves at once, in the gate's name)
    refused  --approve--> champion      (a person only, with a reason)
    waiting, refused --reject--> rejected
    waiting, refused --supersede--> superseded     (its champion was replaced)
    champion --replace--> replaced      (another was promoted)
    champion --roll_back--> rolled_back (its predecessor is champion again)
    replaced, rolled_back --restore--> champion

Each move becomes one `LogEntry`, whose hash covers the hash before it (a hash chain, the simplest form of
https://www.rfc-editor.org/rfc/rfc9162 §2), so that altering the history is detectable. All functions are pure;
`storage` applies a `Move` in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from bonsai.errors import IntegrityError, PromotionError
from bonsai.system.files import sha256_json

Action = Literal["approve", "reject", "supersede", "replace", "roll_back", "restore"]
GATE = "gate"
"The actor in mode `auto`."
BASE = "base"
"The champion before the first promotion: the bare base model."
CHAMPION = "champion"
"The name under which the champion is asked, whoever it is."
GENESIS = "0" * 64
"The hash before the first entry."


class State(StrEnum):
    """The state of a candidate."""

    WAITING = "waiting"
    "The verdict is promote; a person (or mode `auto`) has to approve."
    REFUSED = "refused"
    "Any other verdict; a person may still approve, with a reason."
    CHAMPION = "champion"
    "It answers questions."
    REPLACED = "replaced"
    "A former champion, replaced by a promotion."
    ROLLED_BACK = "rolled_back"
    "A former champion, rolled back by a person."
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    "Judged against a former champion: the decision is void."


MOVES: dict[tuple[State, Action], State] = {
    (State.WAITING, "approve"): State.CHAMPION,
    (State.REFUSED, "approve"): State.CHAMPION,
    (State.WAITING, "reject"): State.REJECTED,
    (State.REFUSED, "reject"): State.REJECTED,
    (State.WAITING, "supersede"): State.SUPERSEDED,
    (State.REFUSED, "supersede"): State.SUPERSEDED,
    (State.CHAMPION, "replace"): State.REPLACED,
    (State.CHAMPION, "roll_back"): State.ROLLED_BACK,
    (State.REPLACED, "restore"): State.CHAMPION,
    (State.ROLLED_BACK, "restore"): State.CHAMPION,
}
"All legal moves."


@dataclass(frozen=True, slots=True)
class Candidate:
    """An adapter as the promotion rules see it."""

    adapter: str
    "Adapter id."
    state: State
    judged_against: str
    "Adapter id of the champion that it was compared with; `base` on the first night."


@dataclass(frozen=True, slots=True)
class Pointer:
    """The current champion."""

    adapter: str
    "Adapter id, or `base`."
    version: int
    "Number of changes of champion; an update names the version that it read (optimistic locking)."


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of the append-only log."""

    number: int
    "1, 2, 3 ... without a gap."
    at: datetime
    "Aware, UTC."
    who: str
    "A person's name, or `gate`."
    action: Action
    adapter: str
    champion_before: str
    champion_after: str
    version: int
    "The pointer's version after this entry."
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """The changes of one action, written in one transaction."""

    states: tuple[tuple[str, State], ...]
    "(adapter, new state), the acting candidate first."
    pointer: Pointer
    entry: LogEntry


def first_state(verdict: str) -> State:
    """The state of a new candidate with this verdict."""
    return State.WAITING if verdict == "promote" else State.REFUSED


def settle(candidate: Candidate, champion: Pointer) -> State:
    """The candidate's state under this champion: a decision against another champion is void."""
    open_states = (State.WAITING, State.REFUSED)
    stale = candidate.state in open_states and candidate.judged_against != champion.adapter
    return State.SUPERSEDED if stale else candidate.state


def next_state(state: State, action: Action) -> State:
    """The state after `action`. Raises PromotionError for an illegal move."""
    after = MOVES.get((state, action))
    if after is None:
        legal = [known for known, name in MOVES if name == action]
        raise PromotionError("promotion.illegal_move", state=state, action=action, legal=", ".join(legal))
    return after


def approve(candidate: Candidate, champion: Pointer, *, who: str, at: datetime, reason: str, last_number: int) -> Move:
    """Make the candidate the champion.

    Raises PromotionError when it was judged against another champion, when the move is illegal, and when a refused one
    is approved by the gate or without a reason.
    """
    if candidate.state in (State.WAITING, State.REFUSED) and candidate.judged_against != champion.adapter:
        raise PromotionError(
            "promotion.superseded",
            adapter=candidate.adapter,
            judged_against=candidate.judged_against,
            champion=champion.adapter,
        )
    after = next_state(candidate.state, "approve")
    if candidate.state is State.REFUSED and (who == GATE or not reason.strip()):
        raise PromotionError("promotion.reason_needed", adapter=candidate.adapter)
    return _change_champion(candidate.adapter, after, "approve", State.REPLACED, champion, who, at, reason, last_number)


def roll_back(
    champion: Candidate,
    pointer: Pointer,
    predecessor: Candidate | None,
    *,
    who: str,
    at: datetime,
    reason: str,
    last_number: int,
) -> Move:
    """Make the predecessor (None: the bare base) champion again. Raises PromotionError for an illegal move."""
    if champion.adapter != pointer.adapter:
        raise PromotionError("promotion.not_champion", adapter=champion.adapter, champion=pointer.adapter)
    rolled = next_state(champion.state, "roll_back")
    to = predecessor.adapter if predecessor else BASE
    after: tuple[tuple[str, State], ...] = ((champion.adapter, rolled),)
    if predecessor:
        after += ((predecessor.adapter, next_state(predecessor.state, "restore")),)
    return _move(after, "roll_back", champion.adapter, pointer, to, who, at, reason, last_number)


def restore(candidate: Candidate, pointer: Pointer, *, who: str, at: datetime, reason: str, last_number: int) -> Move:
    """Make a former champion the champion again; the present one becomes `rolled_back`."""
    after = next_state(candidate.state, "restore")
    return _change_champion(
        candidate.adapter, after, "restore", State.ROLLED_BACK, pointer, who, at, reason, last_number
    )


def reject(candidate: Candidate, pointer: Pointer, *, who: str, at: datetime, reason: str, last_number: int) -> Move:
    """Reject the candidate. The champion stays."""
    after = ((candidate.adapter, next_state(candidate.state, "reject")),)
    return _move(after, "reject", candidate.adapter, pointer, pointer.adapter, who, at, reason, last_number)


def supersede(candidate: Candidate, pointer: Pointer, *, who: str, at: datetime, last_number: int) -> Move:
    """Close a candidate that was judged against a former champion. The champion stays."""
    after = ((candidate.adapter, next_state(candidate.state, "supersede")),)
    return _move(after, "supersede", candidate.adapter, pointer, pointer.adapter, who, at, "", last_number)


def _change_champion(
    adapter: str,
    after: State,
    action: Action,
    former: State,
    pointer: Pointer,
    who: str,
    at: datetime,
    reason: str,
    last_number: int,
) -> Move:
    """`adapter` replaces the present champion, whose state becomes `former`."""
    states: tuple[tuple[str, State], ...] = ((adapter, after),)
    if pointer.adapter != BASE:
        states += ((pointer.adapter, former),)
    return _move(states, action, adapter, pointer, adapter, who, at, reason, last_number)


def _move(
    states: tuple[tuple[str, State], ...],
    action: Action,
    adapter: str,
    before: Pointer,
    champion_after: str,
    who: str,
    at: datetime,
    reason: str,
    last_number: int,
) -> Move:
    """Build the log entry and the new pointer; the version counts only changes of champion."""
    changed = champion_after != before.adapter
    pointer = Pointer(champion_after, before.version + changed)
    entry = LogEntry(
        last_number + 1,
        at.astimezone(UTC),
        who,
        action,
        adapter,
        before.adapter,
        champion_after,
        pointer.version,
        reason,
    )
    return Move(states, pointer, entry)


def chain_hash(previous: str, entry: LogEntry) -> str:
    """Hex SHA-256 over the previous hash and all fields of the entry."""
    fields = {**asdict(entry), "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")}
    return sha256_json({"previous": previous, "entry": fields})


def verify_chain(entries: Sequence[tuple[LogEntry, str]]) -> str:
    """The log's head hash (`GENESIS` when empty). Raises IntegrityError at the first altered or missing entry."""
    head = GENESIS
    for number, (entry, recorded) in enumerate(entries, 1):
        made = chain_hash(head, entry)
        if made != recorded or entry.number != number:
            raise IntegrityError("promotion.chain_broken", number=number, recorded=recorded, computed=made)
        head = made
    return head
