"""Files that nobody here wrote (`../shared/data`): every row is accounted for, languages and categories are right."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bonsai import bootstrap
from bonsai.domain.records import Record, Reject
from bonsai.ingest.dedup import to_indexed
from bonsai.ingest.dedup.index import DuplicateIndex
from bonsai.ingest.readers import read
from bonsai.ingest.readers.recognise import recognise
from bonsai.ingest.tags import tag_batch
from bonsai.ingest.tags.category import CategoryTagger, Example, tag_categories
from bonsai.ingest.tags.language import detect

pytestmark = pytest.mark.long

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"
HAN = re.compile(r"[\u4e00-\u9fff]")
ROWS = {
    "dolly_en_8k.jsonl": 8_000,
    "jsquad_ja_2k.jsonl": 2_000,
    "alpaca_en_1k.json": 1_000,
    "alpaca_zh_1k.json": 1_000,
    "dolly_ja_39.jsonl": 39,
}


IMPORTED = tuple(ROWS)[:4]
COUNTS = ("new", "duplicate", "held_back", "rejected")


def records(path: Path) -> list[Record]:
    return [one for one in read(path) if isinstance(one, Record)]


@dataclass(frozen=True)
class Imported:
    """A home into which `bonsai records import` took the files, one process a file."""

    home: Path
    counts: Mapping[str, Mapping[str, int]]
    "File -> what `--json` said."

    def says(self, *words: str | Path) -> str:
        """What a command prints with `--json`."""
        command = [sys.executable, "-m", "bonsai.cli.main", *map(str, words), "--json"]
        environ = {**os.environ, "BONSAI_HOME": str(self.home), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=280)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def takes(self, path: Path) -> Mapping[str, int]:
        counts: Mapping[str, int] = json.loads(self.says("records", "import", path))
        assert counts["read"] == sum(counts[name] for name in COUNTS)
        return counts

    def listed(self) -> list[Mapping[str, Any]]:
        return [json.loads(line) for line in self.says("records", "list").splitlines()]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real input is not here: {SHARED_DATA}")
    home = tmp_path_factory.mktemp("real") / "home"
    bootstrap.init(home, "en", datetime.now(UTC), {})
    empty = Imported(home, {})
    return replace(empty, counts={name: empty.takes(SHARED_DATA / name) for name in IMPORTED})


def test_the_terminal_accounts_for_every_record(imported: Imported) -> None:
    assert {name: counts["read"] for name, counts in imported.counts.items()} == {n: ROWS[n] for n in IMPORTED}
    total = {name: sum(counts[name] for counts in imported.counts.values()) for name in COUNTS}
    assert (total["duplicate"], total["rejected"]) == (9, 0)
    assert 0 < total["held_back"] <= 20
    standing = Counter(one["status"] for one in imported.listed())
    assert standing == {"active": total["new"], "held_back": total["held_back"]}
    assert imported.says("records", "rejects") == ""


def test_in_the_home_chinese_is_tagged_as_chinese(imported: Imported, shared_data: Path) -> None:
    tagged = {one["id"]: one["language"]["value"] for one in imported.listed()}
    told = {one.id: one for one in records(shared_data / "alpaca_zh_1k.json")}
    holding = [name for name, one in told.items() if HAN.search(one.instruction + one.input + one.output)]
    assert len(holding) > 900
    assert sum(tagged[name] == "zh" for name in holding) >= 0.95 * len(holding)
    assert sum(tagged[name] == "ja" for name in told) <= 3


def test_typed_again_an_import_adds_nothing(imported: Imported, shared_data: Path) -> None:
    before = imported.listed()
    for name in IMPORTED:
        again = imported.takes(shared_data / name)
        assert again == {"read": ROWS[name], "new": 0, "duplicate": ROWS[name], "held_back": 0, "rejected": 0}
    assert imported.listed() == before


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_a_record(shared_data: Path, name: str) -> None:
    made = list(read(shared_data / name))
    assert len(made) == ROWS[name]
    assert not [one for one in made if isinstance(one, Reject)]
    assert [one.origin.line for one in made if isinstance(one, Record)] == list(range(1, ROWS[name] + 1))


def test_rows_of_an_unknown_shape_are_rejects_with_their_raw_text(shared_data: Path) -> None:
    made = list(read(shared_data / "vicuna80_en_ja.jsonl"))
    assert len(made) == 80
    assert {one.reason_key for one in made if isinstance(one, Reject)} == {"readers.no_shape"}
    assert "時間管理能力" in made[0].raw if isinstance(made[0], Reject) else False


def test_read_is_new_and_duplicate_and_held_back(shared_data: Path) -> None:
    index, seen = DuplicateIndex(), Counter[str]()
    for name in list(ROWS)[:4]:
        found = records(shared_data / name)
        judged = index.judge_batch([to_indexed(r, t) for r, t in zip(found, tag_batch(found, None), strict=True)])
        for one in judged:
            seen["duplicate" if one.exact else "held back" if one.contradicts else "new"] += 1
    assert seen.total() == 12_000
    assert seen["duplicate"] == 9  # 1 in JSQuAD, 8 in the Chinese Alpaca; counted again, without ids, below
    assert seen["held back"] <= 12
    texts = {(r.instruction, r.input, r.output) for name in list(ROWS)[:4] for r in records(shared_data / name)}
    assert len(texts) == 12_000 - 9


def test_importing_again_finds_everything_told_before(shared_data: Path) -> None:
    found = records(shared_data / "alpaca_zh_1k.json")
    told = [to_indexed(r, t) for r, t in zip(found, tag_batch(found, None), strict=True)]
    index = DuplicateIndex()
    index.judge_batch(told)
    assert all(one.exact for one in index.judge_batch(told))


def test_chinese_is_not_taken_for_japanese(shared_data: Path) -> None:
    found = records(shared_data / "alpaca_zh_1k.json")
    tags = [tagged.language.value for tagged in tag_batch(found, None)]
    anywhere = [tag for tag, r in zip(tags, found, strict=True) if HAN.search(r.instruction + r.input + r.output)]
    assert anywhere.count("zh") >= 0.95 * len(anywhere)
    assert tags.count("ja") <= 3


@pytest.mark.parametrize(
    ("name", "language", "share"),
    [("dolly_en_8k.jsonl", "en", 0.99), ("jsquad_ja_2k.jsonl", "ja", 0.98), ("alpaca_en_1k.json", "en", 0.99)],
)
def test_answers_are_in_the_language_of_their_collection(
    shared_data: Path, name: str, language: str, share: float
) -> None:
    found = [replace(record, language=None) for record in records(shared_data / name)]
    tags = [tagged.language.value for tagged in tag_batch(found, None)]
    assert tags.count(language) >= share * len(tags)


@pytest.mark.parametrize(
    ("name", "language", "share"),
    [
        ("ja_sentences", "ja", 0.99),
        ("ja_word-pairs", "ja", 0.99),
        ("zh_sentences", "zh", 0.99),
        ("en_sentences", "en", 0.99),
        ("en_single-words", "en", 0.99),
        ("ko_sentences", "other", 0.99),
        ("ko_single-words", "other", 0.99),
    ],
)
def test_single_texts_of_known_languages(shared_data: Path, name: str, language: str, share: float) -> None:
    texts = [line for line in (shared_data / "langid" / f"{name}.txt").read_text("utf-8").splitlines() if line.strip()]
    found = [detect(one).value for one in texts]
    assert found.count(language) >= share * len(found)
    assert len(found) > 200


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-16", "utf-8-sig"])
def test_a_real_japanese_file_survives_every_encoding(shared_data: Path, tmp_path: Path, encoding: str) -> None:
    text = (shared_data / "jsquad_ja_2k.jsonl").read_text("utf-8")
    lines = [line for line in text.splitlines() if _fits(line, encoding)]
    assert len(lines) > 1_500
    path = tmp_path / "ja.jsonl"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    assert recognise(path).encoding == encoding
    plain = tmp_path / "plain.jsonl"
    plain.write_text("\n".join(lines), "utf-8")
    assert {r.id for r in records(path)} == {r.id for r in records(plain)}


def _fits(line: str, encoding: str) -> bool:
    """CP932 and EUC-JP write a wave dash and a minus as other characters: such lines are left out."""
    try:
        return line.encode(encoding).decode(encoding) == line and not re.search("[〜~∥‖−－¢£¬]", line)
    except UnicodeEncodeError:
        return False


def test_the_tagger_is_right_about_held_out_records(shared_data: Path) -> None:
    found = records(shared_data / "dolly_en_8k.jsonl")
    random.Random(0).shuffle(found)
    held_out, learned = found[:1_000], found[1_000:2_200]
    tagger = CategoryTagger.fit([Example.of(r) for r in learned], [r.category for r in learned if r.category])
    tags = tag_categories(held_out, tagger, 0.65)
    known_ones = [
        (tag.value, r.category) for tag, r in zip(tags, held_out, strict=True) if tag.value != "uncategorised"
    ]
    assert len(known_ones) >= 0.75 * len(held_out)
    assert sum(tag == category for tag, category in known_ones) >= 0.88 * len(known_ones)
