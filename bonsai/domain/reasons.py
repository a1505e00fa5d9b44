"""The reason for a decision on a promotion or a record: the key of a text and its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Reason:
    """Rendered in either language by `bonsai.i18n.text(reason.key, language, **dict(reason.values))`.

    Reasons of the gate name guards, slices and rules in their values; `bonsai.gate.decision.render` words those too.
    """

    key: str
    values: tuple[tuple[str, Value], ...] = ()


def reason_from_json(stored: Mapping[str, Any]) -> Reason:
    """From JSON. The values are pairs in a decision, and an object in the row of a night."""
    values = stored.get("values", ())
    pairs = values.items() if isinstance(values, Mapping) else values
    return Reason(str(stored["key"]), tuple((str(name), value) for name, value in pairs))
