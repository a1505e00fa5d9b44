"""Dataclasses to JSON values and back, by their annotations; pydantic does it."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter


T = TypeVar("T")


def to_values(value: object) -> Any:
    """A dataclass as what `json.dumps` takes, its fields in their order; NaN stays NaN."""
    return _adapter(cast("Hashable", type(value))).dump_python(value, mode="json")


def from_values(kind: type[T], values: object) -> T:
    """The inverse. Raises ValueError for what is missing or of another type; unknown names are passed over."""
    made: T = _adapter(cast("Hashable", kind)).validate_python(values)
    return made


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # slow to import, and most commands read no such file

    return TypeAdapter(cast("type[Any]", kind))
