"""Settings: three layers, and every mistake named at once. `load_config` reads one small file, hence tmp_path."""

import pickle
from pathlib import Path

import pytest

from bonsai.config.settings import load_config
from bonsai.errors import ConfigError


def write(home: Path, text: str) -> Path:
    (home / "bonsai.toml").write_text(text, "utf-8")
    return home


def test_a_home_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    config = load_config(tmp_path, {})
    assert config.prefect.port == 4200
    assert config.cli.language == "auto"


def test_the_file_beats_the_default_and_the_environment_beats_the_file(tmp_path: Path) -> None:
    home = write(tmp_path, '[cli]\nlanguage = "ja"\nlist_limit = 7\n')
    config = load_config(home, {"BONSAI_CLI__LANGUAGE": "en", "BONSAI_HOME": str(home), "PATH": "/bin"})
    assert config.cli.language == "en"
    assert config.cli.list_limit == 7


def test_every_mistake_is_named_at_once_with_its_origin_and_the_nearest_key(tmp_path: Path) -> None:
    home = write(tmp_path, '[cli]\nlangage = "ja"\nlist_limit = 0\n\n[nigth]\nx = 1\n')
    with pytest.raises(ConfigError) as caught:
        load_config(home, {"BONSAI_PREFECT__PORT": "many"})
    line = str(caught.value)
    assert "\n" not in line
    assert f"cli.langage ({home / 'bonsai.toml'}) is not a setting; did you mean cli.language?" in line
    assert "nigth" in line
    assert "did you mean night?" in line
    assert "cli.list_limit = 0" in line
    assert "prefect.port = 'many' (BONSAI_PREFECT__PORT)" in line


def test_a_setting_of_an_earlier_version_is_passed_over(tmp_path: Path) -> None:
    home = write(tmp_path, "[benchmark]\nforced_answers = false\ncanaries = 9\n")
    assert load_config(home, {}).benchmark.canaries == 9


def test_a_key_that_resembles_nothing_is_answered_with_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"valid settings: language, list_limit"):
        load_config(tmp_path, {"BONSAI_CLI__ZZZ": "1"})


def test_a_profile_is_checked_to_its_last_key(tmp_path: Path) -> None:
    home = write(tmp_path, "[profiles.seedling]\nbaes = 1\n\n[profiles.seedling.recipe]\nlerning_rate = 1\n")
    with pytest.raises(ConfigError) as caught:
        load_config(home, {})
    assert "did you mean profiles.seedling.base?" in str(caught.value)
    assert "did you mean profiles.seedling.recipe.learning_rate?" in str(caught.value)


def test_mistakes_speak_japanese_and_survive_a_process_border(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {"BONSAI_CLI__LANGAGE": "ja"})
    again = pickle.loads(pickle.dumps(caught.value))
    assert "cli.language のことですか" in again.render("ja")
    assert again.exit_code == 2


@pytest.mark.parametrize("content", [b"[cli\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bonsai.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"bonsai\.toml is not a valid TOML file"):
        load_config(tmp_path, {})


def test_settings_cannot_be_changed_after_loading(tmp_path: Path) -> None:
    config = load_config(tmp_path, {})
    with pytest.raises(ValueError, match="frozen"):
        config.cli.list_limit = 3  # type: ignore[misc]
