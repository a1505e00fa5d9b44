"""Detects the format and the encoding of a file before it is read.

The encoding is found by strict decoding, not by guessing from frequencies: UTF-8 when the file (or, in a damaged
file, at least half of its lines that are not ASCII) decodes as UTF-8; else the one of CP932 and EUC-JP that decodes
more lines. EUC-JP's kana are valid CP932 too, as a row of half-width katakana, so a tie goes to the reading with
fewer of those.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bonsai.errors import InputError
from bonsai.ingest.readers.shapes import FIELD_OF_NAME

Format = Literal["jsonl", "json", "json-object", "table", "parquet"]
HEAD_BYTES = 65_536
CHUNK_BYTES = 1 << 20
VALID_FORMATS = "JSONL, JSON, CSV, TSV, Parquet"
VALID_ENCODINGS = "UTF-8, UTF-16 (BOM), CP932/Shift_JIS, EUC-JP"
_LEGACY = ("cp932", "euc_jp")
_HALF_WIDTH = re.compile(r"[\uff61-\uff9f]")
_FULL_KANA = re.compile(r"[\u3041-\u30ff]")
_BETWEEN_MEMBERS = re.compile(rb"(?<=\}),")


@dataclass(frozen=True, slots=True)
class Recognised:
    """Format and encoding of a file."""

    format: Format
    encoding: str
    "utf-8, utf-8-sig, utf-16, cp932 or euc_jp; empty for Parquet."
    delimiter: str = ""
    "Between a table's cells."


def recognise(path: Path) -> Recognised:
    """Detect the format of `path`. Raises InputError for what cannot be read as records."""
    head = _head(path)
    if head.startswith(b"PAR1"):
        return Recognised("parquet", "")
    if path.suffix.lower() == ".parquet":
        raise InputError("readers.not_parquet", path=path)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0\0" not in head[:4]:
        encoding = "utf-16"
    elif b"\0" in head:
        raise InputError("readers.binary", path=path, formats=VALID_FORMATS)
    else:
        encoding = _encoding(path)
    start = head.decode(encoding, "replace").lstrip()
    if not start:
        raise InputError("readers.empty", path=path)
    return _by_content(path, encoding, start)


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise InputError("readers.directory", path=path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise InputError("readers.missing", path=path) from None
    except OSError as error:
        raise InputError("readers.unreadable", path=path, why=error.strerror) from None
    if not head:
        raise InputError("readers.empty", path=path)
    return head


def _by_content(path: Path, encoding: str, start: str) -> Recognised:
    """The format by the first characters first, by the name only where these leave it open."""
    suffix = path.suffix.lower()
    if re.match(r"\[\s*[{\]]", start):
        return Recognised("json", encoding)
    if suffix in (".jsonl", ".ndjson"):
        return Recognised("jsonl", encoding)
    if start.startswith("{"):
        return Recognised("jsonl" if _is_json_lines(start, suffix) else "json-object", encoding)
    if suffix == ".json":
        raise InputError("readers.not_json", path=path)
    header = start.split("\n", 1)[0]
    delimiter = max(",\t;", key=lambda mark: len(known_columns(header.split(mark))))
    known = known_columns(header.split(delimiter))
    if suffix not in (".csv", ".tsv") and len(known) < 2:
        raise InputError("readers.unknown_format", path=path, formats=VALID_FORMATS)
    if not {"instruction", "output"} <= known:
        raise InputError("readers.unknown_columns", path=path, columns=header.strip()[:120])
    return Recognised("table", encoding, delimiter)


def known_columns(cells: list[str]) -> set[str]:
    """The fields that a header's cells name."""
    names = (cell.strip().strip('"').strip().lower() for cell in cells)
    return {FIELD_OF_NAME[name] for name in names if name in FIELD_OF_NAME}


def _is_json_lines(start: str, suffix: str) -> bool:
    first, _, rest = start.partition("\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return suffix != ".json" and len(start) >= HEAD_BYTES // 4 and not rest
    return suffix != ".json" or bool(rest.strip())


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        marked = file.read(3) == codecs.BOM_UTF8
        file.seek(0)
        try:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "utf-8-sig" if marked else _damaged_or_legacy(path)
    return "utf-8-sig" if marked else "utf-8"


def _damaged_or_legacy(path: Path) -> str:
    """By lines; an array on one line is taken member by member."""
    seen = 0
    decoded = dict.fromkeys(("utf-8", *_LEGACY), 0)
    kana = dict.fromkeys(_LEGACY, 0)
    with path.open("rb") as file:
        while line := file.readline(CHUNK_BYTES):
            for part in _BETWEEN_MEMBERS.split(line):
                if part.isascii():
                    continue
                seen += 1
                for encoding in decoded:
                    text = _decoded(part, encoding)
                    decoded[encoding] += text is not None
                    if text and encoding in kana:
                        kana[encoding] += len(_FULL_KANA.findall(text)) - len(_HALF_WIDTH.findall(text))
    if 2 * decoded["utf-8"] >= seen:
        return "utf-8"
    best = max(_LEGACY, key=lambda encoding: (decoded[encoding], kana[encoding]))
    if 2 * decoded[best] < seen:
        raise InputError("readers.unknown_encoding", path=path, encodings=VALID_ENCODINGS)
    return best


def _decoded(part: bytes, encoding: str) -> str | None:
    try:
        return part.decode(encoding)
    except UnicodeDecodeError:
        return None
