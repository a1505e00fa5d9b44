"""`bonsai adapters`: lineage, training records and integrity of each adapter."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.records import on_one_line, short
from bonsai.cli.shell import AsJson, Shell, one_of, shell_of
from bonsai.errors import UsageError

if TYPE_CHECKING:
    from bonsai.actions.export import ExportedAdapter
    from bonsai.actions.hub_upload import HubTarget
    from bonsai.evaluate.export import Form
    from bonsai.queries.adapters import FullAdapter
    from storage.tables.adapters_table import LearnedRecord


app = noun()
ARCHIVE: Literal["archive"] = "archive"
HUB: Literal["hub"] = "hub"

KnownAdapter = Annotated[str, typer.Argument(help="cli.arg_known_adapter", metavar="ID")]


@verb(app, "cli.adapters_list", name="list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Newest first."""
    from bonsai.queries import adapters

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = adapters.list_adapters(bonsai, limit or bonsai.config.cli.list_limit)
    if as_json:
        from bonsai.schemas.adapters import Adapter

        shell.json_lines(map(Adapter.model_validate, found))
        return
    rows = (
        (short(one.id), one.base, short(one.parent), one.state, one.records, one.size, one.created_at) for one in found
    )
    shell.table(("adapter", "base", "parent", "state", "records", "size", "at"), rows, right=(4, 5))


@verb(app, "cli.adapters_show")
def show(
    ctx: typer.Context,
    name: KnownAdapter = "champion",
    after: Annotated[int, typer.Option("--after", help="cli.opt_after", show_default=False)] = -1,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Manifest, chain of warm starts, and a page of the records it was trained on."""
    from bonsai.queries import adapters

    shell = shell_of(ctx)
    bonsai = shell.open()
    shown = adapters.show_adapter(bonsai, name)
    problem = adapters.check_files(shown)
    records = adapters.learned_records(bonsai, shown.manifest.snapshot_id, limit or bonsai.config.cli.list_limit, after)
    if as_json:
        from bonsai.serializers.adapters import learned_adapter

        shell.json(learned_adapter(shown, problem, records, shell.language))
        return
    _tell(shell, shown, records, problem.render(shell.language) if problem else shell.text("adapters.whole"))


def _tell(shell: Shell, shown: FullAdapter, records: list[LearnedRecord], whole: str) -> None:
    line, manifest = shown.line, shown.manifest
    shell.fields(
        (
            ("adapter", line.id),
            ("state", line.state),
            ("base", f"{manifest.base_name} {manifest.base_revision}".strip()),
            ("template", manifest.template),
            ("seed", manifest.seed),
            ("snapshot", manifest.snapshot_id),
            ("parent", " <- ".join(short(one.id) for one in shown.ancestors)),
            ("trained_at", manifest.created_at),
            ("versions", ", ".join(f"{name} {version}" for name, version in sorted(manifest.versions.items()))),
            ("size", line.size),
            ("integrity", whole),
        )
    )
    shell.line("")
    shell.table(("file", "size", "sha256"), ((one.name, one.size, one.sha256) for one in shown.files), right=(1,))
    shell.line("")
    rows = ((short(one.id), one.status, on_one_line(one.instruction)) for one in records)
    shell.table(("id", "status", "question"), rows, clipped=(2,))
    shell.say("cli.shown_of", shown=len(records), all=line.records)


@verb(app, "cli.adapters_export")
def export(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="cli.arg_export_path", metavar="PATH")],
    form: Annotated[str, typer.Option("--as", help="cli.opt_export_as", metavar="FORM")] = ARCHIVE,
    name: Annotated[str, typer.Option("--adapter", help="cli.arg_known_adapter")] = "champion",
    repo: Annotated[str, typer.Option("--repo", help="cli.opt_export_repo", metavar="OWNER/NAME")] = "",
    public: Annotated[bool, typer.Option("--public", help="cli.opt_export_public")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="cli.opt_export_yes")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the verified folder as a .tar, or make a certified form of it, or upload that."""
    from bonsai.evaluate.export import FORMS
    from bonsai.queries import adapters

    shell = shell_of(ctx)
    chosen = one_of(form, (ARCHIVE, *FORMS, HUB), "--as")
    if chosen == HUB:
        _export_to_hub(shell, path, repo, public, yes, name, as_json)
        return
    if repo or public:
        raise UsageError("export.hub_alone", form=form)
    if chosen != ARCHIVE:
        _export_form(shell, path, chosen, name, as_json)
        return
    sha256 = adapters.export_adapter(shell.open(), name, path)
    if as_json:
        from bonsai.schemas.adapters import AdapterArchive

        shell.json(AdapterArchive(path=str(path), sha256=sha256))
        return
    shell.say("adapters.exported", path=path, sha256=sha256)


def _export_form(shell: Shell, path: Path, form: Form, name: str, as_json: bool) -> None:
    made = _make_form(shell, path, form, name, as_json)
    if as_json:
        from bonsai.schemas.adapters import AdapterExport
        from bonsai.system.json_values import to_values

        shell.json(AdapterExport(path=str(made.path), certificate=to_values(made.certificate)))
        return
    _tell_form(shell, made)
    shell.say("export.stays_here")


def _export_to_hub(shell: Shell, path: Path, repo: str, public: bool, yes: bool, name: str, as_json: bool) -> None:
    from bonsai.actions import hub_upload

    target = hub_upload.find_target(repo, public)
    made = _make_form(shell, path, "peft", name, as_json)
    if not as_json:
        _tell_form(shell, made)
    _tell_upload(dataclasses.replace(shell, out=shell.err), target, made.path)  # `--json` has stdout for itself
    if not yes and not shell.agreed("export.go_on"):
        shell.complain("export.not_uploaded", path=made.path)
        raise typer.Exit(1)
    url = hub_upload.upload(made.path, target, made.adapter)
    if as_json:
        from bonsai.schemas.adapters import AdapterUpload
        from bonsai.system.json_values import to_values

        shell.json(AdapterUpload(path=str(made.path), certificate=to_values(made.certificate), url=url))
        return
    shell.say("export.uploaded", url=url)


def _make_form(shell: Shell, path: Path, form: Form, name: str, as_json: bool) -> ExportedAdapter:
    from bonsai.actions import export
    from bonsai.evaluate.export import ProcessExporter

    bonsai = shell.open()
    exporter = ProcessExporter(bonsai.config.training.nice)
    with progress.shown(shell, quiet=as_json) as report:
        return export.export_form(bonsai, name, path, form, shell.now(), shell.environ, exporter, report)


def _tell_form(shell: Shell, made: ExportedAdapter) -> None:
    one = made.certificate
    shell.say("export.done", path=made.path, form=one.form, adapter=made.adapter)
    shell.say(
        "export.certified",
        asked_as=one.asked_as,
        questions=one.questions,
        equal=round(100 * one.equal, 1),
        before=round(100 * one.right_before, 1),
        after=round(100 * one.right_after, 1),
    )


def _tell_upload(shell: Shell, target: HubTarget, folder: Path) -> None:
    """Everything that an upload sends, and who will see it."""
    from bonsai.actions.hub_upload import files_of

    sizes = {file.relative_to(folder): file.stat().st_size for file in files_of(folder)}
    shell.line("")
    shell.table(("file", "size"), sizes.items(), right=(1,))
    shell.line("")
    shell.show(shell.text("export.upload", count=len(sizes), size=sum(sizes.values()), url=target.url))
    shell.show(shell.text("export.upload_public" if target.public else "export.upload_private"))
    if target.exists:
        shell.show(shell.text("export.upload_updates"))
    shell.show(shell.text("export.upload_learned"))
