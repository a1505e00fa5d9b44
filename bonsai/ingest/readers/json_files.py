"""JSON: one record per line, an array of records, or one object that holds them.

An array is read member by member, so a file larger than the memory passes. A broken or overlong member costs itself
alone: reading continues at the next `}, {`.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bonsai.errors import InputError
from bonsai.ingest.readers.elements import Broken, Element, Elements
from bonsai.ingest.readers.lines import lines

CHUNK_BYTES = 1 << 20
OBJECT_BYTES = 1 << 26
"Largest file that is one object: it is read whole, and small records take ten times as much memory."
LISTS = ("data", "records", "rows", "examples", "instances", "train")
"Keys under which an object holds its records."
_SPACE = re.compile(r"[\s,]*")
_NEXT_MEMBER = re.compile(r"\}\s*,\s*(?=\{)")
_DECODER = json.JSONDecoder()


def read_json_lines(path: Path, encoding: str, max_bytes: int) -> Elements:
    """One value per line; blank lines are skipped."""
    for line in lines(path, encoding, max_bytes):
        if isinstance(line, Broken):
            yield line
        elif line.raw.strip():
            yield loaded(line)


def loaded(line: Element) -> Element | Broken:
    """A line's text parsed as JSON."""
    try:
        return Element(line.line, json.loads(line.raw), line.raw)
    except json.JSONDecodeError as error:
        return Broken(line.line, line.raw, "readers.broken_json", (("why", error.msg), ("column", error.colno)))
    except (ValueError, RecursionError):  # a number of 5,000 digits; brackets nested 10,000 deep
        return Broken(line.line, line.raw, "readers.broken_json", (("why", "too deep or too long"), ("column", 1)))


def read_json_object(path: Path, encoding: str, max_bytes: int) -> Elements:
    """The members of the object's list of records, or the object itself as the only record."""
    if path.stat().st_size > OBJECT_BYTES:
        raise InputError("readers.object_too_large", path=path, limit=OBJECT_BYTES)
    try:
        value = json.loads(path.read_bytes().decode(encoding))
    except (ValueError, RecursionError):
        raise InputError("readers.not_json", path=path) from None
    members = next((value[name] for name in LISTS if isinstance(value.get(name), list)), [value])
    for number, member in enumerate(members, 1):
        yield Element(number, member, json.dumps(member, ensure_ascii=False)[:max_bytes])


def read_json_array(path: Path, encoding: str, max_bytes: int) -> Elements:
    """The members of an array, in bounded memory. Lone surrogates stand for undecodable bytes."""
    window = _Window(_chunks(path, encoding), max_bytes)
    window.open()
    number = 0
    while window.more():
        number += 1
        yield window.member(number)
    if not window.closed:
        yield Broken(number + 1, "", "readers.array_not_closed")


def _chunks(path: Path, encoding: str) -> Iterator[str]:
    errors = "surrogatepass" if encoding == "utf-16" else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield decoder.decode(chunk)


@dataclass(slots=True)
class _Window:
    """The part of the file in memory, and the position in it."""

    chunks: Iterator[str]
    limit: int
    text: str = ""
    at: int = 0
    ended: bool = False
    closed: bool = False

    def grow(self) -> bool:
        """Drop what was read and read another chunk; False at the end of the file."""
        chunk = next(self.chunks, None)
        if chunk is None:
            self.ended = True
            return False
        self.text = self.text[self.at :] + chunk
        self.at = 0
        return True

    def open(self) -> None:
        """Step over the opening bracket."""
        self.grow()
        self.at = self.text.index("[") + 1

    def more(self) -> bool:
        """Whether a member follows."""
        while True:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self.text):
                self.closed = self.text[self.at] == "]"
                return not self.closed
            if not self.grow():
                return False

    def member(self, number: int) -> Element | Broken:
        """The member at the position, or a broken part."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too long"
                if len(self.text) - self.at <= self.limit and self.grow():
                    continue
                return self._skipped(number, why)
            if end == len(self.text) and self.grow():  # a number may go on in the next chunk
                continue
            raw, self.at = self.text[self.at : end], end
            if len(raw) > self.limit:
                return Broken(number, raw, "readers.line_too_long", (("size", len(raw)), ("limit", self.limit)))
            return Element(number, value, raw)

    def _skipped(self, number: int, why: str) -> Broken:
        """Skip to the next member; the text before it is broken."""
        raw = self.text[self.at : self.at + self.limit]
        if len(self.text) - self.at > self.limit:
            values: tuple[tuple[str, object], ...] = (("size", f"> {self.limit}"), ("limit", self.limit))
            broken = Broken(number, raw, "readers.line_too_long", values)
        else:
            broken = Broken(number, raw, "readers.broken_json", (("why", why), ("column", 1)))
        while not (found := _NEXT_MEMBER.search(self.text, self.at)):
            self.at = max(self.at, len(self.text) - 1_000)  # the mark may lie across two chunks
            if not self.grow():
                self.closed = self.text.rstrip().endswith("]")
                self.at = len(self.text)
                return broken
        cut = Broken(number, raw[: found.end() - self.at], broken.reason_key, broken.values)
        self.at = found.end()
        return cut
