"""Queue of questions to models: one thread answers them in turn, so that no page waits.

Answered questions move to the database; failed ones stay for a while with their reason. Waiting questions live in
memory and are lost with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bonsai.actions.ask import QuestionRequest, ask_models, check_request, new_question_id, store_question
from bonsai.context import Bonsai
from bonsai.errors import BonsaiError, TerminalError, TransientError
from bonsai.system.progress import Progress

MAX_FAILURES = 20
"Failures to remember."
CLOSING_SECONDS = 5.0
"Time for the thread to end after its model has."


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question that is not answered yet."""

    id: str
    wanted: QuestionRequest
    state: Literal["waiting", "answering", "failed"] = "waiting"
    before: int = 0
    "Questions ahead in the queue."
    done: int = 0
    "Models that have answered."
    problem: BonsaiError | None = None


class QuestionQueue:
    """One per process; its thread starts with the first question and ends with `close` or the process."""

    def __init__(self, b: Bonsai, clock: Callable[[], datetime]) -> None:
        self._b, self._clock = b, clock
        self._tickets: dict[str, Ticket] = {}
        "In order of arrival; failed ones included."
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._over = False

    def put(self, wanted: QuestionRequest) -> str:
        """Enqueue; returns the question's id. Raises TransientError if the queue is full, UsageError, UnknownId."""
        check_request(self._b, wanted)
        with self._changed:
            waiting = [one for one in self._tickets.values() if one.state == "waiting"]
            if len(waiting) >= self._b.config.dashboard.ask_queue:
                raise TransientError("asking.queue_full", waiting=len(waiting))
            ticket = Ticket(new_question_id(), wanted)
            self._tickets[ticket.id] = ticket
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="questions", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return ticket.id

    def get(self, ticket_id: str) -> Ticket | None:
        """None if the question is answered or unknown."""
        with self._changed:
            found = self._tickets.get(ticket_id)
            if found is None or found.state == "failed":
                return found
            ids = [one.id for one in self._tickets.values() if one.state != "failed"]
            return replace(found, before=ids.index(ticket_id))

    def close(self) -> None:
        """Stop answering and abort the current answer. Idempotent."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._b.inference.end()
        if self._thread:
            self._thread.join(CLOSING_SECONDS)

    def _work(self) -> None:
        while ticket := self._next():
            problem: BonsaiError | None = TerminalError("asking.broken")  # an unexpected error ends this thread
            try:
                store_question(
                    self._b, ask_models(self._b, ticket.wanted, ticket.id, self._clock(), self._reporter(ticket))
                )
                problem = None
            except BonsaiError as error:
                problem = error
            finally:
                self._settle(ticket, problem)

    def _next(self) -> Ticket | None:
        """Next ticket; None once closed."""
        with self._changed:
            while not self._over:
                for one in self._tickets.values():
                    if one.state == "waiting":
                        self._tickets[one.id] = replace(one, state="answering")
                        return one
                self._changed.wait()
        return None

    def _reporter(self, ticket: Ticket) -> Callable[[Progress], None]:
        def report(progress: Progress) -> None:
            with self._changed:
                self._tickets[ticket.id] = replace(ticket, state="answering", done=progress.done)

        return report

    def _settle(self, ticket: Ticket, problem: BonsaiError | None) -> None:
        with self._changed:
            if problem is None:
                del self._tickets[ticket.id]
                return
            self._tickets[ticket.id] = replace(ticket, state="failed", problem=problem)
            failed = [one.id for one in self._tickets.values() if one.state == "failed"]
            for one in failed[:-MAX_FAILURES]:
                del self._tickets[one]
