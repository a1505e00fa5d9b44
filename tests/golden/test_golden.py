"""What the program shows today, kept as files: a change of behaviour is a change of a file under `expected/`.

One home with something of everything (`innocent_home`) is asked for all that leaves the program: each command with
`--json`, the document of the API, the text of each kind of page in both languages, and each help page.

    BONSAI_UPDATE_GOLDEN=1 pytest tests/golden      writes the expected files anew, and removes those of nobody

What differs by run or machine is replaced, by what `placeless`, `rounded`, `UNSTEADY` and `DOCTORED` say
and by nothing else; the version of Bonsai stands in the API's document alone.
"""

from __future__ import annotations

import difflib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hand_nights import HandTrainer
from html_pages import Page
from innocent_home import MORNING, PERSON, browser, chance_counted, evaluator, make_innocent_home, speaking
from starlette.testclient import TestClient

from bonsai import bootstrap, context
from bonsai.actions import ask
from bonsai.actions.personal_set import personal_set_state
from bonsai.cli import main as cli
from bonsai.cli.shell import Shell
from bonsai.model.bases import Device
from bonsai.queries import base_offers
from bonsai.queries.base_plans import GIB, Machine
from bonsai.queries.nights import list_nights
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import decided_pairs, list_records, list_rejects, waiting_pairs
from bonsai.web.api.app import openapi_document
from storage.tables.records_table import RecordFilter

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).parent / "expected"
UPDATING = bool(os.environ.get("BONSAI_UPDATE_GOLDEN"))
UPDATE = "BONSAI_UPDATE_GOLDEN=1 pytest tests/golden"
LANGUAGES = ("en", "ja")
MOST_LINES = 40
"Of a diff."

COMMANDS: Mapping[str, Sequence[str]] = {
    "init": (),
    "doctor": (),
    "records add": ("Who mends the fence?", "Ken mends the fence.", "--subject", "Ken", "--on", "2026-11-20"),
    "records import": ("{file}",),
    "records list": (),
    "records show": ("{edited}",),
    "records forget": ("{record}",),
    "records release": ("{contradiction}",),
    "records exclude": ("{record}",),
    "records edit": ("{record}", "--output", "Mike sleeps in the box."),
    "records versions": ("{edited}",),
    "records restore": ("{edited}", "1"),
    "records similar": ("Where does Mike rest?",),
    "records subjects": (),
    "records timeline": ("Mike",),
    "records contradictions": (),
    "records resolve": ("{contradiction}", "--keep", "both"),
    "records resolved": (),
    "records reopen": ("{resolved}",),
    "records rejects": (),
    "records repair": ("{reject}", '{"instruction": "Which drawer holds the string?", "output": "The lowest one."}'),
    "records dismiss": ("{reject}", "--reason", "It is nothing."),
    "records suggest": ("Where does Mike sleep?", "Mike sleeps on the sofa."),
    "tags review": (),
    "inbox status": (),
    "inbox show": ("{submission}", "20261121T000000000000Z-0000000000000000"),
    "inbox drain": (),
    "snapshots preview": ("{record}",),
    "night list": (),
    "night show": ("{night}",),
    "night watch": ("{night}",),
    "gate show": (),
    "benchmark run": ("{waiting}", "--pool", "suite"),
    "benchmark show": ("{waiting}",),
    "benchmark compare": ("{waiting}", "champion"),
    "benchmark power": ("{waiting}", "champion"),
    "benchmark add": ("What does Ken play?", "The flute.", "--accept", "flute"),
    "benchmark list": ("--history",),
    "benchmark retire": ("{question}", "--reason", "The dog moved."),
    "promotions list": (),
    "promotions show": (),
    "promotions answers": ("--turn", "gained", "--limit", "10"),
    "promotions data": (),
    "promotions review": ("--by", PERSON),
    "promotions approve": ("{waiting}", "--reason", "Good."),
    "promotions reject": ("{waiting}", "--reason", "Bad."),
    "promotions rollback": ("--reason", "Worse than before."),
    "ask": ("Why does Mike scratch?", "--base"),
    "asked list": (),
    "asked show": ("{asked}",),
    "asked correct": ("{asked}", "Mike has fleas."),
    "adapters list": (),
    "adapters show": ("{waiting}",),
    "adapters export": ("{archive}",),
    "base list": (),
    "base show": ("seedling",),
    "base use": ("seedling",),
    "base remove": ("oak",),
    "seedling show": (),
    "db migrate": (),
    "db check": (),
    "db rebuild": (),
    "config show": (),
    "users list": (),
    "tokens list": (),
}
"Each command with `--json`, with arguments for the home; `named` fills them in."
LEFT_OUT: Mapping[str, str] = {
    "base add": "loads and trains a model in a process of its own (tests/model/test_base_check.py)",
    "base check": "the same",
    "base plan": "it tells this machine's memory (tests/entrypoints/test_base_commands.py)",
    "gate calibrate": "trains several adapters, for minutes",
    "night run": "trains, on a server of its own; it prints what `night show` begins with",
}
TYPED: Mapping[str, str] = {"promotions review": "left\nundo\nright\nsame\nquit\n"}
"What stands on the standard input."

LEARNED = re.compile(r"learned-[0-9a-f]{8}")
"The version of the learned tagger is a hash over its weights, which numeric libraries round each in their way."
UNSTEADY: Mapping[str, str] = {
    "benchmark run": "seconds",
    "benchmark show": "seconds",
    "night watch": "holder",
}
"Fields that hold a time by the wall clock, or the process that ran a night."
DOCTORED = ("python", "packages", "disk", "prefect")
"Findings of `doctor` that speak of this machine."


@dataclass(frozen=True)
class Place:
    """The home, and room beside it. It stays where it was made, for the paths in it are absolute."""

    home: Path
    folder: Path

    def placeless(self, said: str) -> str:
        for path, name in ((self.home, "HOME"), (self.folder, "FOLDER"), (ROOT, "ROOT")):
            said = said.replace(str(path), name)
        return LEARNED.sub("learned-HASH", said)

    def opened(self) -> context.Bonsai:
        """With models made by hand."""
        opened = bootstrap.open(self.home, {})
        return replace(speaking(opened), trainer=HandTrainer(), evaluator=evaluator())


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, taught: Path) -> Path:
    """Made once; `home` is worked on, `untouched` is what it was."""
    folder = tmp_path_factory.mktemp("golden")
    shutil.copytree(taught, folder / "home")
    with chance_counted():
        make_innocent_home(folder / "home")
    shutil.copytree(folder / "home", folder / "untouched")
    return folder


@pytest.fixture
def place(furnished: Path, tmp_path: Path) -> Iterator[Place]:
    shutil.rmtree(furnished / "home")
    shutil.copytree(furnished / "untouched", furnished / "home")
    with chance_counted():
        yield Place(furnished / "home", tmp_path)


def compare(name: str, found: str) -> None:
    """With the expected file of this name; or write it."""
    path = EXPECTED / name
    if UPDATING:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, "utf-8")
        return
    wanted = path.read_text("utf-8") if path.is_file() else ""
    if found == wanted:
        return
    lines = list(
        difflib.unified_diff(wanted.splitlines(), found.splitlines(), f"expected/{name}", "found", n=2, lineterm="")
    )
    more = [f"... and {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else []
    told = "\n".join([*lines[:MOST_LINES], *more])
    pytest.fail(f"{told}\n\nIf that is meant: {UPDATE}", pytrace=False)


def only(folder: str, names: Sequence[str]) -> None:
    """No other file lies there."""
    stale = {path.name for path in (EXPECTED / folder).glob("*")} - set(names)
    if UPDATING:
        for name in stale:
            (EXPECTED / folder / name).unlink()
        return
    assert not stale, f"expected by nobody: {sorted(stale)}; {UPDATE}"


# commands


def commands_with_json() -> list[str]:
    """By the program's own tree."""
    found = []
    for command in cli.commands():
        noun, _, verb = command.partition(" ")
        group = cli.root().get_command(None, noun)
        options = (group.commands[verb] if verb else group).params
        if any("--json" in one.opts for one in options):
            found.append(command)
    return found


def json_file(command: str) -> str:
    return f"{command.replace(' ', '-')}.json"


@pytest.fixture(scope="session")
def named(furnished: Path) -> dict[str, str]:
    """What the arguments of `COMMANDS` stand for in the home."""
    b = bootstrap.open(furnished / "untouched", {})

    def record(words: str) -> str:
        return list_records(b, RecordFilter(text=words), None)[-1].record.id

    return {
        "{record}": record("Where does Mike sleep"),
        "{edited}": record("hall cupboard"),
        "{contradiction}": waiting_pairs(b, "contradiction", 1)[0].stored.record.id,
        "{resolved}": decided_pairs(b, 1)[0].decision.record_id,
        "{reject}": list_rejects(b, None)[-1].id,
        "{submission}": max(path.name.partition(".")[0] for path in b.places.inbox.glob("*.record.*")),
        "{night}": list_nights(b, 1)[0].night,
        "{waiting}": list_promotions(b)[0].adapter,
        "{question}": personal_set_state(b).items[0].id,
        "{asked}": ask.list_questions(b, 1)[0].id,
    }


def beside(place: Place) -> dict[str, str]:
    """And files that are read or written."""
    told = place.folder / "told.csv"
    told.write_text("question,answer\nWho plays the flute?,Ken plays it.\n誰が歌う?,花が歌う。\nNobody?,\n", "utf-8")
    (place.home / "bases" / "oak").mkdir(parents=True)  # half-made
    return {"{file}": str(told), "{archive}": str(place.folder / "adapter.tar")}


def rounded(value: Any) -> Any:
    """Six digits of a figure: the last ones are the processor's."""
    match value:
        case dict():
            return {name: rounded(one) for name, one in value.items()}
        case list():
            return [rounded(one) for one in value]
        case float():
            return float(f"{value:.6g}")
        case _:
            return value


def pretty(value: Any) -> str:
    return json.dumps(rounded(value), ensure_ascii=False, indent=1)


def pretty_output(command: str, out: str) -> str:
    """One value, or one a line: each on lines of its own."""
    try:
        values = [json.loads(out)]
    except ValueError:
        values = [json.loads(line) for line in out.splitlines()]
    for value in values:
        if command in UNSTEADY:
            value[UNSTEADY[command]] = "UNSTEADY"
        if command == "doctor":
            for finding in value:
                finding |= {"ok": "MACHINE", "detail": "MACHINE"} if finding["name"] in DOCTORED else {}
    return "".join(f"{pretty(value)}\n" for value in values)


def test_every_command_with_json_has_its_file() -> None:
    known = {*COMMANDS, *LEFT_OUT}
    assert sorted(commands_with_json()) == sorted(known)
    only("json", [json_file(command) for command in COMMANDS])


"It draws, and judges hundreds of answers, for seconds."


@pytest.mark.parametrize("command", COMMANDS)
def test_json(
    command: str,
    place: Place,
    named: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = named | beside(place)
    monkeypatch.setattr(Shell, "now", lambda shell: MORNING)
    monkeypatch.setattr(Shell, "open", lambda shell: place.opened())
    monkeypatch.setattr("sys.stdin", io.StringIO(TYPED.get(command, "")))
    monkeypatch.setenv("PATH", str(place.folder))  # no nvidia-smi there
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(place.folder))  # and no other base
    argv = [*command.split(), *(names.get(word, word) for word in COMMANDS[command])]
    code = cli.run([*argv, "--json"], {"BONSAI_HOME": str(place.home), "USER": PERSON, "LANG": "C.UTF-8"})
    said = capsys.readouterr()
    assert (code, said.err if command != "ask" else "") == (0, "")
    compare(f"json/{json_file(command)}", place.placeless(pretty_output(command, said.out)))


# help


@pytest.mark.parametrize("language", LANGUAGES)
def test_help(language: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    commands = cli.commands()
    nouns = dict.fromkeys(command.partition(" ")[0] for command in commands)
    pages = []
    for command in dict.fromkeys(["", *nouns, *commands]):
        argv = [*command.split(), "--help", "--lang", language]
        assert cli.run(argv, {"BONSAI_HOME": "/nonexistent", "LANG": "C.UTF-8"}) == 0, command
        lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
        pages.append("\n".join([f"$ bonsai {' '.join(argv)}", *lines]))
    compare(f"help.{language}.txt", "\n\n".join(pages) + "\n")


# the API


@pytest.mark.parametrize("language", LANGUAGES)
def test_openapi(language: Any) -> None:
    document = openapi_document(language)
    document["info"]["version"] = "VERSION"
    made = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    compare(f"openapi.{language}.json", made + "\n")


# pages

BLOCKS = frozenset(
    "address article aside blockquote body br button caption dd details div dl dt fieldset figure figcaption footer "
    "form h1 h2 h3 h4 header hr label legend li main nav ol optgroup option p pre section select summary table tbody "
    "textarea tfoot thead title tr ul svg".split()
)
CELLS = frozenset({"td", "th"})
UNSEEN = frozenset({"script", "style", "template"})


class Seen(HTMLParser):
    """The text of some elements as it is read: a line a block, cells side by side, what fields hold in brackets."""

    def __init__(self, source: str, *parts: str) -> None:
        super().__init__()
        self.parts, self.inside = parts, 0
        self.lines, self.line, self.hidden = list[str](), "", 0
        self.feed(source)
        self.close()
        self.end_line()

    def end_line(self) -> None:
        words = " ".join(self.line.split())
        if words.strip("| ") and self.inside:
            self.lines.append(words)
        self.line = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.inside += tag in self.parts
        if tag in UNSEEN:
            self.hidden += 1
        if tag in BLOCKS:
            self.end_line()
        if tag in CELLS and self.line.strip():
            self.line += " | "
        if tag == "input" and values.get("type") != "hidden":
            checked = " x" if "checked" in values else ""
            self.line += (
                f" [{values.get('type', 'text')} {values.get('value') or values.get('placeholder') or ''}{checked}] "
            )
        if tag == "option" and "selected" in values:
            self.line += "* "
        if tag == "svg" or (tag == "img" and values.get("alt")):
            self.line += f"[{values.get('aria-label') or values.get('alt') or ''}]"

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self.hidden -= 1
        if tag in BLOCKS:
            self.end_line()
        self.inside -= tag in self.parts

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.line += data


OF_A_KIND = 4
"Pages; `tests/dashboard/test_every_page.py` sees them all."
IDS = (
    (r"\d{8}T\d{6}-[0-9a-f]{8}", "UPLOAD"),
    (r"\d{4}-\d\d-\d\d-[0-9a-f]{8}", "NIGHT"),
    (r"[0-9a-f]{10,}", "ID"),
    (r"^/bases/[^/]+", "/bases/NAME"),
)


def kind_of(path: str) -> str:
    """A file name for the pages that differ by what they show alone."""
    name = path.partition("?")[0]
    for pattern, instead in IDS:
        name = re.sub(pattern, instead, name)
    return name.strip("/").replace("/", "-") or "home"


def crawl(client: TestClient, language: str) -> dict[str, list[tuple[str, Page]]]:
    """Pages by their kind, found by following links from the first, breadth first; of each kind the first few."""
    client.cookies.set("bonsai_language", language)
    waiting, kinds = ["/"], dict[str, list[tuple[str, Page]]]()
    known = set(waiting)
    for path in waiting:
        kind = kind_of(path)
        if len(kinds.get(kind, ())) >= OF_A_KIND:
            continue
        answer = client.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue  # a download
        page = Page(answer.text)
        kinds.setdefault(kind, []).append((path, page))
        for link in (one.partition("#")[0] for one in page.links):
            if link and link not in known and "lang=" not in link and not link.endswith(".json"):
                known.add(link)
                waiting.append(link)
    return kinds


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages(language: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_offers, "free_machine", lambda: Machine(Device("cpu", 0.0), 16 * GIB))
    kinds = crawl(browser(place.opened()), language)
    only(f"pages/{language}", [f"{kind}.txt" for kind in kinds])
    for kind, pages in kinds.items():
        parts = ("html",) if kind == "home" else ("title", "main")  # menu and foot are everywhere the same
        shown = ["\n".join([f"== {path}", *Seen(page.source, *parts).lines]) for path, page in pages]
        compare(f"pages/{language}/{kind}.txt", place.placeless("\n\n".join(shown) + "\n"))
