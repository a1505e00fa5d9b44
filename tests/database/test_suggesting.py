"""What a record that is being written would repeat, in these words or in others, among records of any number."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.context import Bonsai
from bonsai.queries.records import list_records
from bonsai.queries.suggestions import Suggestion, suggest
from storage.scale import similar, text_index
from storage.tables.records_table import RecordFilter

ASKED, ANSWERED = "Why does Mike sneeze every morning?", "It was the dust in the litter."


@pytest.fixture
def b(taught_home: Path, tmp_path: Path) -> Bonsai:
    return bootstrap.open(Path(shutil.copytree(taught_home, tmp_path / "home")), {})


@pytest.fixture
def told(b: Bonsai, at: datetime) -> str:
    """The record's id, among some hundred others."""
    places = ("sofa", "piano", "sink", "roof", "bed", "box", "shelf", "stairs", "oven", "car")
    for number in range(120):
        cat, place = f"cat{number}", places[number % len(places)]
        submit(b, {"instruction": f"Where did {cat} sleep?", "output": f"Near the {place} {number}."}, at)
    submit(b, {"instruction": ASKED, "output": ANSWERED}, at)
    drain_inbox(b, at)
    [found] = [one for one in list_records(b, RecordFilter(), None) if one.record.instruction == ASKED]
    return found.record.id


def suggested(b: Bonsai, question: str, answer: str) -> Suggestion:
    found = suggest(b, {"instruction": question, "output": answer}, None)
    assert found is not None
    return found


def ids(found: Suggestion, name: str) -> list[str]:
    return [one.record.id for one in getattr(found, name)]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Why does Mike sneeze every mornings?", "It was the dust in the litter box."),
        ("And why does Mike sneeze every morning?", ANSWERED),
        (ASKED.upper(), "It was the dust in the litter!!"),
    ],
)
def test_what_was_told_in_nearly_these_words_is_found_while_it_is_written(
    b: Bonsai, told: str, question: str, answer: str
) -> None:
    found = suggested(b, question, answer)
    assert (ids(found, "near"), ids(found, "contradicts")) == ([told], [])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Why does Mike purr?", "He likes it."),
        ("How long did Mike sneeze?", ANSWERED.replace("dust", "pollen")),
        ("Where did cat500 sleep?", "Near the moon."),
    ],
)
def test_what_merely_speaks_of_the_same_is_no_repetition(b: Bonsai, told: str, question: str, answer: str) -> None:
    found = suggested(b, question, answer)
    assert [ids(found, one) for one in ("near", "contradicts")] == [[], []]


def test_what_is_forgotten_is_not_shown(b: Bonsai, told: str, at: datetime) -> None:
    forget_records(b, [told], "mika", at)
    assert ids(suggested(b, "And why does Mike sneeze every morning?", ANSWERED), "near") == []


def test_few_blocks_are_read_and_the_right_one_is_among_them(b: Bonsai, told: str) -> None:
    with b.database.reading() as con:
        found = similar.most_similar(con, f"{ASKED} {ANSWERED}")
        assert similar.most_similar(con, "") == []
    assert told in {one.record.id for one in found}
    assert len(found) <= similar.MAX_SIMILAR_BLOCKS * text_index.BLOCK
