"""A real database in a folder of its own, and records to put into it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.learned_tagger import category_tagger
from bonsai.config.settings import DatabaseSettings
from bonsai.domain.reasons import Reason
from bonsai.domain.records import Category, Origin, Record, Status, Tag, Tags
from storage.home import Home, create_home, open_home
from storage.tables.record_rows import NewRecord

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SETTINGS = DatabaseSettings(lock_wait_seconds=5, memory_limit="500MB", threads=1)
MakeRecord = Callable[..., NewRecord]


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def settings() -> DatabaseSettings:
    return SETTINGS


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home to copy: made in a quarter of a second, copied in a hundredth."""
    return create_home(tmp_path_factory.mktemp("template") / "home", AT, SETTINGS).root


@pytest.fixture(scope="session")
def taught_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh home to copy, its category tagger learned already: that takes seconds."""
    home = tmp_path_factory.mktemp("taught") / "home"
    bootstrap.init(home, "en", AT, {})
    category_tagger(bootstrap.open(home, {}))
    return home


@pytest.fixture
def home(tmp_path: Path, new_home: Path) -> Home:
    return open_home(Path(shutil.copytree(new_home, tmp_path / "home")), SETTINGS)


@pytest.fixture
def make_record() -> MakeRecord:
    return new_record


def new_record(
    instruction: str = "What does Mike eat?",
    output: str = "Mike eats tuna.",
    *,
    context: str = "",
    status: Status = Status.ACTIVE,
    reason: Reason | None = None,
    language: str = "en",
    category: str = Category.OPEN_QA,
    tag_source: str = "rule",
    near_of: str = "",
    retires_item: str = "",
    subject: str = "Mike",
) -> NewRecord:
    """What intake would hand over; the id is any hash of the three texts."""
    identity = hashlib.sha256("\n".join((instruction, context, output)).encode()).hexdigest()
    given = tag_source in ("import", "person")
    reasoning = "The question is in English; answer in English."
    record = Record(
        identity,
        instruction,
        context,
        output,
        Origin("cats.jsonl", 7),
        language=language if given else None,  # type: ignore[arg-type]
        category=Category(category) if given else None,
        reasoning=reasoning if given else "",
        subject=subject,
        happened_on=AT.date(),
        feeling="happy",
        source="self",
        author="mika",
        fact="mike-food",
    )
    tags = Tags(*(Tag(value, tag_source, 0.5, "rules-1") for value in (language, category, reasoning)))  # type: ignore[arg-type]
    return NewRecord(record, tags, "en", f"{instruction}|{context}".lower(), status, reason, near_of, retires_item)
