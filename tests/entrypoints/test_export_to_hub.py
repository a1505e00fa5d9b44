"""`bonsai adapters export --as hub`: what reaches a hub, what does not, and the sentence for whatever goes wrong."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_hub import READER, TOKEN, FakeHub, Repository, fake_hub
from hand_exporter import HandExporter
from hand_nights import open_stage

from bonsai.cli import main as cli
from bonsai.errors import IntegrityError
from bonsai.evaluate import export as evaluated

FILES = {
    "adapter_model.safetensors": bytes(range(256)) * 5000,
    "tokenizer.json": '{"猫": 1}\r\n'.encode(),
    "empty": b"",
}
REFUSED = IntegrityError("export.answers_differ", equal=3, questions=200, before=50, after=2)
Exports = Callable[..., int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = open_stage(tmp_path_factory.mktemp("night") / "home")
    stage.tell(3)
    stage.night()
    return stage.b.home


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that huggingface_hub takes for its own, with a token for it."""
    with fake_hub() as made:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", made.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere")
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield made


@pytest.fixture
def exports(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exports:
    """Runs the command with the folder `tmp_path / "mika"`; its exit code."""

    def run(*argv: str, error: Exception | None = None) -> int:
        monkeypatch.setattr(evaluated, "ProcessExporter", lambda _nice: HandExporter(error, **FILES))
        environ = {"BONSAI_HOME": str(home), "LANG": "C.UTF-8", "PATH": ""}
        return cli.run(["adapters", "export", str(tmp_path / "mika"), "--as", "hub", *argv], environ)

    return run


def files_in(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("public", [False, True])
def test_all_files_arrive_in_one_commit(
    hub: FakeHub, exports: Exports, tmp_path: Path, capsys: pytest.CaptureFixture[str], public: bool
) -> None:
    assert exports("--repo", "mika/cats", "--yes", *(["--public"] if public else [])) == 0
    repo = hub.repos["mika/cats"]
    assert repo.files == files_in(tmp_path / "mika")
    assert set(repo.files) == {*FILES, "README.md"}
    assert (repo.private, len(repo.commits)) == (not public, 1)
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == f"Uploaded: {hub.url}/mika/cats"
    assert ("PUBLIC" in told.err) == public
    for said in ("adapter_model.safetensors", "1280000", "4 files", hub.url, "word for word"):
        assert said in told.err, said


def test_an_update_is_said_and_keeps_other_files(
    hub: FakeHub, exports: Exports, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos["mika/cats"] = Repository(True, {"notes.md": b"mine", "tokenizer.json": b"old"}, ["by hand"])
    assert exports("--repo", "mika/cats", "--yes", "--json") == 0
    told = capsys.readouterr()
    assert "It exists already" in told.err
    found = json.loads(told.out)
    assert (found["url"], found["certificate"]["equal"]) == (f"{hub.url}/mika/cats", 0.995)
    repo = hub.repos["mika/cats"]
    assert repo.files == {**files_in(tmp_path / "mika"), "notes.md": b"mine"}
    assert (repo.commits[:-1], repo.commits[-1][:15]) == (["by hand"], "Bonsai adapter ")


@pytest.mark.parametrize(("answer", "code", "arrived"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
def test_it_asks_first(
    hub: FakeHub,
    exports: Exports,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    arrived: int,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert exports("--repo", "mika/cats") == code
    assert len(hub.repos) == arrived
    assert set(files_in(tmp_path / "mika")) == {*FILES, "README.md"}
    if not arrived:
        assert hub.asked == ["GET /api/models/mika/cats"]


def test_what_fails_the_certificate_is_not_uploaded(hub: FakeHub, exports: Exports, tmp_path: Path) -> None:
    assert exports("--repo", "mika/cats", "--yes", error=REFUSED) == 1
    assert hub.asked == ["GET /api/models/mika/cats"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("repo", "options", "code", "said"),
    [
        ("", (), 2, "--repo"),
        ("cats", (), 2, "'cats'"),
        ("mika/cats/mike", (), 2, "'mika/cats/mike'"),
        ("mika/..", (), 2, "'mika/..'"),
        ("mika/public", (), 2, "--public"),
        ("mika/private", ("--public",), 2, "--public"),
    ],
)
def test_what_cannot_begin_is_one_sentence(
    hub: FakeHub, exports: Exports, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    repo: str, options: tuple[str, ...], code: int, said: str, lang: str,
) -> None:  # fmt: skip
    hub.repos |= {"mika/public": Repository(False), "mika/private": Repository(True)}
    assert exports("--repo", repo, "--yes", "--lang", lang, *options) == code
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("token", "broken", "said"),
    [
        ("", "", "`hf auth login`"),
        ("hf_wrong", "", "http://127.0.0.1:"),
        (TOKEN, "huggingface_hub.constants.HF_HUB_OFFLINE", "HF_HUB_OFFLINE"),
        (TOKEN, "huggingface_hub.constants.ENDPOINT", "HF_ENDPOINT"),
    ],
)
def test_a_hub_that_cannot_be_asked_is_one_sentence(
    hub: FakeHub, exports: Exports, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, token: str, broken: str, said: str, lang: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_TOKEN", token)
    if broken:
        monkeypatch.setattr(broken, "http://127.0.0.1:9" if broken.endswith("ENDPOINT") else True)
    assert exports("--repo", "mika/cats", "--yes", "--lang", lang) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("repo", "token", "breaks", "said"),
    [
        ("mika/cats", READER, "", "mika/cats"),
        ("ken/cats", TOKEN, "", "ken/cats"),
        ("mika/cats", TOKEN, "/large/", "adapter_model.safetensors"),
        ("mika/cats", TOKEN, "/commit/", "the disk of the hub is full"),
    ],
)
def test_a_refused_upload_is_one_sentence_and_no_commit(
    hub: FakeHub, exports: Exports, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    repo: str, token: str, breaks: str, said: str, lang: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_TOKEN", token)
    hub.breaks = breaks
    assert exports("--repo", repo, "--yes", "--lang", lang) == 1
    told = capsys.readouterr()
    assert said in told.err.splitlines()[-1]
    assert hub.url + "/" not in told.out
    assert not any(one.commits or one.files for one in hub.repos.values())


@pytest.mark.parametrize("options", [("--repo", "mika/cats"), ("--public",)])
def test_other_forms_upload_nothing_and_say_so(
    hub: FakeHub, exports: Exports, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    assert exports("--as", "peft", *options) == 2
    assert "`--as hub`" in capsys.readouterr().err
    assert (hub.asked, list(tmp_path.iterdir())) == ([], [])


def test_endpoint_and_token_are_those_of_the_environment(hub: FakeHub, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from bonsai.actions.hub_upload import find_target, upload\n"
        "print(upload(Path(sys.argv[1]), find_target('mika/cats', public=False), 'a'))"
    )
    (tmp_path / "README.md").write_text("# Mike")
    environ = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "hf")}
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == f"{hub.url}/mika/cats\n"
    assert hub.repos["mika/cats"].files["README.md"] == b"# Mike"
    environ["HF_HUB_OFFLINE"] = "1"
    again = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert "HF_HUB_OFFLINE is set" in again.stderr
