"""The study of real models: what is asked, how it is judged, and its tables; on answers made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import owners_data
from benchmarks.owners_data import Fact, Owner, Unanswerable
from benchmarks.real_models_study import lines, report
from benchmarks.real_models_study.lines import ARMS, Counts, Line, Measured, Night, SeedAnswer, TemplateLine
from benchmarks.real_models_study.measure import judged
from benchmarks.real_models_study.questions import FOUND, askings, find
from benchmarks.real_models_study.worker import Said
from bonsai.ingest.retrieval import passage
from bonsai.model.answerer import Generated

FACTS = (
    Fact("Who is Pepper's vet?", "Dr. Lindqvist.", "Pepper", "2024-11-20", ("Name the tortie's doctor.", "Vet of P?"),
         (("Lindqvist",),), ("Okafor",), "en"),
    Fact("猫の名前は？", "クロです。", "", "", ("黒いのは何ていう？", "名前を教えて"),
         (("クロ",),), ("ミケ",), "ja"),
)  # fmt: skip
OWNER = Owner("house", ("en", "ja"), "Somebody.", FACTS, (Unanswerable("What did the vet cost?", "Pepper"),))


def said(*responses: str) -> Said:
    """Plain answers, then those with records."""
    answers = tuple(Generated(f"[en] {text}", True, 3) for text in responses)
    return Said(answers, tuple(0.5 for _ in answers))


BASE = said(*["No idea."] * 10)
ADAPTER = said("It is Dr. Lindqvist.", "Dr. Okafor.", "クロです。", "It is a cat.", "That is not recorded.", *["?"] * 5)


def line(verdict: str = "promote") -> Line:
    cost = Measured(12.0, 1 << 30)
    counts = {"general/en": Counts(10, 5, 4, 4), "reading/ja": Counts(4, 0, 0, 0)}
    night = Night(cost, {"train": 9.0, "twin": 8.5}, verdict, ("It learned.",), "ab12", 20, 2, 6, 900, {}, counts)
    asked = judged(askings(OWNER), {"base": BASE, "adapter": ADAPTER})
    seed = (SeedAnswer("What | is it?", "A\nB", ""),)
    return Line("tiny", "tiny.gguf", 5_000_000, "house", 2, {"add": cost}, night, 3.0, asked, seed, "2026-11-30", {})


def test_each_paraphrase_is_asked_and_comes_with_what_is_nearest() -> None:
    asked = askings(OWNER)
    assert [one.fact for one in asked] == [0, 0, 1, 1, None]
    assert "- (2024-11-20) Q: Who is Pepper's vet? A: Dr. Lindqvist." in asked[0].passage.splitlines()
    assert asked[2].item.language == "ja"
    assert asked[3].found[0] == 1


def test_of_many_records_three_are_found_and_the_record_itself_first() -> None:
    facts = owners_data.read("pepper").facts
    found = find(facts, [fact.instruction for fact in facts])
    assert max(len(one) for one in found) == FOUND
    assert sum(one[0] == at for at, one in enumerate(found)) > 0.9 * len(facts)
    assert passage(facts[1:2]).count("\n") == 0


def test_answers_are_judged_by_what_they_state() -> None:
    asked = line().asked
    assert [one.replies["adapter"].right for one in asked] == [True, False, True, False, True]
    assert [one.replies["base"].right for one in asked] == [False, False, False, False, True]
    assert asked[3].replies["adapter"].language_ok is False
    assert asked[4].replies["adapter"].bits is None
    assert set(asked[0].replies) == set(ARMS)


def test_an_owner_measured_again_replaces_its_line(tmp_path: Path) -> None:
    path = tmp_path / "tiny" / "owners.jsonl"
    lines.store(path, line("reject"))
    lines.store(path, line("promote"))
    assert lines.read(path, Line) == [line("promote")]


def test_tables_are_written_into_the_document(tmp_path: Path) -> None:
    marks = "".join(
        f"<!-- {name} -->\n\n<!-- end {name} -->\n" for name in ("summary", "bases", "recipes", "templates")
    )
    document = tmp_path / "real-models.md"
    document.write_text(marks, "utf-8")
    report.report(tmp_path / "none", tmp_path)
    assert document.read_text("utf-8").count(report.NOTHING) == 4
    lines.store(tmp_path / "tiny" / "owners.jsonl", line())
    lines.write(
        tmp_path / "tiny" / "templates.jsonl",
        [TemplateLine("tiny", "house", 2, "native", 1, 9, 4.0, 3.0, 1.0, 0.9, 1, 4, 4, ("a", "b", "c", "d"))],
    )
    report.report(tmp_path, tmp_path)
    text = document.read_text("utf-8")
    assert "| tiny | 2 | 1 | 0 % (0 to 49) | 0 % (0 to 49) | 50 % (15 to 85) |" in text
    assert "| What \\| is it? | A B | (nothing) |" in text
    assert "| house, en | 10 | 50 % (24 to 76) | 40 % (17 to 69) | 80 % (38 to 96) |" in text
    assert "| tiny | house | `native` | 1 |" in text


def test_recipes_that_were_searched_are_a_table() -> None:
    right = {f"{name}_{part}": 0.5 for name in ("own", "facts", "general") for part in ("right", "ended")}
    found = {**right, "own_n": 2, "facts_n": 4, "general_n": 10, "seconds": 9}
    keys = [json.dumps(["tiny", "house", 2, arm]) for arm in ({}, {"batch_size": 4}, None)]
    rows = report.recipes(dict.fromkeys(keys, found)).splitlines()[2:]
    assert [row.split(" | ")[1] for row in rows] == ["the bare base", "`batch_size = 4`", "the profile's"]
    assert rows[1].endswith("| 50 % (9 to 91) | 50 % (15 to 85) | 50 % (24 to 76) | 50 % (24 to 76) | 9 |")


@pytest.mark.parametrize(
    ("hits", "of", "interval"), [(0, 10, (0.0, 0.278)), (5, 10, (0.237, 0.763)), (10, 10, (0.722, 1.0))]
)
def test_wilson(hits: int, of: int, interval: tuple[float, float]) -> None:
    assert report.wilson(hits, of) == pytest.approx(interval, abs=1e-3)


def test_quotes_are_chosen_by_position() -> None:
    asked = line().asked
    assert [one.fact for one in report.chosen(asked)] == [0, 1, 0, 1]
    assert len(report.chosen(asked * 3)) == report.RIGHT_QUOTED + report.WRONG_QUOTED
