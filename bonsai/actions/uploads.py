"""Uploaded files: previewed, confirmed by a person, imported by the drain.

    check_uploads(b)             preview those that have none yet
    import_uploads(b, now)       import confirmed ones; the result is written beside each file

Both are part of every drain and idempotent: a killed import continues, and its counts cover the whole file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bonsai.actions.import_file import BetweenChunks, ImportCounts, import_file, no_work
from bonsai.context import Bonsai
from bonsai.domain.records import Source
from bonsai.errors import BonsaiError, InputError, UnknownId
from bonsai.ingest.tags.category import CategoryTagger
from bonsai.queries.file_preview import check_file
from bonsai.queries.suggestions import existing_tagger
from bonsai.system.files import write_json_atomic
from bonsai.system.progress import Progress, Report, silent
from storage import uploads
from storage.uploads import Upload

CHECKED_AT_ONCE = 1_000_000
"Bytes: some 5,000 records, read in a tenth of a second. Larger files are previewed by the drain."
PROGRESS = "progress.json"
COUNTS = ("read", "new", "duplicate", "held_back", "rejected")


def receive_upload(b: Bonsai, arrived: Path, data: Path, name: str, who: str, now: datetime) -> Upload:
    """Keep a file that has arrived completely in the folder `arrived`."""
    return uploads.finish(arrived, data, uploads.shown_name(name), who, now)


def check_upload(
    b: Bonsai, upload: Upload, tagger: CategoryTagger | None, meanwhile: Callable[[], object] = lambda: None
) -> Upload:
    """Preview a file and store the result, or why it is unreadable. Idempotent. A cancelled upload stays cancelled."""
    try:
        found: dict[str, Any] = asdict(check_file(b, upload.data, tagger, upload.name, meanwhile))
    except InputError as error:
        found = _problem(error)
    except FileNotFoundError:
        return upload
    uploads.write_part(upload, "check", found)
    with suppress(UnknownId):
        return uploads.get(b.places.uploads, upload.id)
    return upload


def check_uploads(b: Bonsai, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Preview all new uploads; `meanwhile` is called from time to time for urgent work."""
    waiting = [one for one in uploads.listed(b.places.uploads) if one.state == "unchecked"]
    tagger = existing_tagger(b) if waiting else None
    for upload in waiting:
        check_upload(b, upload, tagger, meanwhile)
        meanwhile()


def confirm_upload(b: Bonsai, identity: str, *, source: Source, source_name: str, who: str, now: datetime) -> Upload:
    """Queue for the next drain. Raises UnknownId; InputError if it cannot be read as records."""
    found = uploads.get(b.places.uploads, identity)
    problem = problem_of(found.parts.get("check", {}))
    if problem:
        raise problem
    about = {"source": source, "source_name": source_name, "who": who, "at": now.isoformat()}
    return uploads.confirm(b.places.uploads, identity, about)


def cancel_upload(b: Bonsai, identity: str) -> None:
    """Remove an upload completely. Raises UnknownId, and UsageError if its import has begun."""
    uploads.cancel(b.places.uploads, identity)


def sweep_uploads(b: Bonsai, now: datetime) -> None:
    """Remove abandoned uploads."""
    uploads.sweep(b.places.uploads, now, timedelta(hours=b.config.dashboard.upload_hours))


def import_uploads(
    b: Bonsai, now: datetime, report: Report = silent, between: BetweenChunks = no_work
) -> tuple[int, ImportCounts]:
    """Import every confirmed upload; returns their number and the summed counts. Needs the drain's lock."""
    counts, taken = ImportCounts(), 0
    for upload in uploads.listed(b.places.uploads)[::-1]:
        if upload.state == "confirmed":
            counts += _import_upload(b, upload, now, report, between)
            taken += 1
        elif upload.state == "done" and upload.data.exists():  # power was lost before its bytes were removed
            uploads.drop_texts(upload)
    return taken, counts


def _import_upload(b: Bonsai, upload: Upload, now: datetime, report: Report, between: BetweenChunks) -> ImportCounts:
    """Import one upload.

    The time of confirmation names the import, so that a killed one is recognised when it continues.
    """
    about = upload.parts["confirmed"]
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
            report=_reporting_to_file(upload, report),
            between=between,
        )
    except InputError as error:
        counts, result = ImportCounts(), _problem(InputError(error.key, **{**error.values, "path": upload.name}))
    else:
        result = {name: getattr(counts, name) for name in COUNTS}
    uploads.write_part(upload, "result", {**result, "finished_at": now.isoformat()})
    uploads.drop_texts(upload)
    return counts


def _reporting_to_file(upload: Upload, report: Report) -> Report:
    """Also writes progress to a file, for readers in other processes."""

    def report_to_file(progress: Progress) -> None:
        write_json_atomic(upload.folder / PROGRESS, {"done": progress.done})
        report(progress)

    return report_to_file


def _problem(error: BonsaiError) -> dict[str, Any]:
    return {"problem": error.key, "values": {name: str(value) for name, value in error.values.items()}}


def problem_of(result: Mapping[str, Any]) -> InputError | None:
    """Why a file could not be read, from a stored check or result."""
    return InputError(result["problem"], **result["values"]) if "problem" in result else None


def progress_of(upload: Upload) -> int:
    """Records read so far by a running import."""
    try:
        return int(json.loads((upload.folder / PROGRESS).read_text("utf-8"))["done"])
    except FileNotFoundError:
        return 0
