"""Every text exists in English and Japanese, with the same placeholders; every key in the code exists."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from bonsai.i18n import area_texts

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "bonsai" / "i18n"
AREAS = sorted(path.stem for path in (LOCALES / "en").glob("*.toml"))
KEY = re.compile(rf'"((?:{"|".join(AREAS)})\.[a-z0-9_]+)"')


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_both_languages_have_the_same_areas() -> None:
    assert len(AREAS) >= 15
    assert sorted(path.stem for path in (LOCALES / "ja").glob("*.toml")) == AREAS


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_say_the_same(area: str) -> None:
    english, japanese = area_texts(area, "en"), area_texts(area, "ja")
    assert english.keys() == japanese.keys()
    assert {name: placeholders(one) for name, one in english.items()} == {
        name: placeholders(one) for name, one in japanese.items()
    }


@pytest.mark.parametrize("area", AREAS)
def test_japanese_is_japanese(area: str) -> None:
    plain = {name for name, one in area_texts(area, "ja").items() if not re.search(r"[ぁ-んァ-ヶ一-龠]", one)}
    wordy = {name for name in plain if re.search(r"[A-Za-z]{4,} [a-z]{3,}", area_texts(area, "ja")[name])}
    assert not wordy


def test_every_key_in_the_code_has_a_text() -> None:
    used = {
        (key, path.name)
        for folder in ("bonsai", "storage", "flows", "research")
        for path in (ROOT / folder).rglob("*.py")
        for key in KEY.findall(path.read_text("utf-8"))
    }
    assert len(used) > 100
    missing = sorted((key, file) for key, file in used if key.split(".")[1] not in area_texts(key.split(".")[0], "en"))
    assert not [one for one in missing if not is_a_file(one[0])]


def is_a_file(name: str) -> bool:
    """`model.safetensors` is a file's name, `flows.reconcile` a module's."""
    suffixed = name.endswith((".json", ".jsonl", ".toml", ".py", ".parquet", ".safetensors", ".gguf", ".html"))
    return suffixed or (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()
