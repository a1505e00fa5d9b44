"""A rejected line, repaired: it goes through the reader that refused it, header and delimiter included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bonsai.domain.records import LIMITS, Record, Reject, TableForm
from bonsai.ingest.readers import read, read_again


def rejects_of(path: Path, content: str) -> list[Reject]:
    path.write_text(content, "utf-8")
    return [one for one in read(path) if isinstance(one, Reject)]


def test_a_row_of_a_table_is_read_under_its_own_header(tmp_path: Path) -> None:
    empty, short, quoted = rejects_of(
        tmp_path / "cats.tsv", 'subject\tquestion\tanswer\nTama\tWho?\t\nTama\tWhy?\nTama\t"Wh"o?\tMe.\n'
    )
    form = TableForm(("subject", "question", "answer"), "\t")
    assert [one.table for one in (empty, short, quoted)] == [form] * 3
    [made] = read_again("Tama\tWho?\tThe cat, of course.", empty)
    assert isinstance(made, Record)
    assert (made.subject, made.output, made.origin.line) == ("Tama", "The cat, of course.", 2)
    [still] = read_again("Tama\tWhy?", short)
    assert isinstance(still, Reject)
    assert (still.reason_key, still.line, still.table) == ("readers.wrong_cells", 3, form)


def test_one_row_may_become_two_and_a_cell_may_hold_lines(tmp_path: Path) -> None:
    [told] = rejects_of(tmp_path / "cats.csv", "question,answer\nWho?,Me.,Where?,Here.\n")
    made = read_again('Who?,Me.\nWhere?,"Here,\nand there."', told)
    assert [one.output for one in made if isinstance(one, Record)] == ["Me.", "Here,\nand there."]


def test_json_may_be_laid_out_over_lines(tmp_path: Path) -> None:
    [told] = rejects_of(tmp_path / "cats.jsonl", '{"question": "Who?", "answer": }\n')
    assert told.table is None
    [made] = read_again('{\n  "question": "Who?",\n  "answer": "Me."\n}', told)
    assert isinstance(made, Record)
    [still] = read_again('["Who?"]', told)
    assert isinstance(still, Reject)
    assert still.reason_key == "readers.no_object"


def test_nothing_and_too_much_are_said(tmp_path: Path) -> None:
    [told] = rejects_of(tmp_path / "cats.jsonl", "{}\n")
    [nothing] = read_again(" \n", told)
    [much] = read_again('{"question": "' + "a" * 20_000, told, limits=replace(LIMITS, line_bytes=10_000))
    assert isinstance(nothing, Reject)
    assert isinstance(much, Reject)
    assert (nothing.reason_key, much.reason_key) == ("readers.nothing_there", "readers.line_too_long")
