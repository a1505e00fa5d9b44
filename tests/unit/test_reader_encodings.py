from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readings import CAT, DOG, Write, lines, records, split

from bonsai.ingest.readers.recognise import recognise


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp932", "cp932"),
        ("shift_jis", "cp932"),
        ("euc_jp", "euc_jp"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_encodings_are_found_by_strict_decoding(write: Write, encoding: str, found: str, name: str) -> None:
    content = {
        "a.jsonl": lines(CAT, DOG).replace("\n", "\r\n"),
        "a.json": json.dumps([CAT, DOG], ensure_ascii=False),
        "a.csv": f"instruction,output\r\n{CAT['instruction']},{CAT['output']}\r\n",
    }[name]
    path = write(name, content.encode(encoding))
    assert recognise(path).encoding == found
    assert records(path)[0].instruction == CAT["instruction"]


@given(st.lists(st.text("あいうえおかきくけこネコイヌ猫犬水東京。、", min_size=4, max_size=20), min_size=1, max_size=5))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_cp932_and_euc_jp_are_told_apart(tmp_path: Path, questions: list[str]) -> None:
    for encoding in ("cp932", "euc_jp"):
        path = tmp_path / f"{encoding}.jsonl"
        path.write_bytes(lines(*({"question": q, "answer": "猫です。"} for q in questions)).encode(encoding))
        assert recognise(path).encoding == encoding


@pytest.mark.parametrize("bad", ["猫".encode("cp932"), b"\xff\xfe", b"\x80"])
def test_a_line_of_other_bytes_is_rejected_alone(write: Write, bad: bytes) -> None:
    good = lines(CAT).encode()
    path = write("a.jsonl", good + b'{"instruction": "x", "output": "' + bad + b'"}\n' + lines(DOG).encode())
    made, rejects = split(path)
    assert [one.origin.line for one in made] == [1, 3]
    assert [(one.line, one.reason_key) for one in rejects] == [(2, "readers.undecodable_line")]
    assert "\\x" in rejects[0].raw


def test_a_member_of_other_bytes_is_rejected_alone(write: Write) -> None:
    members = [json.dumps(one, ensure_ascii=False).encode() for one in (CAT, CAT | {"input": "x"}, DOG)]
    members.insert(1, b'{"instruction": "x", "output": "\xff\xfe"}')
    made, rejects = split(write("a.json", b"[" + b", ".join(members) + b"]"))
    assert len(made) == 3
    assert [one.line for one in rejects] == [2]
