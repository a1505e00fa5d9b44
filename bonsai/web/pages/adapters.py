"""Adapter pages: list, one adapter with its manifest and lineage, download."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from bonsai.queries import adapters
from bonsai.queries.adapters import AdapterSummary, FullAdapter
from bonsai.train.manifest import AdapterManifest
from bonsai.web import problems
from bonsai.web.presenters.records import shorten
from bonsai.web.request import Contributor, Reviewer, Visit
from storage.tables.adapters_table import LearnedRecord

Pairs = list[tuple[str, str]]
HASHES = ("base_hash", "tokenizer_hash", "template_digest", "snapshot_hash")


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """One adapter."""

    line: AdapterSummary
    size: str
    state: str


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """A record that the adapter was trained on."""

    record: LearnedRecord
    question: str
    happened_on: str


def row(visit: Visit, line: AdapterSummary) -> AdapterRow:
    """Row of the list and of the lineage."""
    state = visit.text(f"promotion.state_{line.state}") if line.state else visit.text("adapters.unjudged")
    return AdapterRow(line, in_units(line.size), state)


def in_units(size: int) -> str:
    """Bytes in human-readable units."""
    for unit, length in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size} B"


def manifest_rows(visit: Visit, manifest: AdapterManifest) -> Pairs:
    """What the adapter was made from; hashes last, in full."""
    named_values = (
        ("base", manifest.base_name),
        ("revision", manifest.base_revision),
        ("template", manifest.template),
        ("profile", str(manifest.plan.get("profile", ""))),
        ("seed", str(manifest.seed)),
        ("device", str(manifest.plan.get("device", ""))),
        ("snapshot", manifest.snapshot_id),
        ("versions", _listed(manifest.versions)),
        ("measured", _listed({name: f"{value:g}" for name, value in manifest.measured.items()})),
        *((name, str(getattr(manifest, name))) for name in HASHES),
    )
    return [(visit.text(f"adapters.{name}"), value) for name, value in named_values if value]


def _listed(values: object) -> str:
    pairs = dict(values) if isinstance(values, dict) else {}
    return ", ".join(f"{name} {value}" for name, value in sorted(pairs.items()))


def recipe_rows(manifest: AdapterManifest) -> Pairs:
    """Resolved plan: every value by setting name."""
    recipe = manifest.plan.get("recipe", {})
    return [(name, str(value)) for name, value in recipe.items()] if isinstance(recipe, dict) else []


def file_rows(found: FullAdapter) -> list[tuple[str, str, str]]:
    """(name, size, SHA-256); empty size if the file is missing."""
    return [(one.name, in_units(one.size) if one.size else "", one.sha256) for one in found.files]


def learned_row(visit: Visit, one: LearnedRecord) -> LearnedRow:
    """One record."""
    return LearnedRow(one, shorten(one.instruction), one.happened_on.isoformat() if one.happened_on else "")


router = APIRouter(prefix="/adapters")
CHECKED_BYTES = 8_000_000
"Adapters up to this size are verified on every view, in 20 ms; larger ones on request."


@router.get("")
def list_(visit: Contributor) -> Response:
    """Newest first, paginated."""
    size, before = visit.site.settings.page_size, visit.request.query_params.get("before", "")
    found = adapters.list_adapters(visit.b, size + 1, before)
    return visit.page(
        "adapters/list.html",
        rows=[row(visit, one) for one in found[:size]],
        before=before,
        following=found[size - 1].id if len(found) > size else "",
    )


@router.get("/{adapter_id}")
def show(visit: Contributor, adapter_id: str) -> Response:
    """Manifest, lineage, a page of training records, files."""
    given, size = visit.request.query_params, visit.site.settings.page_size
    after = problems.number(given, "after", -1)
    with visit.at_once():
        found = adapters.show_adapter(visit.b, adapter_id)
        records = adapters.learned_records(visit.b, found.manifest.snapshot_id, size + 1, after)
    requested = problems.one_of(given, "check", ("1",))
    checked = found.line.size <= CHECKED_BYTES or requested == "1"
    problem = adapters.check_files(found) if checked else None
    return visit.page(
        "adapters/adapter.html",
        found=found,
        row=row(visit, found.line),
        manifest=manifest_rows(visit, found.manifest),
        recipe=recipe_rows(found.manifest),
        ancestors=[row(visit, one) for one in found.ancestors],
        files=file_rows(found),
        records=[learned_row(visit, one) for one in records[:size]],
        later=after >= 0,
        following=records[size - 1].place if len(records) > size else None,
        checked=checked,
        problem=visit.words_of(problem) if problem else "",
        sha256=adapters.archive_hash(found) if checked and not problem else "",
        download=in_units(adapters.archive_size(found)),
        may_download=visit.person is not None and visit.person.may("reviewer"),
    )


@router.get("/{adapter_id}/download")
def download(visit: Reviewer, adapter_id: str) -> Response:
    """The folder as a verified .tar; streamed, so that size does not matter."""
    found = adapters.show_adapter(visit.b, adapter_id)
    adapters.require_whole(found)
    visit.noted("download", found.line.id)
    headers = {
        "Content-Disposition": f'attachment; filename="bonsai-adapter-{found.line.id}.tar"',
        "Content-Length": str(adapters.archive_size(found)),
    }
    return StreamingResponse(adapters.archive(found), media_type="application/x-tar", headers=headers)
