"""Every setting, once: `defaults.toml` < `$BONSAI_HOME/bonsai.toml` < environment (`BONSAI_GATE__MODE=review`).

Parsed at the edge and passed on as plain values; unknown keys are errors, all reported at once.
A default stands in `defaults.toml` alone, with its unit and meaning; the models here only say what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bonsai.config.layers import SettingsError, inherit, kinds, read_layers
from bonsai.domain.records import Limits
from bonsai.evaluate.run import RunSettings
from bonsai.gate.decision import Policy
from bonsai.ingest.dedup.index import NearDuplicateSettings
from bonsai.model.bases import Base
from bonsai.train.continual import NightBudget
from bonsai.train.plan import Recipe

Seconds = Annotated[float, Field(gt=0)]
Memory = Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s*[KMGT]i?B$")]


class Section(BaseModel):
    """Base of all sections: frozen, and an unknown key is an error.

    A section that is passed whole to a module is that module's own dataclass, with bounds on its fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def load_config(home: Path, environ: Mapping[str, str]) -> Config:
    """The settings of `home`, checked as a whole.

    Raises ConfigError for a file that is not TOML, or one with every unknown key and invalid value.
    """
    layers = read_layers(home, environ)
    try:
        return Config.model_validate(layers.values)
    except ValidationError as error:
        raise SettingsError.from_validation(error, layers, valid_names) from None


def profile_of_kind(kind: str, base: Mapping[str, object]) -> ProfileSettings:
    """A profile that has only these fields of its base for itself. Raises ConfigError for an unknown kind."""
    name = str(base["name"])
    return ProfileSettings.model_validate(inherit(name, {"inherits": kind, "base": base}, kinds()))


def valid_names(parents: tuple[str, ...]) -> tuple[str, ...]:
    """The keys allowed under `parents`; `()` for the names of the sections. Empty: any name is allowed."""
    kind: object = Config
    for parent in parents:
        kind = get_args(kind)[1] if get_origin(kind) is dict else _parts(kind).get(parent)
    return tuple(_parts(kind))


def _parts(kind: object) -> dict[str, object]:
    """The fields of a section, or of a plain dataclass inside one, with their types."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return dict(get_type_hints(kind)) if isinstance(kind, type) and is_dataclass(kind) else {}


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How the home's database is opened."""

    lock_wait_seconds: Seconds
    "How long to wait for other processes before LockTimeout."
    memory_limit: Memory
    "DuckDB's own, e.g. `500MB`."
    threads: Annotated[int, Field(ge=1)]


class NightSettings(Section):
    """When a night trains."""

    minimum_new_records: int = Field(ge=1)


class PrefectSettings(Section):
    """The embedded server and its workers."""

    port: int = Field(ge=0, le=65535)
    server_startup_seconds: int = Field(ge=5)
    training_wait_seconds: int = Field(ge=60)
    worker_poll_seconds: float = Field(gt=0)
    stop_seconds: float = Field(gt=0)


class CliSettings(Section):
    """The terminal."""

    language: Literal["auto", "en", "ja"]
    list_limit: int = Field(ge=1)


class DashboardSettings(Section):
    """The pages."""

    port: int = Field(ge=1, le=65535)
    memory_limit: Memory
    threads: int = Field(ge=1)
    lock_wait_seconds: Seconds
    page_size: int = Field(ge=5, le=200)
    session_hours: float = Field(gt=0)
    login_attempts: int = Field(ge=1)
    ask_idle_seconds: float = Field(gt=0)
    ask_timeout_seconds: float = Field(gt=0)
    ask_queue: int = Field(ge=1)
    ask_history: int = Field(ge=1)
    upload_megabytes: int = Field(ge=1)
    upload_hours: float = Field(gt=0)


class ApiSettings(Section):
    """Programs that speak for a person."""

    requests_per_minute: int = Field(ge=1)
    burst: int = Field(ge=1)
    address_burst: int = Field(ge=1)
    items: int = Field(ge=1, le=100_000)


@dataclass(frozen=True, slots=True)
class GateSettings(Policy):
    """Who decides on promotions, and the policy of the gate."""

    mode: Literal["auto", "review"]
    twins: int = Field(ge=0)

    @property
    def policy(self) -> Policy:
        """The policy alone."""
        return Policy(**{field.name: getattr(self, field.name) for field in fields(Policy)})


class TrainingSettings(Section):
    """Settings of every night's training; the recipe is in its profile."""

    profile: str
    seed: int = Field(ge=0)
    threads: int = Field(ge=0)
    processes: int = Field(ge=1)
    nice: int = Field(ge=0, le=19)
    anchor_share: float = Field(ge=0, lt=1)
    validation_share: float = Field(ge=0, lt=0.5)
    cold_after_days: int = Field(ge=1)
    lineage_depth: int = Field(ge=0)


class ProfileSettings(Section):
    """A base and how an adapter is trained on it."""

    inherits: str = ""
    "Kind whose values hold wherever the profile sets none of its own; they are merged in before this is read."
    base: Base
    recipe: Recipe
    night: NightBudget | None = None
    "None: every night starts cold and trains on everything."


class TagSettings(Section):
    """How sure a learned category has to be, and what the tagger learns from."""

    category_threshold: float = Field(ge=0, le=1)
    most_examples: int = Field(ge=50)
    batch: int = Field(ge=1)


class Config(Section):
    """All settings of one home."""

    storage: DatabaseSettings
    records: Limits
    duplicates: NearDuplicateSettings
    tags: TagSettings
    night: NightSettings
    prefect: PrefectSettings
    cli: CliSettings
    dashboard: DashboardSettings
    api: ApiSettings
    benchmark: RunSettings
    gate: GateSettings
    training: TrainingSettings
    profiles: dict[str, ProfileSettings]
