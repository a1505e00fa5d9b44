"""`bonsai db check`: consistency checks of the database."""

from __future__ import annotations

from dataclasses import dataclass

from bonsai.errors import BonsaiError
from bonsai.i18n import TextLanguage, text
from storage.connect import Connection
from storage.migrate import pending
from storage.scale import counters, text_index
from storage.sql import values
from storage.tables import personal_set_table, promotions_table

ORPHANS = {
    "storage.orphan_adapter": "SELECT id FROM adapters ANTI JOIN snapshots ON snapshots.id = snapshot_id",
    "storage.orphan_lineage": """
        SELECT DISTINCT snapshot_id FROM snapshot_records ANTI JOIN snapshots ON snapshots.id = snapshot_id
    """,
    "storage.orphan_promotion": "SELECT adapter FROM promotions ANTI JOIN adapters ON adapters.id = promotions.adapter",
    "storage.orphan_champion": """
        SELECT adapter FROM champion ANTI JOIN promotions USING (adapter) WHERE adapter <> 'base'
    """,
    "storage.champion_state": """
        SELECT promotions.adapter FROM promotions LEFT JOIN champion USING (adapter)
        WHERE (promotions.state = 'champion') <> (champion.adapter IS NOT NULL)
    """,
    "storage.orphan_replacement": """
        SELECT old.id FROM records old ANTI JOIN records new ON new.id = old.replaced_by WHERE old.replaced_by <> ''
    """,
    "storage.not_forgotten": """
        SELECT id FROM records SEMI JOIN tombstones USING (id) WHERE status <> 'forgotten' OR output <> ''
    """,
    "storage.import_sums": """
        SELECT batch FROM imports WHERE read <> new + duplicate + held_back + rejected
    """,
}
"Text key of the inconsistency -> a query for the ids that have it."


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """One inconsistency."""

    key: str
    "Key of its text in `locales`."
    values: tuple[tuple[str, str], ...]
    "Values of that text."

    def render(self, language: TextLanguage = "en") -> str:
        """One line for a person."""
        return text(self.key, language, **dict(self.values))


def check(con: Connection) -> tuple[Inconsistency, ...]:
    """All inconsistencies; empty for a sound database."""
    try:
        missing = pending(con)
    except BonsaiError as error:
        return (_of(error),)
    if missing:
        names = ", ".join(step.name for step in missing)
        return (Inconsistency("storage.older_home", (("missing", names),)),)
    altered = (Inconsistency("storage.suite_altered", ()),) if personal_set_table.is_altered(con) else ()
    return tuple(_orphans(con)) + altered + _derived_problems(con) + _log_problems(con)


def _orphans(con: Connection) -> list[Inconsistency]:
    found = {key: [str(one) for one in values(con, query)] for key, query in ORPHANS.items()}
    return [
        Inconsistency(key, (("ids", ", ".join(ids[:5])), ("count", str(len(ids))))) for key, ids in found.items() if ids
    ]


def _derived_problems(con: Connection) -> tuple[Inconsistency, ...]:
    wrong = (*counters.wrong(con), *(("text_blocks",) if text_index.is_wrong(con) else ()))
    return (Inconsistency("storage.wrong_derived", (("tables", ", ".join(wrong)),)),) if wrong else ()


def _log_problems(con: Connection) -> tuple[Inconsistency, ...]:
    try:
        promotions_table.verify(con)
    except BonsaiError as error:
        return (_of(error),)
    return ()


def _of(error: BonsaiError) -> Inconsistency:
    return Inconsistency(error.key, tuple((name, str(value)) for name, value in error.values.items()))
