"""Streaming upload bodies: `multipart/form-data` with one file, written to disk as it arrives.

Parsed with python-multipart, on which Starlette's form parser is built; that one spools to a temporary folder first and
does not bound files. Whatever ends the request early removes the received bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from os import fsync
from pathlib import Path
from typing import IO, Annotated

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from bonsai.system.files import is_full
from bonsai.web.problems import Problem
from bonsai.web.request import Contributor, Site
from bonsai.web.security import BODY_SECONDS
from storage import uploads

FIELD = b"file"
OVERHEAD_BYTES = 100_000
"Allowance beside the file: boundaries, headers, unknown fields."
MIN_FREE_BYTES = 1_000_000_000
"Free disk space kept for the database and the next night."


@dataclass(slots=True)
class IncomingFile:
    """A file being received into `folder`/arrived."""

    folder: Path
    most: int
    "Maximum in bytes."
    file: IO[bytes]
    name: str = ""
    "As sent by the browser; never used as a path."
    size: int = 0
    whole: bool = False
    "The closing boundary arrived."
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _taking: bool = False

    @property
    def path(self) -> Path:
        """Path of the received bytes."""
        return self.folder / "arrived"

    def parser(self, boundary: bytes) -> MultipartParser:
        """Parser with this object's callbacks."""
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header_ends,
                "on_part_data": self._part_data,
                "on_end": self._body_ends,
            },
        )

    def _part_begins(self) -> None:
        self._taking = False
        self._header.clear()
        self._value.clear()

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            first = not self.name and options.get(b"name") == FIELD
            if first and options.get(b"filename"):
                self.name, self._taking = options[b"filename"].decode("utf-8", "replace"), True
        self._header.clear()
        self._value.clear()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._taking:
            self.take(data[start:end])

    def take(self, data: bytes) -> None:
        """Feed data. Raises Problem if the limit is exceeded."""
        self.size += len(data)
        if self.size > self.most:
            raise _too_large(self.most)
        self.file.write(data)

    def _body_ends(self) -> None:
        self.whole = True

    def close(self) -> None:
        """Flush to disk and close."""
        self.file.flush()
        fsync(self.file.fileno())
        self.file.close()


async def receive(visit: Contributor, request: Request) -> IncomingFile:
    """The uploaded file, complete and on disk. Raises Problem, and then removes everything."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not 0 < len(options.get(b"boundary", b"")) <= 70:
        raise Problem(415, "entering.problem_no_upload")
    most = visit.site.settings.upload_megabytes * 1_000_000
    folder = visit.b.places.uploads
    check_length(request.headers.get("content-length", "0"), most, visit.b.home)
    arriving = await run_in_threadpool(start_receiving, folder, most)
    try:
        await _read(request, arriving, options[b"boundary"])
    except BaseException:  # also on disconnect or shutdown
        arriving.file.close()
        shutil.rmtree(arriving.folder, ignore_errors=True)
        raise
    return arriving


async def _read(request: Request, arriving: IncomingFile, boundary: bytes) -> None:
    try:
        write: Callable[[bytes], int] = arriving.parser(boundary).write
        total = 0
        async for chunk in with_timeout(request):
            total += len(chunk)
            if total > arriving.most + OVERHEAD_BYTES:
                raise _too_large(arriving.most)
            await run_in_threadpool(write, chunk)
        await run_in_threadpool(arriving.close)
    except FormParserError:
        raise Problem(422, "entering.problem_no_upload") from None
    except OSError as error:
        if is_full(error):
            raise Problem(507, "entering.problem_no_room") from None
        raise
    if not arriving.whole:
        raise Problem(422, "entering.problem_broken_off")
    if not arriving.name:
        raise Problem(422, "entering.problem_no_file")


async def with_timeout(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises Problem if it stalls: a phone may lose its connection."""
    chunks = aiter(request.stream())
    try:
        while True:
            async with asyncio.timeout(BODY_SECONDS):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk
    except TimeoutError:
        raise Problem(408, "problem_too_slow") from None


def start_receiving(folder: Path, most: int) -> IncomingFile:
    """Start receiving."""
    place = uploads.start(folder)
    return IncomingFile(place, most, (place / "arrived").open("wb"))


def check_length(length: str, most: int, home: Path) -> None:
    """Check Content-Length before reading; actual bytes are counted too."""
    if not length.isdecimal() or int(length) > most + OVERHEAD_BYTES:
        raise _too_large(most)
    if shutil.disk_usage(home).free - int(length) < MIN_FREE_BYTES:
        raise Problem(507, "entering.problem_no_room")


def _too_large(most: int) -> Problem:
    return Problem(413, "entering.problem_too_large", megabytes=most // 1_000_000)


Upload = Annotated[IncomingFile, Depends(receive)]


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file completely on disk."""

    folder: Path
    path: Path
    sha256: str

    def clear(self) -> None:
        """Remove the file unless the home has taken it over."""
        shutil.rmtree(self.folder, ignore_errors=True)


async def receive_raw(site: Site, request: Request) -> ReceivedFile:
    """The raw body, complete and on disk. Raises Problem, and then removes everything."""
    most = site.settings.upload_megabytes * 1_000_000
    check_length(request.headers.get("content-length", "0"), most, site.b.home)
    arriving = await run_in_threadpool(start_receiving, site.b.places.uploads, most)
    digest = hashlib.sha256()
    try:
        async for chunk in with_timeout(request):
            await run_in_threadpool(arriving.take, chunk)
            digest.update(chunk)
        await run_in_threadpool(arriving.close)
    except BaseException as error:  # also on disconnect or shutdown
        arriving.file.close()
        await run_in_threadpool(shutil.rmtree, arriving.folder, ignore_errors=True)
        if isinstance(error, OSError) and is_full(error):
            raise Problem(507, "entering.problem_no_room") from None
        raise
    return ReceivedFile(arriving.folder, arriving.path, digest.hexdigest())
