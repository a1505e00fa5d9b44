"""What training on a base would take, on this machine and on graphics cards: no weights are loaded or downloaded.

    found = find_facts(home, config, "phi-2")                        # sizes, from the table, a profile or a folder
    row = plan_on(Machine.card(8), found)                            # kind gpu-qlora, about 4.4 GiB

A machine gets the first kind of `[kinds.*]` (`defaults.toml`) that fits it, as `bonsai base add` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bonsai.config.settings import Config, ProfileSettings, profile_of_kind
from bonsai.context import Bonsai
from bonsai.errors import ConfigError, InputError
from bonsai.model.base_sources import HubDescription, find_source
from bonsai.model.bases import Device, ModelShape, find_device, model_folder
from bonsai.model.home_bases import BaseManifest
from bonsai.model.known_bases import known_bases
from bonsai.queries.bases import show_base
from bonsai.queries.nights import list_nights, night_detail
from bonsai.system.memory import total_memory
from bonsai.train.memory import MemoryNeed, training_memory
from storage.tables import adapters_table, snapshots_table

GIB = 2**30
LARGE_GPU_GIB = 24
"Free memory from which a base is trained in bfloat16; below it in NF4."
CARDS_GIB = (8, 12, 16, 24, 80)
"Sizes of usual graphics cards."
NIGHTS_SEARCHED = 20
"Newest nights among which one that trained on a base is looked for."


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a training would run."""

    device: Device
    memory: int
    "Bytes of main memory, or what is free on the first GPU."

    @classmethod
    def card(cls, gib: float) -> Machine:
        """A machine whose graphics card has so much free memory, in GiB."""
        return cls(Device("cuda", gib), int(gib * GIB))

    @classmethod
    def here(cls) -> Machine:
        """This machine; asks the GPU driver."""
        device = find_device()
        return cls(device, total_memory() if device.kind == "cpu" else int(device.free_gib * GIB))


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """A base as far as it is known without its weights."""

    name: str
    licence: str
    "Empty if unknown."
    languages: tuple[str, ...]
    parameters: int
    "0 if unknown."
    shape: ModelShape
    profile: ProfileSettings | None = None
    "Of a base that the home has already."
    manifest: BaseManifest | None = None
    "Of one that was added."
    source: str = ""
    "What `base add` is given; empty: the name."

    @property
    def known(self) -> bool:
        """Whether there is enough for an estimate."""
        return bool(self.parameters and self.shape.layers)


@dataclass(frozen=True, slots=True)
class KindPlan:
    """A base trained as one kind says."""

    kind: str
    "Of `[kinds.*]` in `defaults.toml`; for a profile that inherits none, the profile's name."
    profile: ProfileSettings
    decided: Mapping[str, int | str]
    "Fields of the base that differ from the kind's."
    need: MemoryNeed


@dataclass(frozen=True, slots=True)
class MachinePlan:
    """The kind that a base gets on one machine."""

    machine: Machine
    plan: KindPlan
    "The smallest one where none fits."

    @property
    def lacks_gpu(self) -> bool:
        """It computes in bfloat16, and there is neither a GPU nor a CPU that can."""
        device, needed = self.machine.device, self.plan.profile.base.compute_dtype
        return device.kind == "cpu" and not device.bfloat16 and needed == "bfloat16"

    @property
    def fits(self) -> bool:
        """Perhaps only with each batch in halves."""
        return not self.lacks_gpu and self.plan.need.least <= self.machine.memory

    @property
    def in_halves(self) -> bool:
        """It fits, but only with each batch in halves."""
        return self.fits and self.plan.need.total > self.machine.memory

    @property
    def needed(self) -> int:
        """Bytes in all, in halves where it fits only so."""
        return self.plan.need.least if self.in_halves else self.plan.need.total

    @property
    def activations(self) -> int:
        """Bytes of a batch, or of half of it where it fits only so."""
        return self.needed - self.plan.need.total + self.plan.need.activations


def kinds_of(device: Device) -> tuple[str, ...]:
    """The kinds for a device, best first."""
    if device.kind == "cpu":
        return ("cpu-small",)
    return ("gpu-lora", "gpu-qlora") if device.free_gib >= LARGE_GPU_GIB else ("gpu-qlora",)


def plan_of_kind(kind: str, base: Mapping[str, str], parameters: int, shape: ModelShape, device: Device) -> KindPlan:
    """`base` has the name, model and revision. Raises ConfigError for an unknown kind."""
    decided = _decided(profile_of_kind(kind, base), shape.context, device)
    profile = profile_of_kind(kind, {**base, **decided})
    return KindPlan(
        kind, profile, decided, training_memory(parameters, shape, profile.base, profile.recipe, device.kind)
    )


def _decided(profile: ProfileSettings, context: int, device: Device) -> dict[str, int | str]:
    """A CPU that can computes in bfloat16; a base with a short context has shorter examples and answers."""
    base = profile.base
    precision = {"compute_dtype": "bfloat16"} if device.bfloat16 and base.compute_dtype == "float32" else {}
    if not context or context >= base.max_tokens:
        return {**precision}
    return {
        **precision,
        "max_tokens": context,
        "answer_tokens_en": min(base.answer_tokens_en, context // 4),
        "answer_tokens_ja": min(base.answer_tokens_ja, context // 2),
    }


def plan_on(machine: Machine, facts: BaseFacts) -> MachinePlan:
    """The best kind that fits."""
    base = {"name": facts.name, "model": facts.name, "revision": ""}
    kinds = kinds_of(machine.device)
    return best_of(machine, [plan_of_kind(kind, base, facts.parameters, facts.shape, machine.device) for kind in kinds])


def best_of(machine: Machine, plans: list[KindPlan]) -> MachinePlan:
    """The first of these that fits, or the last."""
    found = (MachinePlan(machine, plan) for plan in plans)
    return next((one for one in found if one.fits), MachinePlan(machine, plans[-1]))


def plan_here(machine: Machine, facts: BaseFacts) -> MachinePlan:
    """As a night would train it on this machine: a profile as it is set, anything else as `base add` would set it."""
    profile = facts.profile
    if profile is None:
        return plan_on(machine, facts)
    need = training_memory(facts.parameters, facts.shape, profile.base, profile.recipe, machine.device.kind)
    return MachinePlan(machine, KindPlan(profile.inherits or facts.name, profile, {}, need))


class _NoHub:
    """A plan asks nobody."""

    def describe(self, model: str, revision: str) -> HubDescription:
        raise InputError("bases.plan_needs_files", model=model)

    def download(self, model: str, commit: str) -> Path:
        raise InputError("bases.plan_needs_files", model=model)


def find_facts(home: Path, config: Config, given: str) -> BaseFacts:
    """By the name of a profile or of the table, a folder, or a GGUF file. Works without a home.

    Raises InputError for a hub id, and what `find_source` does for anything that is no base.
    """
    if given in config.profiles:
        return _of_profile(home, config, given)
    known = known_bases().get(given)
    if known:
        return BaseFacts(given, known.licence, known.languages, known.parameters, known.shape)
    found = find_source(given, _NoHub())
    return BaseFacts(found.name, found.licence, found.languages, found.parameters, found.shape, source=given)


def _of_profile(home: Path, config: Config, name: str) -> BaseFacts:
    """From its files; from the table while they are not on this disk."""
    profile = config.profiles[name]
    told = show_base(home, config, name, "", frozenset())
    try:
        found = find_source(str(model_folder(profile.base)), _NoHub())
        parameters, shape = found.parameters, found.shape
    except ConfigError:
        parameters, shape = told.parameters, told.known.shape if told.known else ModelShape()
    return BaseFacts(name, told.licence, told.languages, parameters, shape, profile, told.manifest)


@dataclass(frozen=True, slots=True)
class NightPlan:
    """How long the training of a night would take on this machine."""

    tokens: int
    "Trained, all passes and replay samples counted."
    most: bool
    "It is the night's whole budget: fewer records take less."
    tokens_per_second: float

    @property
    def seconds(self) -> float:
        """Of training alone."""
        return self.tokens / self.tokens_per_second


def plan_night(b: Bonsai, facts: BaseFacts, records: int) -> NightPlan | None:
    """A night on so many records (0: as many as its budget holds); None while no speed of this base was measured here.

    The length of a record is that of the home's newest snapshot; without one, the budget is what is known.
    """
    profile = facts.profile
    speed = profile and measured_speed(b, profile.base.name, facts.manifest)
    if profile is None or profile.night is None or not speed:
        return None
    budget, length = profile.night.token_budget, _tokens_a_row(b)
    rows = records * profile.recipe.epochs / (1 - b.config.training.anchor_share)
    tokens = int(rows * length) or budget
    return NightPlan(min(tokens, budget), tokens >= budget, speed)


def measured_speed(b: Bonsai, base: str, manifest: BaseManifest | None) -> float | None:
    """Tokens a second of training: of the newest night on this base, else of its check; None if neither told it."""
    for night in list_nights(b, NIGHTS_SEARCHED):
        if night.challenger and _base_of(b, night.challenger) == base:
            detail = night_detail(b, night.night)
            seconds = detail.seconds.get("train", 0.0)
            if detail.cost.tokens and seconds:
                return detail.cost.tokens / seconds
    findings = manifest.check.findings if manifest else ()
    told = (one.values.get("tokens_per_second") for one in findings if one.name == "training")
    return next((float(speed) for speed in told if speed), None)


def _base_of(b: Bonsai, adapter: str) -> str:
    with b.database.reading() as con:
        return adapters_table.get(con, adapter).base


def _tokens_a_row(b: Bonsai) -> float:
    """Of the newest snapshot; 0 without one."""
    with b.database.reading() as con:
        newest = snapshots_table.latest(con)
    file = Path(newest.folder) / "manifest.json" if newest else None
    if file is None or not file.is_file():
        return 0.0
    values = json.loads(file.read_text("utf-8"))
    return float(values["train_tokens"]) / max(int(values["train"]), 1)
