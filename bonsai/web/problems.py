"""What ends a request before its page is made."""

from __future__ import annotations

import errno
from collections.abc import Mapping

RETRY_AFTER = {"Retry-After": "5"}
"Of an answer that says: busy."


def is_full(error: OSError) -> bool:
    """Whether it says that the disk has no room left, or the account none on it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Problem(Exception):
    """Ends a request with an answer that says why; `key` names the text, in the area `dashboard` when it names none."""

    def __init__(self, status: int, key: str, /, headers: dict[str, str] | None = None, **values: object) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.headers = headers or {}
        self.values = values


class NotSure(Problem):
    """Something that cannot be undone was sent without the tick: asked once more, with all that was chosen."""

    def __init__(self, count: int) -> None:
        super().__init__(422, "problem_not_sure", count=count)


def require_sure(form: Mapping[str, str], count: int) -> None:
    """Whether the person ticked that so many records shall go for good. Raises NotSure."""
    if form.get("sure") != "yes":
        raise NotSure(count)


class LoginNeeded(Exception):
    """Nobody is logged in."""
