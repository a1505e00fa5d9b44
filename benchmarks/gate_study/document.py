"""Replaces a generated table between its two marks in a document."""

from __future__ import annotations

from pathlib import Path


def put(path: Path, name: str, text: str) -> None:
    """Replace the text between `<!-- name -->` and `<!-- end name -->`. Raises ValueError if they are missing."""
    content = path.read_text("utf-8")
    begins, ends = f"<!-- {name} -->\n", f"<!-- end {name} -->"
    head, found, rest = content.partition(begins)
    _, closed, tail = rest.partition(ends)
    if not found or not closed:
        raise ValueError(f"{path} has no place for {name}: {begins.strip()} ... {ends}")
    path.write_text(f"{head}{begins}\n{text.strip()}\n\n{ends}{tail}", "utf-8")
