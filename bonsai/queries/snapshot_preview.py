"""Preview of the next snapshot: rendered examples, token cost per language, and records too long to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bonsai.context import Bonsai
from bonsai.model.bases import model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.native import template_of
from bonsai.night.prepare import example
from bonsai.train.preview import Preview, TokenCost, preview, sized, token_costs
from storage.scale.pacing import read_in_batches
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord

SHOWN = 3
"Records shown when none is named."


@dataclass(frozen=True, slots=True)
class TooLong:
    """A record that is skipped in training until it is shortened or split."""

    record_id: str
    tokens: int
    instruction: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """Preview of the next night's training data."""

    profile: str
    template: str
    limit: int
    "Longest example in tokens, question and answer together."
    records: int
    "Number of records that may train."
    previews: tuple[Preview, ...]
    costs: tuple[TokenCost, ...]
    "Over the questions and answers of all records that may train."
    longest: int
    "Tokens of the longest example."
    too_long: tuple[TooLong, ...]


def preview_records(b: Bonsai, ids: Sequence[str] = ()) -> Preflight:
    """Preview the named records, or the newest of each language; read-only.

    Raises UnknownId for an unknown id, ConfigError if the profile's base is missing.
    """
    stored = list(read_in_batches(b.database, records_table.eligible))
    with b.database.reading() as con:
        named = [records_table.get(con, one) for one in ids]
    name = b.find_profile()
    profile = b.config.profiles[name]
    folder = model_folder(profile.base)
    encoder, form = load_encoder(folder), template_of(folder, profile.recipe.template)
    limit = profile.base.max_tokens
    lengths = [encoder.tokens(form, example(one)) for one in stored]
    texts = [
        sized(encoder, text, language)
        for one in stored
        for text, language in (
            (one.record.instruction, one.question_language),
            (one.record.output, one.tags.language.value),
        )
    ]
    return Preflight(
        profile=name,
        template=form.name,
        limit=limit,
        records=len(stored),
        previews=tuple(preview(encoder, form, example(one), limit) for one in named or _newest(stored)),
        costs=token_costs(texts),
        longest=max(lengths, default=0),
        too_long=tuple(
            TooLong(one.record.id, tokens, one.record.instruction)
            for one, tokens in zip(stored, lengths, strict=True)
            if tokens > limit
        ),
    )


def _newest(stored: Sequence[StoredRecord]) -> list[StoredRecord]:
    """The newest of each language, then the newest of all."""
    newest = list(stored[::-1])
    firsts = {one.tags.language.value: one for one in stored}  # the last of each language wins
    chosen = sorted(firsts.values(), key=newest.index)[:SHOWN]
    return chosen + [one for one in newest if one not in chosen][: SHOWN - len(chosen)]
