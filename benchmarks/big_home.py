"""Makes a home of many records: texts from the words of the bundled samples, inserted by the storage functions.

    python benchmarks/big_home.py FOLDER 1000000      # about 60 CPU seconds; a larger number later adds the rest

English words and Japanese word pieces have the samples' frequencies, one in 50 is an invented name; answers are as
long as people's (a median of 190 characters in English, 75 in Japanese). First, three nights run with a fake trainer
and a fake evaluator (tests/support), so that every page has content. One record in 10,000 contains `PLANTED`,
in each language.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from hand_nights import EVENING, HandEvaluator, HandTrainer

from bonsai import bootstrap
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.promotions import approve
from bonsai.context import Bonsai
from bonsai.domain.reasons import Reason
from bonsai.domain.records import Category, Origin, Record, Status, Tag, Tags
from bonsai.night.steps import run_night
from bonsai.queries.promotions import list_promotions
from bonsai.samples import sample_path
from bonsai.system.progress import silent
from storage.tables import records_table
from storage.tables.record_rows import NewRecord
from storage.tables.records_table import RecordFilter

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CHUNK = 10_000
NIGHTS = 3
NAMES = 20_000
PLANTED = {"en": "zephyrine", "ja": "蜃気楼号"}
"Words that occur nowhere else."
LINEAGE_RECORDS = 100_000
"In the snapshot of each night."
_JAPANESE_PIECE = re.compile(r"[\u4e00-\u9fff々]+|[\u30a1-\u30fc]+|[\u3041-\u309f]{1,3}|[、。]")
Spoken = Literal["en", "ja"]


@dataclass(frozen=True, slots=True)
class Words:
    """Vocabulary of one language with frequencies."""

    words: tuple[str, ...]
    until: NDArray[np.float64]
    "Cumulative frequency. (words,)"
    between: str
    usual: float
    "Median number of words of an answer."

    def texts(self, count: int, usual: float, rng: np.random.Generator) -> list[str]:
        """`count` texts with log-normal lengths around `usual` words."""
        sizes = np.clip(rng.lognormal(np.log(usual), 0.6, count), 3, 400).astype(int)
        drawn = np.searchsorted(self.until, rng.random(int(sizes.sum()))).tolist()
        said, ends = [self.words[one] for one in drawn], np.cumsum(sizes).tolist()
        return [self.between.join(said[end - size : end]) for size, end in zip(sizes.tolist(), ends, strict=True)]


def words_of_samples() -> dict[Spoken, Words]:
    """Vocabulary of both languages."""
    with sample_path("experience.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts: dict[Spoken, list[str]] = {"en": [], "ja": []}
    for row in rows:
        texts[row["language"]].append(f"{row['instruction']} {row['output']}")
    syllables, kana = "ka lo mi ne ru ta vi xo ze pu shi bra".split(), "カロミネルタビコゼプシマ"
    return {
        "en": _words(
            Counter(" ".join(texts["en"]).split()), " ", 34, [_name(n, syllables).title() for n in range(NAMES)]
        ),
        "ja": _words(
            Counter(_JAPANESE_PIECE.findall(" ".join(texts["ja"]))), "", 34, [_name(n, kana) for n in range(NAMES)]
        ),
    }


def _words(found: Counter[str], between: str, usual: float, names: list[str]) -> Words:
    weights = np.array([*found.values(), *[sum(found.values()) / 50 / len(names)] * len(names)])
    return Words((*found, *names), np.cumsum(weights) / weights.sum(), between, usual)


def _name(number: int, parts: str | list[str]) -> str:
    """A different name for each number."""
    return "".join(parts[number // 12**place % 12] for place in range(4))


def records(first: int, count: int, words: dict[Spoken, Words]) -> list[NewRecord]:
    """`count` records from number `first` on. Deterministic."""
    rng = np.random.default_rng(first)
    made: list[NewRecord] = []
    for language, share in (("ja", 0.6), ("en", 0.4)):
        spoken: Spoken = "ja" if language == "ja" else "en"
        size = round(count * share)
        questions = words[spoken].texts(size, 9, rng)
        answers = words[spoken].texts(size, words[spoken].usual, rng)
        drawn = rng.random((size, 4)).tolist()
        for place, (question, answer, chances) in enumerate(zip(questions, answers, drawn, strict=True)):
            number = first + len(made)
            planted = f" {PLANTED[spoken]}" if place == 0 else ""
            made.append(_record(number, spoken, f"{question}? ({number})", answer + planted, chances))
    return made


def _record(number: int, language: Spoken, question: str, answer: str, chances: list[float]) -> NewRecord:
    which, sure, stands, near = chances
    category = list(Category)[int(which * which * len(Category))]
    unsure = sure < 0.03
    record = Record(
        id=hashlib.sha256(f"{question}\n{answer}".encode()).hexdigest(),
        instruction=question,
        input="",
        output=answer,
        origin=Origin("synthetic.jsonl", number),
        subject=f"Cat {int(which * sure * 2_000)}",
        happened_on=date(2026, 1, 1) + timedelta(days=int(near * 320)),
        source="self",
        author="owner",
    )
    tags = Tags(
        Tag(language, "rule", 0.5 if unsure else 0.95, "1"),
        Tag(Category.UNCATEGORISED if unsure else category, "learned", 0.8, "1"),
        Tag(f"The question is in {language}.", "rule", 1.0, "1"),
    )
    status, reason = _standing(stands)
    return NewRecord(record, tags, language, question.lower(), status, reason, near_of=record.id if near < 0.05 else "")


def _standing(chance: float) -> tuple[Status, Reason | None]:
    if chance < 0.01:
        return Status.HELD_BACK, Reason("duplicates.contradiction", (("ids", "0" * 64), ("records", "0" * 12)))
    if chance < 0.013:
        return Status.SUSPECT, Reason("storage.suspect_since", (("night", "2026-11-20"),))
    if chance < 0.02:
        return Status.EXCLUDED, Reason("storage.excluded_by", (("who", "owner"),))
    return Status.ACTIVE, None


def grow(home: Path, size: int) -> Bonsai:
    """The home with at least `size` records; creates or completes it. Idempotent."""
    if not (home / "bonsai.toml").exists():
        _begin(home)
    b = bootstrap.open(home, {})
    words = words_of_samples()
    with b.database.reading() as con:
        have = records_table.count(con, RecordFilter())
    for first in range(have, size, CHUNK):
        new = records(first, min(CHUNK, size - first), words)
        with b.database.writing() as con:
            records_table.insert_records(con, new, "synthetic", AT)
    _give_lineage(b)
    return b


def _begin(home: Path) -> None:
    """Create the home and run its first nights; one candidate waits for a decision."""
    bootstrap.init(home, "en", AT, {})
    with (home / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write('\n[gate]\nmode = "review"\n')
    opened = bootstrap.open(home, {})
    for night in range(NIGHTS):
        for number in range(30):
            fields = {"instruction": f"Where does cat {number} sleep in night {night}?", "output": f"In box {number}."}
            submit(opened, {**fields, "source": "self", "subject": f"Cat {number}"}, EVENING)
        submit(opened, {"instruction": "A line without an answer", "output": ""}, EVENING)
        drain_inbox(opened, EVENING)
        b = replace(opened, trainer=HandTrainer(), evaluator=HandEvaluator(challenger_bits=1.5 - 0.1 * night))
        run_night(b, EVENING + timedelta(days=night), silent)
        waiting = list_promotions(b)
        if night + 1 < NIGHTS and waiting:
            approve(b, waiting[0].adapter, by="owner", reason="better", now=EVENING + timedelta(days=night))


def _give_lineage(b: Bonsai) -> None:
    """Put the newest records into every snapshot, as after many nights."""
    with b.database.writing() as con:
        synthetic = "SELECT id, sequence FROM records WHERE batch = 'synthetic'"
        con.execute(f"DELETE FROM snapshot_records WHERE sequence IN (SELECT sequence FROM ({synthetic}))")
        con.execute(
            f"""
            INSERT INTO snapshot_records
            SELECT snapshots.id, newest.id, 'train', newest.sequence
            FROM snapshots CROSS JOIN ({synthetic} ORDER BY sequence DESC LIMIT ?) AS newest
            """,
            [LINEAGE_RECORDS],
        )


if __name__ == "__main__":
    grow(Path(sys.argv[1]), int(sys.argv[2]))
