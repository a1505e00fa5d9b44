"""The bases that a home can use: those that ship, those that it added, and those of the table that can be added."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bonsai.config.layers import default_values
from bonsai.config.settings import Config, ProfileSettings
from bonsai.errors import BonsaiError, ConfigError, UnknownId
from bonsai.model.bases import SEEDLING, model_folder, weights_hash
from bonsai.model.encoding import load_encoder
from bonsai.model.home_bases import BaseCheck, BaseManifest, folder_of, read_base
from bonsai.model.known_bases import KnownBase, known_bases
from bonsai.model.native import template_of
from bonsai.model.seedling import card

Origin = Literal["shipped", "added", "settings", "table"]
"""Where a base is defined: in `defaults.toml`, by `bonsai base add`, in `bonsai.toml`, or not yet."""
BaseState = Literal["shipped", "added", "settings", "table", "missing", "failed"]
"""Its origin, unless a night could not train on it: files that are not here, or a failed check."""


@dataclass(frozen=True, slots=True)
class KnownToHome:
    """One base, as far as it is known without loading it."""

    name: str
    origin: Origin
    in_use: bool
    "The next night trains on it."
    model: str
    revision: str
    licence: str
    "Empty if unknown."
    languages: tuple[str, ...]
    parameters: int
    "0 if unknown."
    on_disk: bool
    profile: ProfileSettings | None
    "None for one of the table that was not added."
    manifest: BaseManifest | None
    "Of an added one."
    known: KnownBase | None
    "Its entry in the table."

    @property
    def state(self) -> BaseState:
        """Where it is defined, and whether a night could train on it; the text is `bases.state_<state>`."""
        if self.profile is None:
            return "table"
        if not self.on_disk:
            return "missing"
        return "failed" if self.manifest and not self.manifest.check.passed else self.origin

    @property
    def next_step(self) -> ConfigError | None:
        """How its weights get here, for one of this home whose weights are not."""
        return why_missing(self.name, self.profile) if self.profile else None

    @property
    def no_check(self) -> str:
        """Key of the text that says why there is no result of a check."""
        return "bases.check_shipped" if (self.origin, self.model) == ("shipped", SEEDLING) else "bases.check_not_kept"


def shipped_profiles() -> frozenset[str]:
    """Names of the profiles that come with Bonsai."""
    return frozenset(default_values()["profiles"])


def list_bases(home: Path, config: Config, in_use: str, shipped: frozenset[str]) -> tuple[KnownToHome, ...]:
    """All profiles, then what the table offers beside them. `in_use` is a profile's name."""
    profiles = [_of_profile(home, name, one, in_use, shipped) for name, one in config.profiles.items()]
    added = {(one.model, one.manifest.source) for one in profiles if one.manifest}
    models = {model for pair in added for model in pair}
    return (*profiles, *(_of_table(one) for one in known_bases().values() if one.model not in models))


def show_base(home: Path, config: Config, name: str, in_use: str, shipped: frozenset[str]) -> KnownToHome:
    """One of them. Raises UnknownId for an unknown name."""
    for one in list_bases(home, config, in_use, shipped):
        if one.name == name:
            return one
    known = sorted({*config.profiles, *known_bases()})
    raise UnknownId("bases.unknown", name=name, known=", ".join(known))


def _of_profile(home: Path, name: str, profile: ProfileSettings, in_use: str, shipped: frozenset[str]) -> KnownToHome:
    base, manifest = profile.base, read_base(folder_of(home, name))
    known = next((one for one in known_bases().values() if base.model == one.model), None)
    licence = ""
    languages: tuple[str, ...] = ()
    parameters = 0
    if manifest:
        licence, languages, parameters = manifest.licence, manifest.languages, manifest.parameters
    elif base.model == SEEDLING:
        licence, languages, parameters = "mit", ("en", "ja"), int(card.read()["parameters"])
    elif known:
        licence, languages, parameters = known.licence, known.languages, known.parameters
    origin: Origin = "added" if manifest else "shipped" if name in shipped else "settings"
    return KnownToHome(
        name, origin, name == in_use, base.model, base.revision, licence, languages, parameters,
        why_missing(name, profile) is None, profile, manifest, known,
    )  # fmt: skip


def _of_table(one: KnownBase) -> KnownToHome:
    return KnownToHome(
        one.name, "table", False, one.model, "", one.licence, one.languages, one.parameters, False, None, None, one
    )


def why_missing(name: str, profile: ProfileSettings) -> ConfigError | None:
    """What is missing of a profile's weights, and how they get here; None if they are here."""
    try:
        model_folder(profile.base)
    except ConfigError as error:
        command = error.values.get("command")
        return ConfigError("bases.weights_missing", name=name, command=command) if command else error
    return None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a base can be trained on tonight, as far as that is known without loading it."""

    ok: bool | None
    "None: nothing is wrong, but it was never checked."
    key: str
    values: dict[str, str]


def readiness(home: Path, name: str, profile: ProfileSettings) -> Readiness:
    """Of the base in use. Hashes its weights, about a second a GiB; loads no torch."""
    try:
        folder = model_folder(profile.base)
        load_encoder(folder)
        template_of(folder, profile.recipe.template)
        manifest = read_base(folder_of(home, name))
        check = manifest.check if manifest else None
    except BonsaiError as error:
        return Readiness(False, error.key, {key: str(value) for key, value in error.values.items()})
    if profile.base.model == SEEDLING:
        return Readiness(True, "bases.ready_shipped", {"name": name})
    return _checked(name, check, folder)


def _checked(name: str, check: BaseCheck | None, folder: Path) -> Readiness:
    if check is None:
        return Readiness(None, "bases.never_checked", {"name": name})
    if check.weights_hash != weights_hash(folder):
        return Readiness(False, "bases.changed_since", {"name": name})
    if not check.passed:
        return Readiness(False, "bases.check_failed", {"name": name})
    return Readiness(True, "bases.ready_checked", {"name": name, "date": check.checked_at[:10]})
