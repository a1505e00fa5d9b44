"""The real base that a person is offered while the seedling, a toy, is in use: by device, free memory and language.

    offer = base_offer(config, "seedling", "ja")         # Offer(base=sarashina2.2-0.5b, ...); None for another base

Decided from the table of known bases alone: no network is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from bonsai.config.settings import Config
from bonsai.i18n import TextLanguage
from bonsai.model.base_sources import short_count
from bonsai.model.bases import SEEDLING
from bonsai.model.known_bases import KnownBase, known_bases
from bonsai.queries.base_plans import BaseFacts, Machine, plan_on
from bonsai.system.memory import available_memory

ENGLISH_FAMILY = "smollm2"
"Offered first to who reads English: small, and the one that this project trained."


@dataclass(frozen=True, slots=True)
class Offer:
    """What a person with the seedling is told."""

    base: KnownBase | None
    "None: no base of the table fits this machine."

    def values(self, language: TextLanguage) -> dict[str, str]:
        """For the text `bases.offer`; empty without a base."""
        base = self.base
        if base is None:
            return {}
        parameters, languages = short_count(base.parameters), ", ".join(base.languages)
        named = {"name": base.name, "parameters": parameters, "licence": base.licence, "languages": languages}
        return {**named, "note": base.note(language)}

    @property
    def command(self) -> str:
        """Adds the base; empty without one."""
        return f"bonsai base add {self.base.name}" if self.base else ""


def base_offer(config: Config, profile: str, language: TextLanguage) -> Offer | None:
    """None unless the profile in use trains on the seedling."""
    if config.profiles[profile].base.model != SEEDLING:
        return None
    return Offer(choose_base(language, free_machine()))


@cache
def free_machine() -> Machine:
    """This machine with what is free at the first call of a process, so that a page does not change its mind."""
    here = Machine.here()
    return replace(here, memory=available_memory()) if here.device.kind == "cpu" else here


@cache
def choose_base(language: TextLanguage, machine: Machine) -> KnownBase | None:
    """The base for a reader of this language: on a CPU the smallest, on a GPU the largest that fits. Pure."""
    fitting = [one for one in known_bases().values() if _fits(one, machine)]
    sign = 1 if machine.device.kind == "cpu" else -1
    return min(fitting, key=lambda one: (_rank(one, language), sign * one.parameters), default=None)


def _fits(known: KnownBase, machine: Machine) -> bool:
    facts = BaseFacts(known.name, known.licence, known.languages, known.parameters, known.shape)
    return facts.known and plan_on(machine, facts).fits


def _rank(known: KnownBase, language: TextLanguage) -> int:
    """0 comes first: for Japanese a base made for it, then one that knows it; for English the family that was tried."""
    if language == "ja":
        return 0 if known.languages[0] == "ja" else 1 if "ja" in known.languages else 2
    return 0 if known.name.startswith(ENGLISH_FAMILY) else 1
