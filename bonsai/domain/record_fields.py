"""The fields of a record, each described once: its name, its kind, its limit, and the keys of its texts.

Used by the form, the pages, the terminal, the API reference and the record parser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "note", "day", "tag", "choice"]
TagName = Literal["language", "category", "reasoning"]


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field."""

    name: str
    kind: Kind
    "`text`: hashed into the id; `note`: a short text; `tag`: also found by Bonsai."
    label: str
    "Key of its name on pages."
    option: str = ""
    "Key of the help of its option or argument in the terminal."
    edited: bool = False
    "Whether an edit may change it."

    @property
    def about(self) -> str:
        """Key of its meaning, in the API reference."""
        return f"api.field_{self.name}"

    @property
    def limit(self) -> str:
        """Name of its limit in `records.Limits`."""
        return f"{self.name if self.kind == 'text' else 'note'}_characters"


FIELDS = (
    RecordField("instruction", "text", "dashboard.question", "cli.arg_instruction", edited=True),
    RecordField("input", "text", "dashboard.context", "cli.opt_input", edited=True),
    RecordField("output", "text", "dashboard.answer", "cli.arg_output", edited=True),
    RecordField("subject", "note", "dashboard.note_subject", "cli.opt_subject", edited=True),
    RecordField("happened_on", "day", "dashboard.note_happened_on", "cli.opt_on", edited=True),
    RecordField("feeling", "note", "dashboard.note_feeling", "cli.opt_feeling", edited=True),
    RecordField("language", "tag", "dashboard.language", "cli.opt_tag_language", edited=True),
    RecordField("category", "tag", "dashboard.category", "cli.opt_tag_category", edited=True),
    RecordField("reasoning", "tag", "dashboard.tag_reasoning", "cli.opt_tag_reasoning"),
    RecordField("source", "choice", "dashboard.note_source", "cli.opt_source"),
    RecordField("source_name", "note", "dashboard.note_source_name", "cli.opt_source_name"),
    RecordField("author", "note", "dashboard.note_author", "cli.opt_by"),
    RecordField("fact", "note", "dashboard.note_fact", "cli.opt_fact"),
)
"In the order in which they are shown."
FIELD = {one.name: one for one in FIELDS}
NAMES = tuple(FIELD)
TEXTS = tuple(one.name for one in FIELDS if one.kind == "text")
"Hashed into a record's id; searched by a text search."
NOTES = tuple(one.name for one in FIELDS if one.kind not in ("text", "tag"))
"All other fields but the tags."
TAGS: tuple[TagName, ...] = ("language", "category", "reasoning")
EDITED = tuple(one.name for one in FIELDS if one.edited)
EDITED_TAGS: tuple[TagName, ...] = ("language", "category")
