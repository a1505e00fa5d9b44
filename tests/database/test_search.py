"""A search finds what a look at every text finds, in any script, page by page; and nothing of what was forgotten."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bonsai.actions.maintenance import check, rebuild
from bonsai.bootstrap import open as open_home
from storage import forgetting
from storage.connect import Connection
from storage.home import Home
from storage.scale import text_index
from storage.scale.search import Found, search
from storage.scale.text_index import BLOCK
from storage.tables import records_table, settings_table
from storage.tables.record_rows import NewRecord
from storage.tables.records_table import RecordFilter

TEXTS = st.text(st.sampled_from("abcABC猫犬がカ。 1é😺ß"), min_size=1, max_size=12)


def told(con: Connection, make_record: Callable[..., NewRecord], answers: list[str], at: datetime) -> None:
    new = [make_record("問" * (number + 1), answer) for number, answer in enumerate(answers)]
    records_table.insert_records(con, new, "batch", at)


def whole(con: Connection, wanted: RecordFilter, page: int, seconds: float) -> list[str]:
    """The outputs of all pages, the newest first."""
    outputs: list[str] = []
    found = Found((), "")
    while True:
        found = search(con, wanted, page, found.rest, seconds=seconds)
        outputs += [one.record.output for one in found.records]
        if not found.rest:
            return outputs


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.lists(TEXTS, min_size=1, max_size=60), words=TEXTS.map(lambda text: text[:3]), page=st.integers(1, 20)
)
def test_a_search_finds_what_a_look_at_every_text_finds(
    home: Home, make_record: Callable[..., NewRecord], at: datetime, answers: list[str], words: str, page: int
) -> None:
    with home.database.writing() as con:
        told(con, make_record, answers, at)
        stored = [one.record.output for one in records_table.list_records(con)][::-1]
        expected = [one for one in stored if unicodedata.normalize("NFKC", words).lower() in one.lower()]
        assert whole(con, RecordFilter(text=words), page, 0.0) == expected
        con.execute("ROLLBACK; BEGIN")  # the next example begins anew


def test_other_filters_hold_too(home: Home, make_record: Callable[..., NewRecord], at: datetime) -> None:
    with home.database.writing() as con:
        new = [make_record(f"Why {n}?", "A cat.", subject="Mike" if n % 3 else "Tama") for n in range(100)]
        records_table.insert_records(con, new, "batch", at)
        found = search(con, RecordFilter(text="cat", subject="Tama"), 50, seconds=1)
        assert [one.record.instruction for one in found.records] == [f"Why {n}?" for n in range(99, -1, -3)]
        assert not found.rest


def test_few_blocks_are_read_for_a_rare_word(home: Home, make_record: Callable[..., NewRecord], at: datetime) -> None:
    with home.database.writing() as con:
        told(
            con,
            make_record,
            [f"Answer about the cat {n} " + ("銀河鉄道" if n == 700 else "") for n in range(800)],
            at,
        )
        assert text_index.candidates(con, "銀河鉄道") == [701 // BLOCK]
        assert text_index.candidates(con, "cat 70")[-1] <= 70 // BLOCK
        assert len(text_index.candidates(con, "answer")) == 800 // BLOCK + 1


def test_what_was_forgotten_leaves_no_sign(home: Home, make_record: Callable[..., NewRecord], at: datetime) -> None:
    with home.database.writing() as con:
        told(con, make_record, ["A quokka lives here.", *["A cat."] * 1], at)
        secret = search(con, RecordFilter(text="QUOKKA"), 5, seconds=1).records[0].record.id
        forgetting.forget(con, secret, "Mika", at)
        assert text_index.candidates(con, "quokka") == []
        assert not text_index.is_wrong(con)


def test_an_older_home_is_searched_before_and_after_it_is_signed(
    home: Home, make_record: Callable[..., NewRecord], at: datetime
) -> None:
    with home.database.writing() as con:
        told(con, make_record, [f"Answer {n}" for n in range(100)], at)
        con.execute("DELETE FROM text_blocks")  # as its migration leaves a home that has records
        settings_table.put(con, settings_table.TEXTS_UNSIGNED_TO, 100, at)
        records_table.insert_records(con, [make_record("One more?", "Answer 100")], "batch", at)
        assert len(whole(con, RecordFilter(text="answer"), 7, 0.0)) == 101
    text_index.complete(home.database, at)
    with home.database.reading() as con:
        assert len(whole(con, RecordFilter(text="answer"), 7, 0.0)) == 101
        assert text_index.candidates(con, "quokka") == []
        assert not text_index.is_wrong(con)


def test_a_wrong_index_is_found_and_made_anew(home: Home, make_record: Callable[..., NewRecord], at: datetime) -> None:
    with home.database.writing() as con:
        told(con, make_record, [f"Answer {n}" for n in range(100)], at)
        con.execute("UPDATE text_blocks SET w7 = 0 WHERE block = 3")
    b = open_home(home.root, {})
    assert "text_blocks" in next(one.detail for one in check(b) if not one.ok)
    assert rebuild(b, at) == ("text_blocks",)
    assert all(one.ok for one in check(b))
