"""The messy files: realistic exports with known faults, counted in `messy.json`.

messy.jsonl   good lines among broken JSON, invalid bytes, missing fields, exact duplicates, a contaminated line (a
              question of the selection pool) and a contradiction (a sample's question with another answer)
messy.csv     CP932 with CRLF, as Japanese spreadsheets save it; one row without an answer, one duplicate
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from research.samples.facts import BENCHMARK_ROLE, Lang, ask, load_facts

CONTAMINATED_FACT = "food_dog_food"
CONTRADICTED_FACT = "food_grapes"

_GOOD: tuple[tuple[str, str, Lang], ...] = (
    ("Where do I hang the wet umbrella?", "On the hook beside the door.", "en"),
    ("Which tea goes with toast?", "Black tea with a little milk goes well with toast.", "en"),
    ("How long do I boil an egg so that it stays soft?", "Six minutes make a soft egg.", "en"),
    ("How do I keep slugs away from lettuce?", "Set the lettuce behind a strip of copper tape.", "en"),
    ("ぬれた傘はどこに掛けますか?", "玄関の横のフックに掛けます。", "ja"),
    ("半熟卵は何分ゆでますか?", "6分ゆでると半熟になります。", "ja"),
    ("トーストに合うお茶は何?", "少し牛乳を入れた紅茶が合います。", "ja"),
    ("レタスをナメクジから守るには?", "銅のテープで囲います。", "ja"),
)
_CSV_GOOD = (
    ("急須はどう洗いますか?", "洗剤を使わず、お湯で洗います。"),
    ("布団はいつ干すのがいい?", "晴れた日の10時から14時がよいです。"),
    ("味噌はどこで保存しますか?", "冷凍庫で保存しても固まりません。"),
    ("ほうきは何年使えますか?", "穂先が曲がったら替えどきです。"),
)
COUNTS: Mapping[str, Mapping[str, int]] = {
    "messy.jsonl": {"read": 19, "new": 8, "duplicate": 4, "leak": 1, "contradiction": 1, "rejected": 5},
    "messy.csv": {"read": 6, "new": 4, "duplicate": 1, "leak": 0, "contradiction": 0, "rejected": 1},
}
"If both are imported after experience.jsonl: read = new + duplicate + leak + contradiction + rejected."


def messy_files(experience: Sequence[Mapping[str, str]]) -> dict[str, bytes]:
    """The messy files and their counts, by name; `experience` is the batch imported before them."""
    counts = json.dumps(COUNTS, indent=2) + "\n"
    return {"messy.jsonl": _jsonl(experience), "messy.csv": _csv(experience), "messy.json": counts.encode()}


def _jsonl(experience: Sequence[Mapping[str, str]]) -> bytes:
    """Nineteen lines, faults between good ones."""
    facts = {fact.name: fact for fact in load_facts()}
    good = [_line({"instruction": q, "input": "", "output": a, "language": lang}) for q, a, lang in _GOOD]
    contaminated = ask(facts[CONTAMINATED_FACT], "ja", BENCHMARK_ROLE)
    contradicted = ask(facts[CONTRADICTED_FACT], "en", 0)
    faults = [
        _line(experience[0]),
        b'{"instruction": "What is the time in Lima", "output": "It is',
        _line(experience[101]),
        b"INFO 2026-11-20 export started",
        _line({"instruction": contaminated.instruction, "input": "", "output": contaminated.output}),
        b'{"instruction": "What is broken here?", "output": "\xff\xfe\xfa bytes \x81"}',
        _line({"instruction": contradicted.instruction, "output": "Yes, grapes are healthy for every cat."}),
        _line({"instruction": "Which drawer holds the string?"}),
        _line(experience[202]),
        _line({"instruction": "", "output": "An answer to nothing."}),
        good[0],
    ]
    mixed = [line for pair in zip(good, faults, strict=False) for line in pair] + faults[len(good) :]
    return b"".join(line + b"\n" for line in mixed)


def _line(record: Mapping[str, str]) -> bytes:
    """One record as a JSON line."""
    return json.dumps(record, ensure_ascii=False).encode()


def _csv(experience: Sequence[Mapping[str, str]]) -> bytes:
    """Six rows under `question,answer`, in CP932."""
    known = next(r for r in experience if r["language"] == "ja" and not r["input"] and "subject" not in r)
    rows = [*_CSV_GOOD[:2], ("返事のない質問です。", ""), (known["instruction"], known["output"]), *_CSV_GOOD[2:]]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([("question", "answer"), *rows])
    return text.getvalue().encode("cp932")
