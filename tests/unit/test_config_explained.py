"""Where settings come from, and that each one says what it does in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bonsai.config.explain import HIDDEN, _comments, _japanese, _shown, explain_settings
from bonsai.config.layers import KINDS
from bonsai.errors import ConfigError, UsageError


def test_every_layer_is_named(tmp_path: Path) -> None:
    (tmp_path / "bonsai.toml").write_text('[gate]\nalpha = 0.01\n[cli]\nlanguage = "ja"\n', "utf-8")
    found = {one.name: one for one in explain_settings(tmp_path, {"BONSAI_CLI__LANGUAGE": "en"}, "en")}
    alpha, language = found["gate.alpha"], found["cli.language"]
    assert (alpha.value, alpha.default, alpha.origin) == (0.01, 0.05, str(tmp_path / "bonsai.toml"))
    assert (language.value, language.default, language.origin) == ("en", "auto", "BONSAI_CLI__LANGUAGE")
    assert found["gate.seed"].origin == ""
    assert found["gate.guard_floors.ended"].section == "gate.guard_floors"


def test_a_profile_of_the_owners_own_has_origins_but_no_defaults(tmp_path: Path) -> None:
    found = explain_settings(tmp_path, {}, "en", "profiles.seedling")
    told = {one.name.replace("seedling", "mine", 1): one for one in found}
    lines = [f"[profiles.mine.{part}]" for part in ("base", "recipe")]
    for part, line in zip(("base", "recipe"), lines, strict=True):
        values = [one for name, one in told.items() if name.startswith(f"profiles.mine.{part}.")]
        text = "\n".join(f"{one.name.rpartition('.')[2]} = {toml(one.value)}" for one in values)
        with (tmp_path / "bonsai.toml").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n{text}\n")
    (rank,) = explain_settings(tmp_path, {}, "ja", "profiles.mine.recipe.lora_rank")
    assert (rank.value, rank.default, rank.origin) == (32, None, str(tmp_path / "bonsai.toml"))
    assert rank.about.startswith("アダプターの行列の幅")


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace("'", '"')


def test_unusable_settings_and_unknown_names_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="list_limit"):
        explain_settings(tmp_path, {"BONSAI_CLI__LIST_LIMIT": "0"}, "en")
    with pytest.raises(UsageError, match=r"gaet.*gate"):
        explain_settings(tmp_path, {}, "en", "gaet")


def test_every_setting_says_what_it_does_in_both_languages(tmp_path: Path) -> None:
    english = explain_settings(tmp_path, {}, "en")
    assert len(english) > 150
    assert [one.name for one in english if not one.about] == []
    japanese = {one.name: one.about for one in explain_settings(tmp_path, {}, "ja")}
    assert [name for name, about in japanese.items() if not re.search(r"[ぁ-んァ-ヶ一-龠]", about)] == []
    known = {tuple(one.name.split(".")) for one in english}
    settings = [keys for keys in (*_japanese(), *_comments()) if keys[0] != KINDS]
    assert [keys for keys in settings if keys not in known] == []


@pytest.mark.parametrize("name", ["password", "api_token", "client_secret", "auth_string", "access_key"])
def test_a_secret_would_not_be_shown(name: str) -> None:
    assert _shown(("somewhere", name), "hush") == HIDDEN
    assert _shown(("profiles", "x", "max_tokens"), 5) == 5
