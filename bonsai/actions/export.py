"""Export an adapter in a form that other programs open, with a model card and a certificate that it answers the same.

    made = export_form(b, "champion", Path("mika"), "peft", now, {}, ProcessExporter())

Everything is made in a temporary folder beside the target and renamed at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bonsai.actions.model_card import CardFacts, licence, model_card
from bonsai.config.layers import default_values
from bonsai.context import Bonsai
from bonsai.errors import NoRoom, UsageError
from bonsai.evaluate import questions
from bonsai.evaluate.evaluation import fixed_question_set
from bonsai.evaluate.export import Certificate, Exporter, ExportJob, Form, sample
from bonsai.evaluate.report import Report
from bonsai.model.bases import SEEDLING, Base, find_device, model_folder
from bonsai.model.to_gguf import find_converter
from bonsai.night.device_lock import alone_on_device
from bonsai.queries import answers, bases
from bonsai.queries.adapters import FullAdapter, require_whole, show_adapter
from bonsai.system.files import is_full, new_folder
from bonsai.system.progress import Progress, silent
from bonsai.system.progress import Report as Tell
from storage.tables import holdout_access_table, promotions_table, snapshots_table

_POOL = "selection"
"The only pool that an export may ask: the others are closed."


@dataclass(frozen=True, slots=True)
class ExportedAdapter:
    """An adapter in its new form."""

    path: Path
    adapter: str
    certificate: Certificate


def export_form(
    b: Bonsai,
    name: str,
    path: Path,
    form: Form,
    now: datetime,
    environ: Mapping[str, str],
    exporter: Exporter,
    tell: Tell = silent,
) -> ExportedAdapter:
    """Make the folder `path`; when this raises, there is none.

    Raises UnknownId, UsageError for a target that exists, a missing parent folder or converter, ConfigError when the
    base is not on this machine, NoRoom when the disk is full, and what `Exporter.export` raises.
    """
    path = path.absolute()
    if path.exists() or path.is_symlink():
        raise UsageError("export.exists", path=path)
    if not path.parent.is_dir():
        raise UsageError("pipeline.no_folder", folder=path.parent)
    shown = show_adapter(b, name)
    require_whole(shown)
    converter = find_converter(environ) if form in ("gguf", "ollama") else ""
    profile = _profile(b, shown)
    device = find_device().kind
    model_folder(b.config.profiles[profile].base)  # raises for missing files

    def on_progress(done: int, total: int) -> None:
        tell(Progress("export", done, total))

    log = b.places.logs / "adapter-export.txt"
    try:
        with alone_on_device(b.home, device, 1, lambda: on_progress(0, 1)), new_folder(path) as made:
            job = _job(b, shown, profile, form, made, now, converter)
            certificate = exporter.export(job, log, on_progress)
    except FileExistsError:  # it appeared meanwhile
        raise UsageError("export.exists", path=path) from None
    except OSError as error:
        if not is_full(error):
            raise
        raise NoRoom("storage.no_room", folder=path.parent) from error
    return ExportedAdapter(path, shown.line.id, certificate)


def _profile(b: Bonsai, shown: FullAdapter) -> str:
    """The profile that the adapter was trained under, while its base is still that; else the one in use."""
    named = str(shown.manifest.plan.get("profile", ""))
    known = b.config.profiles.get(named)
    return named if known and known.base.name == shown.manifest.base_name else b.find_profile()


def _job(
    b: Bonsai, shown: FullAdapter, profile: str, form: Form, made: Path, now: datetime, converter: str
) -> ExportJob:
    base = b.config.profiles[profile].base
    with b.database.reading() as con:
        question_set = fixed_question_set(questions.set_name(_POOL), holdout_access_table.rotation(con))
    work = made.parent / "work"
    work.mkdir()
    facts = _facts(b, shown, profile, form)
    return ExportJob(
        form=form,
        adapter=shown.line.id,
        adapter_folder=str(shown.folder),
        base=base,
        hub_id=facts.hub_id,
        device=find_device().kind,
        threads=b.config.training.threads,
        question_set=question_set.name,
        items=sample(question_set.items),
        card=model_card(facts),
        licence=licence(facts),
        private=tuple(sorted({str(b.home), str(shown.folder), str(model_folder(base)), str(made.parent)})),
        converter=converter,
        folder=str(made),
        work=str(work),
        created_at=now.isoformat(),
    )


def _facts(b: Bonsai, shown: FullAdapter, profile: str, form: Form) -> CardFacts:
    base, manifest = b.config.profiles[profile].base, shown.manifest
    known = bases.show_base(b.home, b.config, profile, "", frozenset(default_values()["profiles"]))
    with b.database.reading() as con:
        contents = snapshots_table.contents(con, manifest.snapshot_id)
        promotion = promotions_table.find(con, shown.line.id)
    return CardFacts(
        manifest=manifest,
        form=form,
        base=base,
        hub_id=hub_id(base),
        licence=known.licence,
        contents=contents.kinds if contents else {},
        own=contents.own if contents else shown.line.records,
        replayed=contents.anchors if contents else 0,
        decision=promotion.decision if promotion else None,
        report=_newest_report(b, shown.line.id),
    )


def _newest_report(b: Bonsai, adapter: str) -> Report | None:
    """The newest report of the open pool, if the adapter was ever asked it."""
    return next(iter(answers.stored_reports(b.places.reports, adapter, questions.set_name(_POOL))), None)


def hub_id(base: Base) -> str:
    """Where everybody finds the base; empty for the seedling, a folder, or weights that were converted here."""
    return "" if base.model == SEEDLING or Path(base.model).is_dir() else base.model
