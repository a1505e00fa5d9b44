"""`python -m bonsai.serving.resident_worker`: answers for one base and its adapters until its parent lets go. Heavy."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from bonsai.resident import serve_requests
from bonsai.serving import asking_of
from bonsai.serving.answering import Answering


def main() -> int:
    """Keeps what it loaded."""
    answering = Answering()

    def handle(request: Mapping[str, Any]) -> Mapping[str, Any]:
        return answering.answer(asking_of(request))

    return serve_requests(handle)


if __name__ == "__main__":
    sys.exit(main())
