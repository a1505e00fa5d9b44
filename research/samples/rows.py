"""The bundled records as training rows, for experiments and benchmarks without a home."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from bonsai.domain.records import Language, content_id, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.ingest.tags.language import guess
from bonsai.samples import sample_path


def sample_rows(name: str = "experience.jsonl") -> tuple[Example, ...]:
    """Records of a bundled file, in order."""
    return tuple(row_of(json.loads(line)) for line in sample_path(name).read_text("utf-8").splitlines())


def row_of(line: Mapping[str, str]) -> Example:
    """A line of a bundled file as a training row; a reasoning in the file is kept, as in a night."""
    instruction, context, output, language = line["instruction"], line["input"], line["output"], line["language"]
    return Example(
        record_id=content_id(instruction, context, output),
        role="own",
        instruction=instruction,
        context=context,
        reasoning=line.get("reasoning") or reasoning_sentence(guess(instruction).language, cast("Language", language)),
        category=line["category"],
        language=language,
        output=output,
    )
