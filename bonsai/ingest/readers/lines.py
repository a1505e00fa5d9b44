"""The lines of a text file in bounded memory, whatever their length and whatever bytes they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bonsai.domain.characters import has_surrogates
from bonsai.ingest.readers.elements import Broken, Element

SKIP_BYTES = 1 << 20
RAW_BYTES = 40_000
"Bytes kept of a line that is too long; enough for the 10,000 characters that a reject keeps."


def lines(path: Path, encoding: str, max_bytes: int) -> Iterator[Element | Broken]:
    """Each line without its end, as the value of an `Element`; a bad line as `Broken`, and the next ones go on.

    A line feed is never part of a longer character in UTF-8, CP932 or EUC-JP, so their lines are cut as bytes; UTF-16
    is decoded first.
    """
    if encoding == "utf-16":
        with path.open(encoding=encoding, errors="surrogatepass", newline="\n") as wide:
            yield from _wide_lines(wide, max_bytes)
    else:
        with path.open("rb") as file:
            yield from _byte_lines(file, encoding, max_bytes)


def _byte_lines(file: IO[bytes], encoding: str, max_bytes: int) -> Iterator[Element | Broken]:
    number = 0
    while line := file.readline(max_bytes + 1):
        number += 1
        if len(line) > max_bytes and not line.endswith(b"\n"):
            size = len(line) + _skip(file)
            beginning = line[:RAW_BYTES].decode(encoding, "backslashreplace")
            yield Broken(number, beginning, "readers.line_too_long", (("size", size), ("limit", max_bytes)))
            continue
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            shown = line.decode(encoding, "backslashreplace").rstrip("\r\n")
            values = (("encoding", encoding), ("byte", error.start + 1))
            yield Broken(number, shown, "readers.undecodable_line", values)
            continue
        text = text.rstrip("\r\n")
        yield Element(number, text, text)


def _skip(file: IO[bytes]) -> int:
    """Skip the rest of a line; returns its number of bytes."""
    skipped = 0
    while part := file.readline(SKIP_BYTES):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _wide_lines(file: IO[str], max_characters: int) -> Iterator[Element | Broken]:
    number = 0
    while line := file.readline(max_characters + 1):
        number += 1
        size = len(line)
        if size > max_characters and not line.endswith("\n"):
            while (part := file.readline(SKIP_BYTES)) and not part.endswith("\n"):
                size += len(part)
            values = (("size", size), ("limit", max_characters))
            yield Broken(number, line[:RAW_BYTES], "readers.line_too_long", values)
        elif has_surrogates(line):
            yield Broken(number, line, "readers.undecodable_line", (("encoding", "utf-16"), ("byte", 1)))
        else:
            text = line.rstrip("\r\n")
            yield Element(number, text, text)
