"""Base model pages: those of this home and those that could be added; one with its check; use, add, check, remove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.actions.bases import AUTO, AddPlan, UsePlan, plan_add, plan_use, remove_base, use_base
from bonsai.context import Bonsai
from bonsai.errors import TerminalError, UsageError
from bonsai.i18n import duration
from bonsai.model.base_sources import HuggingFaceHub, short_count
from bonsai.model.bases import model_folder
from bonsai.model.home_bases import MANIFEST_FILE, folder_of
from bonsai.model.known_bases import known_bases
from bonsai.queries import bases as queries
from bonsai.queries.bases import KnownToHome
from bonsai.schemas.bases import CheckPoint
from bonsai.serializers import bases as serializers
from bonsai.web.request import Admin, Form, Visit, problem_of
from flows import base_work
from flows.base_work import BaseWork

router = APIRouter()
RESULT_SHOWN = timedelta(days=1)
"How long the list tells how the last work ended."
SHOWN_LANGUAGES = 6
OVERRULING = "BONSAI_TRAINING__PROFILE"
"Environment variable that takes precedence over what a page writes."
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class BaseRow:
    """One base of a table."""

    one: KnownToHome
    parameters: str
    languages: str
    note: str


@dataclass(frozen=True, slots=True)
class WorkShown:
    """A base that is being added or checked, or was."""

    name: str
    state: str
    said: str
    "The state as a sentence."
    step: str
    "Localised."
    done: int
    total: int
    points: Sequence[CheckPoint]
    "What the check found, unless the base's own page shows it for good."
    known: bool
    "The base has a page."

    @property
    def goes_on(self) -> bool:
        """Whether to poll again."""
        return self.state == "running"


def row(visit: Visit, one: KnownToHome) -> BaseRow:
    """Row of a table."""
    languages = ", ".join(one.languages[:SHOWN_LANGUAGES]) + (" …" if len(one.languages) > SHOWN_LANGUAGES else "")
    return BaseRow(one, short_count(one.parameters), languages, one.known.note(visit.language) if one.known else "")


def labelled(visit: Visit, fields: serializers.Fields) -> Pairs:
    """Fields under their names; empty ones are left out."""
    return [(visit.text(f"cli.col_{name}").capitalize(), words) for name, words in fields if words]


def work_shown(visit: Visit, name: str = "") -> WorkShown | None:
    """The last work, or that on one base, unless it ended long ago."""
    b = visit.b
    found = base_work.last_work(b.home)
    if found is None or (name and found.work.name != name):
        return None
    work, status = found.work, found.status
    kept = (folder_of(b.home, work.name) / MANIFEST_FILE).is_file()
    known_here = kept or work.name in b.config.profiles
    if status.ended_at and visit.now - status.ended_at > RESULT_SHOWN:
        return None
    if not known_here and (work.act == "check" or found.state == "done"):  # removed since
        return None
    if found.error:
        said = visit.text(f"bases.work_{work.act}_error", name=work.name, reason=visit.words_of(found.error))
    else:
        took = duration((visit.now - work.at).total_seconds(), visit.language)
        log = b.places.logs / base_work.LOG
        said = visit.text(f"bases.work_{work.act}_{found.state}", name=work.name, took=took, log=log)
    step = visit.text(f"cli.step_{status.step}" if status.step else _first_step(work))
    known = work.name in b.config.profiles or work.name in known_bases()
    points = serializers.check(status.check, visit.language).findings if status.check and not kept else ()
    return WorkShown(work.name, found.state, said, step, status.done, status.total, points, known)


def _first_step(work: BaseWork) -> str:
    """Key of what happens before the process has said anything; only a hub is fetched from."""
    source = Path(work.source)
    if source.suffix.lower() == ".gguf" and source.is_absolute():
        return "cli.step_base_convert"
    return "bases.work_check_begins" if work.act == "check" or source.is_absolute() else "bases.work_add_begins"


@router.get("/bases")
def list_(visit: Admin) -> Response:
    """Those of the home, those of the table, a form for any other, and the work that goes on."""
    return _list(visit)


def _list(visit: Visit, problem: str = "", status: int = 200, source: str = "", name: str = "") -> Response:
    b = visit.b
    found = queries.list_bases(b.home, b.config, b.find_profile(), queries.shipped_profiles())
    return visit.page(
        "bases/list.html",
        status,
        here=[row(visit, one) for one in found if one.profile],
        offered=[row(visit, one) for one in found if not one.profile],
        chosen=b.config.training.profile != AUTO,
        tried=", ".join(one.name for one in known_bases().values() if one.tried),
        work=work_shown(visit),
        problem=problem,
        source=source,
        name=name,
    )


@router.get("/base-work")
def live(visit: Admin) -> Response:
    """The work as an HTML fragment."""
    return visit.page("bases/live.html", work=work_shown(visit))


@router.post("/bases/plan")
def plan(visit: Admin, form: Form) -> Response:
    """What adding would do; fetches no weights and changes nothing."""
    try:
        found, source = _planned(visit, form)
    except TerminalError as error:
        return _refused(visit, form, error)
    fields = labelled(visit, serializers.plan_fields(found, visit.language))
    return visit.page("bases/plan.html", plan=found, fields=fields, source=source)


@router.post("/bases")
def add(visit: Admin, form: Form) -> Response:
    """Start to add it, in a process of its own."""
    try:
        found, source = _planned(visit, form)
        base_work.start(visit.b.home, visit.site.environ, BaseWork("add", found.name, source, visit.now))
    except TerminalError as error:
        return _refused(visit, form, error)
    visit.noted("base_add", found.name)
    return visit.go("/bases", "base_start")


def _planned(visit: Visit, form: Form) -> tuple[AddPlan, str]:
    """The plan, and its source as another process finds it: a file by its whole path."""
    base_work.require_none(visit.b.home)
    given = form.get("source", "").strip()
    found = plan_add(visit.b, given, form.get("name", "").strip(), HuggingFaceHub())
    return found, given if found.source.kind == "hub" else found.source.model


def _refused(visit: Visit, form: Form, error: TerminalError) -> Response:
    words = visit.words_of(error)
    return _list(visit, words, problem_of(error), form.get("source", ""), form.get("name", ""))


@router.get("/bases/{name}")
def show(visit: Admin, name: str) -> Response:
    """Everything known of one base, its check included; a plan that is loaded again leads to the list."""
    if name == "plan" and name not in visit.b.config.profiles:
        return visit.go("/bases")
    return _show(visit, name)


def _show(visit: Visit, name: str, problem: str = "", status: int = 200) -> Response:
    b = visit.b
    found = _find(b, name)
    manifest, last, step = found.manifest, base_work.last_work(b.home), found.next_step
    return visit.page(
        "bases/base.html",
        status,
        found=found,
        fields=labelled(visit, serializers.fields(found, visit.language)),
        check=serializers.check(manifest.check, visit.language) if manifest else None,
        work=work_shown(visit, name),
        idle=last is None or last.state != "running",
        missing=visit.words_of(step) if step else "",
        problem=problem,
    )


def _find(b: Bonsai, name: str) -> KnownToHome:
    return queries.show_base(b.home, b.config, name, b.find_profile(), queries.shipped_profiles())


@router.get("/bases/{name}/use")
def ask_use(visit: Admin, name: str) -> Response:
    """What using it, or `auto`, would do, before it is done. Hashes its weights, about a second a GiB."""
    b = visit.b
    return _ask_use(visit, b, plan_use(b, name))


def _ask_use(visit: Visit, b: Bonsai, found: UsePlan, problem: str = "", status: int = 200) -> Response:
    return visit.page(
        "bases/use.html",
        status,
        plan=found,
        settings=b.places.settings_file,
        overruled=OVERRULING if OVERRULING in visit.site.environ else "",
        problem=problem,
    )


@router.post("/bases/{name}/use")
def use(visit: Admin, name: str, form: Form) -> Response:
    """Use it from the next night on; a champion that this rolls back must be ticked by its id."""
    b = visit.b
    found = plan_use(b, name)
    if found.champion and form.get("sure") != found.champion:
        return _ask_use(visit, b, found, visit.text("bases.not_sure"), 422)
    use_base(b, found, visit.now, visit.who)
    visit.noted("base_use", name)
    return visit.go(f"/bases/{quote(found.profile)}", "base_use")


@router.post("/bases/{name}/check")
def check(visit: Admin, name: str) -> Response:
    """Start to check it, in a process of its own."""
    profile = _find(visit.b, name).profile
    try:
        if profile is None:
            raise UsageError("bases.add_first", name=name)
        model_folder(profile.base)
        base_work.start(visit.b.home, visit.site.environ, BaseWork("check", name, "", visit.now))
    except TerminalError as error:
        return _show(visit, name, visit.words_of(error), 409)
    visit.noted("base_check", name)
    return visit.go(f"/bases/{quote(name)}", "base_start")


@router.post("/bases/{name}/remove")
def remove(visit: Admin, name: str) -> Response:
    """Remove what adding made in this home."""
    b = visit.b
    try:
        base_work.require_none(b.home)
        remove_base(b, name)
    except TerminalError as error:
        return _show(visit, name, visit.words_of(error), 409)
    visit.noted("base_remove", name)
    return visit.go("/bases", "base_remove")
