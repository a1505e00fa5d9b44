"""The command line explains itself in both languages, quickly, and says no in one line."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bonsai.cli import main as cli
from bonsai.i18n import area_texts
from bonsai.night.steps import SEQUENCE

ROOT = Path(__file__).parents[2]
HEAVY = ("prefect", "torch", "transformers", "duckdb", "pandas", "pyarrow", "sklearn", "sacrebleu", "numpy", "pydantic")


def run(capsys: pytest.CaptureFixture[str], *argv: str, home: Path = Path("/nonexistent")) -> tuple[int, str, str]:
    code = cli.run(argv, {"BONSAI_HOME": str(home), "LANG": "C.UTF-8"})
    said = capsys.readouterr()
    return code, said.out, said.err


def test_every_command_has_help_in_both_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    commands = cli.commands()
    assert len(commands) >= 35
    for command in commands:
        pages = {}
        for language in ("en", "ja"):
            code, page, err = run(capsys, *command.split(), "--help", "--lang", language)
            assert (code, err) == (0, ""), command
            assert f"bonsai {command}" in page
            assert "cli." not in page, f"an untranslated key in the help of {command}"
            pages[language] = page
        assert pages["en"] != pages["ja"]


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    from string import Formatter

    def shape(language: str) -> dict[str, set[str | None]]:
        texts = area_texts("cli", "ja" if language == "ja" else "en")
        return {name: {part[1] for part in Formatter().parse(value)} - {None} for name, value in texts.items()}

    assert shape("en") == shape("ja")


def test_every_step_that_reports_has_a_name_for_people() -> None:
    sources = [path for folder in ("bonsai", "flows") for path in (ROOT / folder).rglob("*.py")]
    steps = {step for path in sources for step in re.findall(r'(?:Progress|told)\("(\w+)"', path.read_text("utf-8"))}
    steps |= {step.name for step in SEQUENCE}
    assert {"ingest", "train", "benchmark", "promote"} <= steps
    assert {f"step_{step}" for step in steps} <= set(area_texts("cli", "en"))


def test_the_language_comes_from_the_option_then_the_settings_then_the_locale(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "bonsai.toml").write_text('[cli]\nlanguage = "ja"\n', "utf-8")
    assert "使い方" in run(capsys, "--help", home=tmp_path)[1]
    assert "Usage" in run(capsys, "--lang=en", "--help", home=tmp_path)[1]
    code = cli.run(["--help"], {"BONSAI_HOME": "/nonexistent", "LC_ALL": "", "LANG": "ja_JP.UTF-8"})
    assert code == 0
    assert "使い方" in capsys.readouterr().out


def test_a_broken_settings_file_does_not_silence_the_help(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "bonsai.toml").write_text("[cli\n", "utf-8")
    assert run(capsys, "--help", home=tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("recods", "list"), "there is no command recods; valid: records"),
        (("records", "imprt"), "there is no command imprt; valid: import"),
        (("records", "list", "--bla"), "there is no option --bla"),
        (("records", "show"), "ID is missing"),
        (("records", "list", "--limit", "many"), "--limit: 'many' is not valid; valid values: 0 or more"),
        (("gate", "calibrate", "--seeds", "2"), "--seeds: '2' is not valid; valid values: 3 to 16"),
        (("dashboard", "--port", "http"), "--port: 'http' is not valid; valid values: a number"),
        (("records", "list", "--lang", "fr"), "--lang fr: valid values are en and ja"),
        (("records", "edit", "abc"), "no changes were given"),
    ],
)
def test_a_wrong_command_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], said: str
) -> None:
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_wrong_command_is_named_in_japanese(capsys: pytest.CaptureFixture[str]) -> None:
    assert "recods というコマンドはありません" in run(capsys, "recods", "--lang", "ja")[2]
    assert (
        "--limit: '-1' は使用できません。使用できる値：0 以上"
        in run(capsys, "records", "list", "--limit=-1", "--lang=ja")[2]
    )


def test_what_stands_behind_two_dashes_is_no_option() -> None:
    taken = cli.take_language(["ask", "--lang", "ja", "--", "--lang", "en"])
    assert taken.rest == ("ask", "--", "--lang", "en")
    assert taken.language == "ja"


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from bonsai.cli.main import run; run(['--help'], {});"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    assert "bonsai COMMAND" in done.stdout


@pytest.fixture
def unread_pipe() -> Iterator[int]:
    import os

    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_a_pipe_that_closes_early_is_no_error(unread_pipe: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bonsai.cli.main", "--help"],
        cwd=ROOT,
        stdout=unread_pipe,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode in (1, cli.BROKEN_PIPE)  # rich ends its own writes with 1
