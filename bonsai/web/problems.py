"""Exceptions that end a request with an answer."""

from __future__ import annotations

import errno
from collections.abc import Mapping

RETRY_AFTER = {"Retry-After": "5"}
"Header of a busy response."


def is_full(error: OSError) -> bool:
    """Whether the disk or the user's quota is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Problem(Exception):
    """Ends a request with an explanation; `key` names the text, by default in the area `dashboard`."""

    def __init__(self, status: int, key: str, /, headers: dict[str, str] | None = None, **values: object) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.headers = headers or {}
        self.values = values


class ConfirmationNeeded(Problem):
    """An irreversible request without its confirmation; the page asks again with all choices kept."""

    def __init__(self, count: int) -> None:
        super().__init__(422, "problem_not_sure", count=count)


def require_confirmation(form: Mapping[str, str], count: int) -> None:
    """Require the tick that confirms erasing `count` records. Raises NotSure."""
    if form.get("sure") != "yes":
        raise ConfirmationNeeded(count)


class LoginNeeded(Exception):
    """Nobody is logged in."""
