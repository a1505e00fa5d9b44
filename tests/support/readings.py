"""Files to be read, and what was read of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bonsai.domain.records import LIMITS, Limits, Record, Reject
from bonsai.i18n import TEXT_LANGUAGES, text
from bonsai.ingest.readers import read

CAT = {"instruction": "猫は泳げますか?", "input": "", "output": "多くの猫は水が苦手です。"}
DOG = {"instruction": "Can dogs swim?", "input": "", "output": "Most dogs can, and they like it."}

Write = Callable[[str, bytes | str], Path]


def lines(*values: object) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def records(path: Path, **options: object) -> list[Record]:
    made = list(read(path, **options))  # type: ignore[arg-type]
    assert all(isinstance(one, Record) for one in made), made
    return [one for one in made if isinstance(one, Record)]


def split(path: Path, limits: Limits | None = None) -> tuple[list[Record], list[Reject]]:
    made = list(read(path, limits=limits or LIMITS))
    for one in made:
        if isinstance(one, Reject):
            for language in TEXT_LANGUAGES:
                assert text(one.reason_key, language, **dict(one.values))
    return [x for x in made if isinstance(x, Record)], [x for x in made if isinstance(x, Reject)]
