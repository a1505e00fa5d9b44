from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readings import CAT, DOG, Write, lines, records, split

from bonsai.domain.records import LIMITS, Category, Record, Reject
from bonsai.errors import InputError
from bonsai.i18n import TEXT_LANGUAGES
from bonsai.ingest.readers import read
from bonsai.ingest.readers.bilingual import merge
from bonsai.ingest.readers.recognise import recognise
from bonsai.ingest.readers.shapes import ShapeError, fields_of

CAT_CELLS = (CAT["instruction"], CAT["output"])
TURNS = (("user", "One?"), ("assistant", "1."), ("user", "Two?"), ("assistant", "2."))
SHARE_GPT = {"user": "human", "assistant": "gpt"}

# --- formats


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.jsonl", lines(CAT, DOG), "jsonl"),
        ("a.json", json.dumps([CAT, DOG]), "json"),
        ("a.json", json.dumps([CAT, DOG], indent=1, ensure_ascii=False), "json"),
        ("a.json", lines(CAT, DOG), "jsonl"),
        ("a.json", json.dumps({"version": 1, "data": [CAT, DOG]}, indent=2), "json-object"),
        ("a.data", lines(CAT, DOG), "jsonl"),
        ("a.jsonl", "\n\n" + lines(CAT).replace("\n", "\r\n") + "\r\n" + lines(DOG), "jsonl"),
        ("a.csv", f'question,answer\n{CAT_CELLS[0]},{CAT_CELLS[1]}\nCan dogs swim?,"{DOG["output"]}"\n', "table"),
        ("a.tsv", f"question\tanswer\n{CAT_CELLS[0]}\t{CAT_CELLS[1]}\nCan dogs swim?\t{DOG['output']}", "table"),
        ("a.txt", f"質問;回答\n{CAT_CELLS[0]};{CAT_CELLS[1]}\nCan dogs swim?;{DOG['output']}\n", "table"),
    ],
)  # fmt: skip
def test_every_format_gives_the_same_records(write: Write, name: str, content: str, format: str) -> None:
    path = write(name, content)
    assert recognise(path).format == format
    made = records(path)
    assert [(one.instruction, one.output) for one in made] == [(r["instruction"], r["output"]) for r in (CAT, DOG)]


def test_parquet_is_read_with_dates_and_chats(tmp_path: Path) -> None:
    import datetime

    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    rows = [CAT | {"happened_on": datetime.date(2024, 3, 2)}, DOG | {"happened_on": None}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert [str(one.happened_on) for one in records(path)] == ["2024-03-02", "None"]
    chats = [{"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]}]
    pq.write_table(pa.Table.from_pylist(chats), path)
    assert [(one.instruction, one.output) for one in records(path)] == [("Hi?", "Hello.")]


# --- shapes


def test_dolly_is_read_with_its_categories(write: Write) -> None:
    dolly = {"instruction": "Who?", "context": "Ann did it.", "response": "Ann.", "category": "information_extraction"}
    made = records(write("a.jsonl", lines(dolly)))[0]
    assert (made.input, made.output, made.category) == ("Ann did it.", "Ann.", Category.CLOSED_QA)


@pytest.mark.parametrize(
    "chat",
    [
        {"messages": [{"role": role, "content": said} for role, said in TURNS]},
        {"conversations": [{"from": SHARE_GPT[role], "value": said} for role, said in TURNS]},
    ],
)  # fmt: skip
def test_each_answered_turn_of_a_chat_is_a_record(chat: dict[str, object]) -> None:
    first, second = fields_of(chat | {"language": "en"})
    assert (first["instruction"], first["input"], first["output"]) == ("One?", "", "1.")
    assert (second["instruction"], second["input"], second["language"]) == ("Two?", "User: One?\nAssistant: 1.", "en")


def test_a_chat_without_an_answer_is_no_record() -> None:
    with pytest.raises(ShapeError, match="no_answered_turn"):
        fields_of({"messages": [{"role": "user", "content": "Hello?"}]})


# --- what is broken


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "readers.broken_json"),
        ('{"instruction": "cut o', "readers.broken_json"),
        ("[" * 100_000, "readers.broken_json"),
        ("1" * 5_000, "readers.broken_json"),
        ("3", "readers.no_object"),
        ('{"title": "x"}', "readers.no_shape"),
        ('{"instruction": "x"}', "readers.no_shape"),
        ('{"messages": "x"}', "readers.no_chat"),
        ('{"instruction": "x", "output": ""}', "records.empty_output"),
        ('{"instruction": "x", "output": "\\ud83d"}', "records.broken_character"),
    ],
)
def test_a_broken_line_costs_itself_alone(write: Write, line: str, reason: str) -> None:
    made, rejects = split(write("a.jsonl", lines(CAT) + line + "\n" + lines(DOG)))
    assert [one.origin.line for one in made] == [1, 3]
    assert [(one.file, one.line, one.reason_key) for one in rejects] == [("a.jsonl", 2, reason)]
    assert rejects[0].raw == line[:10_000]


@pytest.mark.parametrize("broken", ['{"instruction": "x" "output": "y"}', '{"instruction": nope, "output": "y"}'])
def test_a_broken_member_costs_itself_alone(write: Write, broken: str) -> None:
    content = f"[{json.dumps(CAT)}, {broken}, {json.dumps(DOG)}]"
    made, rejects = split(write("a.json", content))
    assert len(made) == 2
    assert [(one.line, one.reason_key) for one in rejects] == [(2, "readers.broken_json")]


def test_an_array_that_was_cut_off_keeps_its_whole_members(write: Write) -> None:
    made, rejects = split(write("a.json", json.dumps([CAT, DOG])[:-10]))
    assert len(made) == 1
    assert rejects[0].line == 2
    made, rejects = split(write("b.json", json.dumps([CAT, DOG])[:-1]))
    assert len(made) == 2
    assert rejects[0].reason_key == "readers.array_not_closed"


def test_rows_of_another_length_or_with_loose_quotes_are_rejected(write: Write) -> None:
    rows = 'question,answer\nOne?,1.\nTwo?,2.,3.\n"Three"?,3.\n"Four\nlines?",4.\n,\nFive?,5.\n'
    made, rejects = split(write("a.csv", rows))
    assert [(one.origin.line, one.instruction) for one in made] == [(2, "One?"), (5, "Four\nlines?"), (8, "Five?")]
    assert [(one.line, one.reason_key) for one in rejects] == [(3, "readers.wrong_cells"), (4, "readers.broken_row")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_an_overlong_element_is_one_reject_in_bounded_memory(write: Write, name: str) -> None:
    limits = replace(LIMITS, line_bytes=100_000)
    huge = "x" * 8_000_000
    content = {
        "a.jsonl": lines(CAT, {"instruction": huge, "output": "y"}, DOG),
        "a.json": json.dumps([CAT, {"instruction": huge, "output": "y"}, DOG]),
        "a.csv": f"question,answer\nOne?,1.\n{huge},2.\nThree?,3.\n",
    }[name]
    path = write(name, content)
    del huge, content
    tracemalloc.start()
    made, rejects = split(path, limits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(made) == 2
    assert [one.reason_key for one in rejects] == ["readers.line_too_long"]
    assert peak < 7_000_000


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", b"", "readers.empty"),
        ("a.jsonl", b"\xef\xbb\xbf \n", "readers.empty"),
        ("a.json", b"\x89PNG\r\n\0\0\0", "readers.binary"),
        ("a.xyz", b"Dear diary, today it rained.\n", "readers.unknown_format"),
        ("a.csv", b"name,colour\nMike,black\n", "readers.unknown_columns"),
        ("a.json", b"hello", "readers.not_json"),
        ("a.json", b'{"data": [', "readers.not_json"),
        ("a.parquet", b"PAR2", "readers.not_parquet"),
        ("a.parquet", b"PAR1 torn", "readers.not_parquet"),
        ("a.csv", b"instruction,output\ncaf\xe9,x\nna\xefve,y\n", "readers.unknown_encoding"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(write: Write, name: str, content: bytes, reason: str) -> None:
    path = write(name, content)
    with pytest.raises(InputError) as refused:
        list(read(path))
    assert refused.value.key == reason
    for language in TEXT_LANGUAGES:
        assert str(path) in refused.value.render(language)
        assert "\n" not in refused.value.render(language)


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.jsonl", "readers.missing"), (tmp_path, "readers.directory")):
        with pytest.raises(InputError) as refused:
            recognise(path)
        assert refused.value.key == reason


@given(st.binary(max_size=300))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_give_records_rejects_or_one_clear_error(tmp_path: Path, content: bytes) -> None:
    for name in ("a.jsonl", "a.json", "a.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        try:
            made = list(read(path))
        except InputError:
            continue
        assert all(isinstance(one, (Record, Reject)) for one in made)


# --- the bilingual merge


def test_two_files_are_interleaved_into_pairs_that_share_a_fact(write: Write) -> None:
    english = write("en.json", json.dumps([DOG, DOG | {"input": "b", "reasoning": "Mine."}, DOG | {"input": "c"}]))
    japanese = write("ja.json", json.dumps([CAT, CAT | {"output": ""}]))
    rows = list(merge(english, japanese))
    assert [row.name for row in rows] == ["1EN", "1JA", "2EN", "2JA", "3EN"]
    first, second = rows[0].made, rows[1].made
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.fact == second.fact == "en+ja:1"
    assert isinstance(rows[2].made, Record)
    assert rows[2].made.reasoning == "Mine."
    assert isinstance(rows[3].made, Reject)
