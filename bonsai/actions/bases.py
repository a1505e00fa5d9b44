"""Bases of a home: add one, check it, use it for the nights to come, remove it.

    plan = plan_add(b, "~/models/qwen3", "", HuggingFaceHub())      # changes nothing
    made = add_base(b, plan, now, hub, checker)                     # complete only if the check passed

A base's folder is complete once its manifest, written last, exists. What an interrupted call leaves is no base: nothing
lists it, and the next call with its name begins anew (a download goes on in the hub's own cache).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from bonsai.config.edit import with_setting
from bonsai.config.settings import ProfileSettings
from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE, State
from bonsai.errors import HomeError, InputError, IntegrityError, LockTimeout, UnknownId, UsageError
from bonsai.model.base_sources import BaseSource, Hub, find_source, plain_name, short_count
from bonsai.model.bases import Device, choose_profile, find_device, model_folder, weights_hash
from bonsai.model.home_bases import (
    BASES,
    CHECK_FOLDER,
    LOG_FILE,
    MANIFEST_FILE,
    PROFILE_FILE,
    WEIGHTS,
    BaseCheck,
    BaseManifest,
    folder_of,
    profile_text,
    read_base,
    write_base,
)
from bonsai.model.known_bases import known_bases
from bonsai.night.device_lock import alone_on_device
from bonsai.queries.base_plans import Machine, best_of, kinds_of, plan_of_kind
from bonsai.queries.bases import why_missing
from bonsai.system.files import write_atomic
from bonsai.system.locks import file_lock
from bonsai.system.progress import Progress, Report, silent
from bonsai.train.adapters import unfit
from bonsai.train.base_check import BaseChecker, BaseCheckJob, OnProgress
from bonsai.train.memory import MemoryNeed
from storage.tables import adapters_table, promotions_table

AUTO = "auto"
"As the profile of `use`: chosen by device and memory, as in a new home."
KEPT = (State.CHAMPION, State.WAITING, State.REPLACED, State.ROLLED_BACK)
"States of adapters that answer or may be chosen to: their base stays."


@dataclass(frozen=True, slots=True)
class AddPlan:
    """What `add_base` will do."""

    name: str
    source: BaseSource
    kind: str
    "Of `[kinds.*]` in `defaults.toml`."
    profile: ProfileSettings
    decided: Mapping[str, int | str]
    "Fields of the base that differ from the kind's."
    need: MemoryNeed
    memory: int
    "Bytes of this machine: main memory, or what is free on its GPU."
    device: Device


def plan_add(b: Bonsai, given: str, name: str, hub: Hub) -> AddPlan:
    """Look at the source and at this machine. Changes nothing.

    Raises what `find_source` does, UsageError for a base that is here already and for a name that is taken or none, and
    InputError for a base that this machine has too little memory to train.
    """
    try:
        source = find_source(given, hub)
    except UsageError:
        _refuse_known(b, given)
        raise
    name = _free_name(b, name or source.name, source)
    machine = Machine.here()
    model = f"{BASES}/{name}/{WEIGHTS}" if source.kind == "gguf" else source.model
    base = {"name": name, "model": model, "revision": source.revision}
    kinds = kinds_of(machine.device)
    best = best_of(
        machine, [plan_of_kind(kind, base, source.parameters, source.shape, machine.device) for kind in kinds]
    )
    plan = best.plan
    if not best.fits:
        needed, has = (f"{size / 2**30:.1f}" for size in (plan.need.least, machine.memory))
        parameters = short_count(source.parameters)
        raise InputError("bases.too_large", name=name, parameters=parameters, kind=plan.kind, needed=needed, memory=has)
    return AddPlan(name, source, plan.kind, plan.profile, plan.decided, plan.need, machine.memory, machine.device)


def _refuse_known(b: Bonsai, given: str) -> None:
    """Raises UsageError for the name of a base of this home, which is no source."""
    if given in b.config.profiles:
        raise why_missing(given, b.config.profiles[given]) or UsageError("bases.here_already", name=given)


def _free_name(b: Bonsai, name: str, source: BaseSource) -> str:
    if name != plain_name(name) or name == AUTO:
        raise UsageError("bases.bad_name", name=name, valid=_suggested(b, name, source))
    if name in b.config.profiles:
        raise UsageError("bases.taken", name=name)
    if _is_of_table(name, source):
        raise UsageError("bases.name_of_table", name=name, valid=_suggested(b, name, source))
    return name


def _is_of_table(name: str, source: BaseSource) -> bool:
    """Whether the table means another base by this name."""
    known = known_bases().get(name)
    return known is not None and known.model != source.model


def _suggested(b: Bonsai, name: str, source: BaseSource) -> str:
    """A name that can be given: like `name` or else like the source."""
    wanted = plain_name(name) if re.search("[a-z0-9]", name.lower()) and name != AUTO else source.name
    taken = {AUTO, *b.config.profiles}
    tries = chain([wanted], (f"{wanted}-{number}" for number in count(2)))
    return next(one for one in tries if one not in taken and not _is_of_table(one, source))


def add_base(
    b: Bonsai, plan: AddPlan, now: datetime, hub: Hub, checker: BaseChecker, tell: Report = silent
) -> BaseManifest:
    """Fetch or convert the weights, check them, and make the base one of the home's profiles.

    The manifest is written, and the folder stays, only if the check passed. Raises HomeError for a home that cannot be
    written, LockTimeout while another process adds a base, and what download, conversion and check raise.
    """
    folder = folder_of(b.home, plan.name)
    with _alone(b.home), _begun(folder):
        base = plan.profile.base
        if plan.source.kind == "hub":
            hub.download(base.model, base.revision)
        if plan.source.kind == "gguf":
            base = replace(base, model=str(folder / WEIGHTS))
            told = _telling(tell, "base_convert")
            told(0, 1)
            checker.convert(plan.source, folder / WEIGHTS, folder / LOG_FILE, told)
        model_folder(base)  # raises for missing files
        written = plan.profile.base
        write_atomic(
            folder / PROFILE_FILE, profile_text(plan.name, plan.kind, written.model, written.revision, plan.decided)
        )
        profile = plan.profile.model_copy(update={"base": base})
        check = _checked(b, plan.name, profile, plan.device, now, checker, tell)
        source = plan.source
        manifest = BaseManifest(
            name=plan.name, kind=plan.kind, source=source.model, revision=source.revision, licence=source.licence,
            languages=source.languages, parameters=source.parameters, added_at=now.isoformat(), check=check,
        )  # fmt: skip
        if check.passed:
            write_base(folder, manifest)
        else:
            shutil.rmtree(folder)
    return manifest


def check_base(b: Bonsai, name: str, now: datetime, checker: BaseChecker, tell: Report = silent) -> BaseCheck:
    """Check any profile's base again; the result of an added one is kept in its manifest.

    Raises UnknownId for an unknown name, ConfigError when the base is not on this machine, LockTimeout while another
    process adds, checks or removes one.
    """
    profile, folder = _profile(b, name), folder_of(b.home, name)
    model_folder(profile.base)
    with _alone(b.home):
        known = read_base(folder)
        made = _checked(b, name, profile, find_device(), now, checker, tell)
        if known:
            write_base(folder, replace(known, check=made))
    return made


def _checked(
    b: Bonsai, name: str, profile: ProfileSettings, device: Device, now: datetime, checker: BaseChecker, tell: Report
) -> BaseCheck:
    known = folder_of(b.home, name)
    log = known / LOG_FILE if known.is_dir() else b.places.logs / "base-check.txt"
    told = _telling(tell, "base_check")
    folder = b.home / BASES / CHECK_FOLDER
    job = BaseCheckJob(
        profile=name, base=profile.base, recipe=profile.recipe, device=device.kind,
        threads=b.config.training.threads, folder=str(folder), log=str(log), created_at=now.isoformat(),
    )  # fmt: skip
    with alone_on_device(b.home, device.kind, 1, lambda: told(0, 1)):
        shutil.rmtree(folder, ignore_errors=True)  # of a killed check
        folder.mkdir(parents=True, mode=0o700)
        try:
            findings = checker.check(job, told)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return BaseCheck(weights_hash(model_folder(profile.base)), device.kind, now.isoformat(), findings)


@dataclass(frozen=True, slots=True)
class UsePlan:
    """What `use_base` will do."""

    name: str
    "Of the profile, or `auto`."
    profile: str
    "What that is on this machine."
    champion: str
    "Champion that was trained on another base, which will be rolled back; empty if there is none."
    champion_base: str
    keeps_champion: bool
    "The champion was trained on this base and goes on answering."


def plan_use(b: Bonsai, name: str) -> UsePlan:
    """Changes nothing. Raises UnknownId for an unknown name, ConfigError when the base is not on this machine."""
    profile = choose_profile(AUTO, tuple(b.config.profiles), find_device()) if name == AUTO else name
    settings = _profile(b, profile)
    model_folder(settings.base)
    with b.database.reading() as con:
        champion = promotions_table.champion(con).adapter
        adapter = adapters_table.get(con, champion) if champion != BASE else None
    if adapter is None or unfit(adapter.manifest, settings.base, settings.recipe) != "other_base":
        return UsePlan(name, profile, "", "", keeps_champion=adapter is not None)
    return UsePlan(name, profile, adapter.id, adapter.base, keeps_champion=False)


def use_base(b: Bonsai, plan: UsePlan, now: datetime, by: str) -> None:
    """Roll the champion back to the bare base if it belongs to another one, then set `training.profile`.

    Safe to repeat and to interrupt. An adapter answers, and is compared, on its own base alone. Rolled back it stays,
    and can be approved again once its base is in use.
    """
    settings = b.places.settings_file
    made = with_setting(settings.read_text("utf-8") if settings.is_file() else "", "training", "profile", plan.name)
    if plan.champion:
        with b.database.writing() as con:
            while promotions_table.champion(con).adapter != BASE:
                promotions_table.roll_back(con, by, f"bonsai base use {plan.name}", now)
    write_atomic(settings, made)


def remove_base(b: Bonsai, name: str) -> BaseManifest | None:
    """Remove a base's folder in this home, whole or half-made; a person's own folder and the hub's cache stay.

    Returns its manifest, if it was complete and whole. Raises UsageError when it is in use, none of this home's own, or
    needed by an adapter that answers or may be chosen to, LockTimeout while another process adds or checks one.
    """
    folder = folder_of(b.home, name)
    if name != plain_name(name) or not folder.is_dir():  # no path leads out of the home's bases
        raise UsageError("bases.not_added", name=name, known=", ".join(sorted(b.config.profiles)))
    if b.find_profile() == name:
        raise UsageError("bases.in_use", name=name)
    with b.database.reading() as con:
        adapters = [one.id for one in adapters_table.list_adapters(con) if one.base == name]
        states = promotions_table.states_of(con, adapters)
    needed = [one for one in adapters if states.get(one) in KEPT]
    if needed:
        raise UsageError("bases.needed", name=name, adapters=", ".join(one[:10] for one in needed))
    with _alone(b.home):
        try:
            manifest = read_base(folder)
        except IntegrityError:  # damaged, and now it goes
            manifest = None
        (folder / MANIFEST_FILE).unlink(missing_ok=True)  # first: from here on it is no base
        shutil.rmtree(folder)
    return manifest


def _profile(b: Bonsai, name: str) -> ProfileSettings:
    if name not in b.config.profiles and name in known_bases():
        raise UnknownId("bases.add_first", name=name)
    if name not in b.config.profiles:
        raise UnknownId("bases.unknown", name=name, known=", ".join(sorted(b.config.profiles)))
    return b.config.profiles[name]


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process at a time adds, checks or removes bases of a home. Raises LockTimeout, HomeError."""
    folder = home / BASES
    with ExitStack() as stack:
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
            stack.enter_context(file_lock(folder / ".lock", exclusive=True, wait_seconds=0))
        except LockTimeout:
            raise LockTimeout("bases.busy") from None
        except OSError as error:
            raise HomeError("bases.unwritable", folder=folder, reason=error.strerror) from None
        yield


@contextmanager
def _begun(folder: Path) -> Iterator[None]:
    """An empty folder; what a killed call left goes. A person who stops the call finds their disk as it was; what an
    error leaves stays, as its log is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        raise


def _telling(tell: Report, step: str) -> OnProgress:
    return lambda done, total: tell(Progress(step, done, total))
