"""Which real base a person with the seedling is offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonsai.config.settings import load_config
from bonsai.i18n import TEXT_LANGUAGES, TextLanguage
from bonsai.model.bases import Device
from bonsai.model.known_bases import PERMISSIVE, known_bases
from bonsai.queries import base_offers
from bonsai.queries.base_offers import Offer, base_offer, choose_base
from bonsai.queries.base_plans import GIB, Machine

CONFIG = load_config(Path("/nonexistent"), {})


def cpu(gib: float) -> Machine:
    return Machine(Device("cpu", 0.0), int(gib * GIB))


@pytest.mark.parametrize(
    ("language", "machine", "offered"),
    [
        ("en", cpu(4), "smollm2-135m"),
        ("en", cpu(16), "smollm2-135m"),
        ("en", cpu(64), "smollm2-135m"),
        ("ja", cpu(16), "sarashina2.2-0.5b"),
        ("ja", cpu(64), "sarashina2.2-0.5b"),
        ("ja", cpu(7), "sarashina2.2-0.5b"),
        ("ja", cpu(6), "qwen3-0.6b"),
        ("ja", cpu(4), "smollm2-135m"),
        ("en", cpu(2), None),
        ("ja", cpu(2), None),
        ("en", Machine.card(4), "smollm2-1.7b"),
        ("ja", Machine.card(4), "llm-jp-3.1-1.8b"),
        ("ja", Machine.card(3), "sarashina2.2-0.5b"),
        ("en", Machine.card(1), None),
    ],
)
def test_the_offer_follows_device_free_memory_and_language(
    language: TextLanguage, machine: Machine, offered: str | None
) -> None:
    found = choose_base(language, machine)
    assert (found.name if found else None) == offered


@pytest.mark.parametrize("language", TEXT_LANGUAGES)
@pytest.mark.parametrize("gib", [3, 4, 6, 8, 12, 16, 24, 32, 48, 80])
def test_what_is_offered_is_permissive_and_knows_its_reader_if_anything_does(language: TextLanguage, gib: int) -> None:
    for machine in (cpu(gib), Machine.card(gib)):
        found = choose_base(language, machine)
        if found is None:
            continue
        assert found.licence in PERMISSIVE
        assert found == known_bases()[found.name]
        speakers = [one for one in known_bases().values() if base_offers._fits(one, machine)]
        assert language in found.languages or not any(language in one.languages for one in speakers)


def test_only_the_seedling_is_a_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_offers, "free_machine", lambda: cpu(16))
    offer = base_offer(CONFIG, "seedling", "ja")
    assert offer is not None
    assert offer.command == "bonsai base add sarashina2.2-0.5b"
    for profile in ("phi2-qlora", "phi2-lora", "seed-script"):
        assert base_offer(CONFIG, profile, "ja") is None


def test_without_a_fitting_base_there_is_no_command() -> None:
    assert (Offer(None).command, Offer(None).values("en")) == ("", {})
