"""Who answers for the model: the states of a candidate adapter, the legal moves, the log that proves them.

A candidate is born by the gate's decision (`first_state`) and moves only as `MOVES` allows:

    waiting  --approve--> champion      (mode `auto` approves at once, in the gate's name)
    refused  --approve--> champion      (a person only, with a reason)
    waiting, refused --reject--> rejected
    waiting, refused --supersede--> superseded     (the champion it was judged against has gone)
    champion --replace--> replaced      (another one was promoted)
    champion --roll_back--> rolled_back (its predecessor answers again)
    replaced, rolled_back --restore--> champion

Each move becomes one `LogEntry`, whose hash covers the hash before it (a hash chain, as in
https://www.rfc-editor.org/rfc/rfc9162 §2 in its simplest form), so that no line of the history can be altered unseen.
Everything here is pure; `storage` applies a `Move` in one transaction.
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
"Who acts in mode `auto`: the benchmark decided, no person."
BASE = "base"
"The champion before the first promotion: the bare base model."
GENESIS = "0" * 64
"The hash before the first entry."


class State(StrEnum):
    """Where a candidate stands."""

    WAITING = "waiting"
    "The gate says promote; a person (or mode `auto`) has still to act."
    REFUSED = "refused"
    "The gate does not say promote; a person may still approve, with a reason."
    CHAMPION = "champion"
    "It answers."
    REPLACED = "replaced"
    "It answered until a better one came."
    ROLLED_BACK = "rolled_back"
    "A person took it back."
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    "Judged against a champion that no longer answers: the judgement is void."


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
"Every legal move; whatever is not here is refused."


@dataclass(frozen=True, slots=True)
class Candidate:
    """An adapter as the promotion rules see it."""

    adapter: str
    "Adapter id."
    state: State
    judged_against: str
    "Adapter id of the champion that the gate compared it with; `base` on the first night."


@dataclass(frozen=True, slots=True)
class Pointer:
    """Who answers now."""

    adapter: str
    "Adapter id, or `base`."
    version: int
    "Counts every change of champion; an update names the version it read, so two cannot both win."


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the append-only history."""

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
    """What one action changes, to be written in one transaction."""

    states: tuple[tuple[str, State], ...]
    "(adapter, new state), the acting candidate first."
    pointer: Pointer
    entry: LogEntry


def first_state(verdict: str) -> State:
    """Where the gate's verdict puts a new candidate."""
    return State.WAITING if verdict == "promote" else State.REFUSED


def settle(candidate: Candidate, champion: Pointer) -> State:
    """The state a candidate truly has under this champion: a judgement against another one is void."""
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

    Raises PromotionError when it was judged against another champion, when the move is illegal, and when a
    refused one is approved by the gate or without a reason.
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
    """Let the predecessor (None: the bare base) answer again. Raises PromotionError for an illegal move."""
    if champion.adapter != pointer.adapter:
        raise PromotionError("promotion.not_champion", adapter=champion.adapter, champion=pointer.adapter)
    rolled = next_state(champion.state, "roll_back")
    to = predecessor.adapter if predecessor else BASE
    after: tuple[tuple[str, State], ...] = ((champion.adapter, rolled),)
    if predecessor:
        after += ((predecessor.adapter, next_state(predecessor.state, "restore")),)
    return _move(after, "roll_back", champion.adapter, pointer, to, who, at, reason, last_number)


def restore(candidate: Candidate, pointer: Pointer, *, who: str, at: datetime, reason: str, last_number: int) -> Move:
    """Let a former champion answer again; the present one becomes `rolled_back`: the same move backwards."""
    after = next_state(candidate.state, "restore")
    return _change_champion(
        candidate.adapter, after, "restore", State.ROLLED_BACK, pointer, who, at, reason, last_number
    )


def reject(candidate: Candidate, pointer: Pointer, *, who: str, at: datetime, reason: str, last_number: int) -> Move:
    """A person says no. The champion stays."""
    after = ((candidate.adapter, next_state(candidate.state, "reject")),)
    return _move(after, "reject", candidate.adapter, pointer, pointer.adapter, who, at, reason, last_number)


def supersede(candidate: Candidate, pointer: Pointer, *, who: str, at: datetime, last_number: int) -> Move:
    """Close a candidate whose champion has gone. The champion stays."""
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
    """`adapter` takes the place of the present champion, which becomes `former`."""
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
    """Put the log entry and the new pointer together; the version counts only changes of champion."""
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
    """Hex SHA-256 over the hash before and every field of the entry."""
    fields = {**asdict(entry), "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")}
    return sha256_json({"previous": previous, "entry": fields})


def verify_chain(entries: Sequence[tuple[LogEntry, str]]) -> str:
    """The head hash of the log (`GENESIS` when empty). Raises IntegrityError at the first altered or missing line."""
    head = GENESIS
    for number, (entry, recorded) in enumerate(entries, 1):
        made = chain_hash(head, entry)
        if made != recorded or entry.number != number:
            raise IntegrityError("promotion.chain_broken", number=number, recorded=recorded, computed=made)
        head = made
    return head
