"""How many records wait for a person, counted in one pass over the table."""

from __future__ import annotations

from dataclasses import dataclass

from storage.connect import Connection
from storage.records_table import UNCERTAIN
from storage.sql import rows


@dataclass(frozen=True, slots=True)
class Standing:
    """Records that somebody should look at."""

    held_back: int
    contradictions: int
    "Of those held back."
    suspects: int
    uncertain: int
    "Active, with a tag that Bonsai gave itself and is not sure of."


def standing(con: Connection) -> Standing:
    """The same numbers that `records_table.count` gives for each filter."""
    query = f"""
        SELECT
            count(*) FILTER (status = 'held_back') AS held_back,
            count(*) FILTER (status = 'held_back' AND reason_key = 'duplicates.contradiction') AS contradictions,
            count(*) FILTER (status = 'suspect') AS suspects,
            count(*) FILTER ({UNCERTAIN}) AS uncertain
        FROM records
    """
    return Standing(**rows(con, query)[0])
