"""The body of `POST /uploads`: a file as it is, streamed to the disk, hashed on the way, never whole in memory."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bonsai.dashboard.problems import Problem, is_full
from bonsai.dashboard.records.upload_body import begin, refuse_early, timely
from bonsai.dashboard.web import Site


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file whose bytes are all on the disk."""

    folder: Path
    path: Path
    sha256: str

    def clear(self) -> None:
        """Whatever nobody took into the home."""
        shutil.rmtree(self.folder, ignore_errors=True)


async def receive(site: Site, request: Request) -> Arrived:
    """The whole body. Raises Problem, and then nothing is left of it."""
    most = site.settings.upload_megabytes * 1_000_000
    refuse_early(request.headers.get("content-length", "0"), most, site.b.home)
    arriving = await run_in_threadpool(begin, site.b.places.uploads, most)
    digest = hashlib.sha256()
    try:
        async for chunk in timely(request):
            await run_in_threadpool(arriving.take, chunk)
            digest.update(chunk)
        await run_in_threadpool(arriving.close)
    except BaseException as error:  # also when the program goes away, or this process is asked to end
        arriving.file.close()
        await run_in_threadpool(shutil.rmtree, arriving.folder, ignore_errors=True)
        if isinstance(error, OSError) and is_full(error):
            raise Problem(507, "entering.problem_no_room") from None
        raise
    return Arrived(arriving.folder, arriving.path, digest.hexdigest())
