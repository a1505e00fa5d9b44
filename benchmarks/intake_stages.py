"""Speed of the stages of an import, without storage; with `--quality`, accuracy of the tags.

    python benchmarks/intake_stages.py FOLDER               # about a minute
    python benchmarks/intake_stages.py FOLDER --quality

Speed: real records are multiplied to 100,000 by changing words, so that they are neither equal nor all similar.
Quality: languages of the langid texts and of the Chinese Alpaca, categories of held-out Dolly records.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bonsai.domain.records import Record
from bonsai.evaluate import questions
from bonsai.ingest.dedup import to_indexed
from bonsai.ingest.dedup.contamination import ContaminationCheck
from bonsai.ingest.dedup.index import DuplicateIndex
from bonsai.ingest.readers import read
from bonsai.ingest.tags import tag_batch
from bonsai.ingest.tags.category import CategoryTagger, Example, tag_categories
from bonsai.ingest.tags.language import detect

FILES = ("dolly_en_8k.jsonl", "jsquad_ja_2k.jsonl", "alpaca_en_1k.json", "alpaca_zh_1k.json")
CHUNK = 4_000
HAN = re.compile(r"[\u4e00-\u9fff]")
Made = TypeVar("Made")
WORD = re.compile(r"[A-Za-z]{4,}|[\u4e00-\u9fff]{2,}|[\u30a1-\u30fa\u30fc]{3,}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--quality", action="store_true")
    arguments = parser.parse_args()
    console = Console(width=100)
    console.print(quality(arguments.data) if arguments.quality else speed(arguments.data, arguments.records))


def real(data: Path) -> list[Record]:
    """All records of the four files."""
    return [one for name in FILES for one in read(data / name) if isinstance(one, Record)]


def multiplied(records: Sequence[Record], count: int, seed: int = 0) -> Iterator[dict[str, str]]:
    """Rows with one word in three exchanged for a word of another record."""
    chance = random.Random(seed)
    words = [word for record in records for word in WORD.findall(record.instruction)]

    def exchanged(hit: re.Match[str]) -> str:
        return chance.choice(words) if chance.random() < 0.33 else hit[0]

    for number in range(count):
        record = records[number % len(records)]
        changed = {"instruction": record.instruction, "input": record.input, "output": record.output}
        if number >= len(records):
            for name in changed:
                changed[name] = WORD.sub(
                    lambda hit: chance.choice(words) if chance.random() < 0.33 else hit[0], changed[name]
                )
        yield changed


class Stages:
    """The stages of an import, timed in CPU seconds, so that other load on the machine does not count."""

    def __init__(self, samples: Sequence[Record]) -> None:
        self.seconds: Counter[str] = Counter()
        self.flagged: Counter[str] = Counter()
        learned = [record for record in samples if record.category][:6_000]
        categories = [record.category for record in learned if record.category]
        self.tagger = self.timed(
            "fit the tagger on 6,000", lambda: CategoryTagger.fit(list(map(Example.of, learned)), categories)
        )
        pools = [questions.load(pool) for pool in questions.pools()]
        self.guard = ContaminationCheck((item.id, item.instruction, item.input) for pool in pools for item in pool)
        self.index = DuplicateIndex()

    def timed(self, stage: str, work: Callable[[], Made]) -> Made:
        """Do the work and add its time to the stage."""
        started = time.process_time()
        made = work()
        self.seconds[stage] += time.process_time() - started
        return made

    def judge(self, records: Sequence[Record]) -> None:
        """Tag one chunk, and check it for duplicates and contamination."""
        tags = self.timed("tag", lambda: tag_batch(records, self.tagger))
        indexed = [to_indexed(*pair) for pair in zip(records, tags, strict=True)]
        findings = self.timed("duplicates", lambda: self.index.judge_batch(indexed))
        contamination = self.timed("leaks", lambda: [self.guard.judge(record) for record in records])
        self.flagged["exact"] += sum(one.exact for one in findings)
        self.flagged["near"] += sum(bool(one.near) for one in findings)
        self.flagged["contradicting"] += sum(bool(one.contradicts) for one in findings)
        self.flagged["leaking"] += sum(bool(one.contaminated) for one in contamination)


def speed(data: Path, count: int) -> Table:
    """CPU seconds and records/s of each stage, and peak memory."""
    samples = real(data)
    stages = Stages(samples)
    fitting = stages.seconds.pop("fit the tagger on 6,000")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in multiplied(samples, count))
        samples.clear()
        rows = read(path)
        while chunk := stages.timed("read and parse", lambda: list(islice(rows, CHUNK))):
            stages.judge([one for one in chunk if isinstance(one, Record)])
    table = Table("stage", "CPU s", "records/s", title=f"Intake of {count:,} records, without storage")
    for stage, spent in (*stages.seconds.items(), ("all", stages.seconds.total())):
        table.add_row(stage, f"{spent:.1f}", f"{count / spent:,.0f}")
    table.add_row("fit the tagger on 6,000", f"{fitting:.1f}", "")
    table.add_row("peak memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB", "")
    table.caption = ", ".join(f"{flagged} {name}" for name, flagged in stages.flagged.items())
    return table


def quality(data: Path) -> Table:
    """Shares of right tags."""
    table = Table("what", "texts", "right", title="Tags")
    for path in sorted((data / "langid").glob("*.txt")):
        expected = {"ko": "other"}.get(path.name[:2], path.name[:2])
        texts = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        table.add_row(path.stem, str(len(texts)), f"{sum(detect(t).value == expected for t in texts) / len(texts):.1%}")
    chinese = [one for one in read(data / "alpaca_zh_1k.json") if isinstance(one, Record)]
    holding = [one for one in chinese if HAN.search(one.instruction + one.input + one.output)]
    right = sum(tags.language.value == "zh" for tags in tag_batch(holding, None))
    table.add_row("Alpaca records that contain Chinese", str(len(holding)), f"{right / len(holding):.1%}")
    for row in categories(data):
        table.add_row(*row)
    return table


def categories(data: Path) -> Iterator[tuple[str, str, str]]:
    """Dolly, 6,000 for fitting and 2,000 held out, at each threshold."""
    dolly = [one for one in read(data / "dolly_en_8k.jsonl") if isinstance(one, Record)]
    random.Random(0).shuffle(dolly)
    held_out, learned = dolly[:2_000], dolly[2_000:]
    tagger = CategoryTagger.fit([Example.of(r) for r in learned], [r.category for r in learned if r.category])
    blind = [replace(record, category=None) for record in held_out]
    for threshold in (0.0, 0.5, 0.65, 0.8):
        tags = tag_categories(blind, tagger, threshold)
        sure = [(tag.value, r.category) for tag, r in zip(tags, held_out, strict=True) if tag.value != "uncategorised"]
        right = sum(value == category for value, category in sure) / len(sure)
        yield f"Dolly categories at {threshold}", f"{len(sure)} of 2000", f"{right:.1%}"


if __name__ == "__main__":
    main()
