"""Uploaded files: looked at, confirmed by a person, taken in by a process of its own with the rest of the inbox.

    check_uploads(b)             what is in those that nobody has looked at yet
    take_uploads(b, now)         import those that are confirmed; what became of them is written beside them

Both are part of every drain and safe to repeat: an import that was killed goes on, and its counts are those of the
whole file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bonsai.actions.import_file import Between, ImportCounts, import_file, nothing
from bonsai.context import Bonsai
from bonsai.domain.records import Source
from bonsai.errors import BonsaiError, InputError, UnknownId
from bonsai.ingest.tags.category import CategoryTagger
from bonsai.queries.file_preview import check_file
from bonsai.queries.suggestions import learned_before
from bonsai.system.files import write_json_atomic
from bonsai.system.progress import Progress, Report, silent
from storage import uploads
from storage.uploads import Upload

CHECKED_AT_ONCE = 1_000_000
"Bytes: some 5,000 records, read in a tenth of a second. Larger files are looked at by the drain's process."
PROGRESS = "progress.json"
COUNTS = ("read", "new", "duplicate", "held_back", "rejected")


def receive_upload(b: Bonsai, arrived: Path, data: Path, name: str, who: str, now: datetime) -> Upload:
    """Keep a file whose bytes have all arrived in the folder `arrived`."""
    return uploads.finish(arrived, data, uploads.shown_name(name), who, now)


def check_upload(
    b: Bonsai, upload: Upload, tagger: CategoryTagger | None, meanwhile: Callable[[], object] = lambda: None
) -> Upload:
    """Look at its file and write down what was found, or why it cannot be read. Safe to repeat.

    One that is cancelled meanwhile stays cancelled.
    """
    try:
        found: dict[str, Any] = asdict(check_file(b, upload.data, tagger, upload.name, meanwhile))
    except InputError as error:
        found = _problem(error)
    except FileNotFoundError:
        return upload
    uploads.tell(upload, "check", found)
    with suppress(UnknownId):
        return uploads.get(b.places.uploads, upload.id)
    return upload


def check_uploads(b: Bonsai, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Those that nobody has looked at; `meanwhile` is called now and then, for what may not wait so long."""
    waiting = [one for one in uploads.listed(b.places.uploads) if one.state == "unchecked"]
    tagger = learned_before(b) if waiting else None
    for upload in waiting:
        check_upload(b, upload, tagger, meanwhile)
        meanwhile()


def confirm_upload(b: Bonsai, identity: str, *, source: Source, source_name: str, who: str, now: datetime) -> Upload:
    """The next drain takes it in. Raises UnknownId; InputError for one that cannot be read as records."""
    found = uploads.get(b.places.uploads, identity)
    problem = problem_of(found.told.get("check", {}))
    if problem:
        raise problem
    about = {"source": source, "source_name": source_name, "who": who, "at": now.isoformat()}
    return uploads.confirm(b.places.uploads, identity, about)


def cancel_upload(b: Bonsai, identity: str) -> None:
    """Nothing is left of it. Raises UnknownId, and UsageError when it is being taken in already."""
    uploads.cancel(b.places.uploads, identity)


def sweep_uploads(b: Bonsai, now: datetime) -> None:
    """Remove what was abandoned."""
    uploads.sweep(b.places.uploads, now, timedelta(hours=b.config.dashboard.upload_hours))


def take_uploads(
    b: Bonsai, now: datetime, report: Report = silent, between: Between = nothing
) -> tuple[int, ImportCounts]:
    """Import every confirmed upload; how many there were, and what became of their records. Under the drain's lock."""
    counts, taken = ImportCounts(), 0
    for upload in uploads.listed(b.places.uploads)[::-1]:
        if upload.state == "confirmed":
            counts += _take(b, upload, now, report, between)
            taken += 1
        elif upload.state == "done" and upload.data.exists():  # the power went before its bytes did
            uploads.drop_texts(upload)
    return taken, counts


def _take(b: Bonsai, upload: Upload, now: datetime, report: Report, between: Between) -> ImportCounts:
    """The moment of the confirmation names the import, so that one that was killed is the same one when it goes on."""
    about = upload.told["confirmed"]
    try:
        counts = import_file(
            b,
            upload.data,
            now=datetime.fromisoformat(about["at"]),
            source=about["source"],
            source_name=about["source_name"],
            author=about["who"] if about["source"] == "self" else "",
            name=upload.name,
            goes_on=True,
            report=_beside(upload, report),
            between=between,
        )
    except InputError as error:
        counts, result = ImportCounts(), _problem(InputError(error.key, **{**error.values, "path": upload.name}))
    else:
        result = {name: getattr(counts, name) for name in COUNTS}
    uploads.tell(upload, "result", {**result, "finished_at": now.isoformat()})
    uploads.drop_texts(upload)
    return counts


def _beside(upload: Upload, report: Report) -> Report:
    """Tells how far the import is in a file too: who looks sits in another process."""

    def told(progress: Progress) -> None:
        write_json_atomic(upload.folder / PROGRESS, {"done": progress.done})
        report(progress)

    return told


def _problem(error: BonsaiError) -> dict[str, Any]:
    return {"problem": error.key, "values": {name: str(value) for name, value in error.values.items()}}


def problem_of(told: Mapping[str, Any]) -> InputError | None:
    """Why a file could not be read, as a check or a result wrote it down."""
    return InputError(told["problem"], **told["values"]) if "problem" in told else None


def progress_of(upload: Upload) -> int:
    """How many records of a running import were read so far."""
    try:
        return int(json.loads((upload.folder / PROGRESS).read_text("utf-8"))["done"])
    except FileNotFoundError:
        return 0
