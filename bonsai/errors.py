"""Exceptions: their messages are for people, their types for flows.

    BonsaiError                 every error that Bonsai raises on purpose
    ├── TransientError          may pass by itself: a flow retries it
    │   ├── LockTimeout         another process holds the database or the GPU
    │   └── WorkerDied          a training or benchmark process was killed
    └── TerminalError           will not pass by itself: a person has to act
        ├── UsageError          the command itself is wrong; the CLI exits with 2
        │   ├── ConfigError     an unknown or unusable setting
        │   └── UnknownId       no record, night, promotion ... of that id
        ├── ConflictError       somebody else changed the same thing meanwhile; nothing was overwritten
        ├── InputError          a file that cannot be read as records
        ├── NoRoom              the disk is full; nothing was written
        ├── HomeError           the home is missing, foreign, or written by a newer version
        ├── IntegrityError      a checksum differs: a tampered or torn benchmark, adapter, snapshot, log
        ├── TrainingError       training refused or stopped itself (non-finite loss, modules without an adapter, ...)
        │   └── OutOfMemory     the device cannot hold a batch; tried once more with smaller ones
        ├── BenchmarkError      a report could not be made
        ├── NightCancelled      a person stopped the night; it can be resumed
        └── PromotionError      an illegal move, or a decision made against another champion

Each error names its text by key (`bonsai/i18n/*/errors.toml`), so it speaks English and Japanese:
what was wrong (with the value), what is valid, what to do.
"""

from __future__ import annotations

from typing import Any, ClassVar

from bonsai.i18n import TextLanguage, text


class BonsaiError(Exception):
    """Base of all errors; `LockTimeout("pipeline.night_running", night=...)`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, key: str, /, **values: Any) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def render(self, language: TextLanguage = "en") -> str:
        """The error as one line."""
        return text(self.key, language, **self.values)

    def __str__(self) -> str:
        return self.render("en")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.key, self.values))


def _rebuild(kind: type[BonsaiError], key: str, values: dict[str, Any]) -> BonsaiError:
    """Pickling support: Prefect passes errors between processes."""
    return kind(key, **values)


class TransientError(BonsaiError):
    """May pass by itself; a flow retries it."""


class LockTimeout(TransientError):
    """Another process held what is needed for too long."""


class WorkerDied(TransientError):
    """A worker process was killed (out of memory, CUDA fault, a person)."""


class TerminalError(BonsaiError):
    """Will not pass by itself."""


class UsageError(TerminalError):
    """The command itself is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """An unknown or invalid setting."""


class UnknownId(UsageError):
    """No record, night, promotion or adapter has this id."""


class ConflictError(TerminalError):
    """Somebody else changed the same thing meanwhile."""


class InputError(TerminalError):
    """A file that cannot be read as records."""


class NoRoom(TerminalError):
    """The disk is full."""


class HomeError(TerminalError):
    """The home is missing, foreign, or written by a newer version."""


class IntegrityError(TerminalError):
    """A checksum does not match."""


class TrainingError(TerminalError):
    """Training refused to start or stopped itself."""


class OutOfMemory(TrainingError):
    """The batch does not fit into the device's memory."""


class BenchmarkError(TerminalError):
    """A benchmark report could not be made."""


class NightCancelled(TerminalError):
    """A person stopped the night."""


class PromotionError(TerminalError):
    """An illegal transition between promotion states."""
