"""The pages `/api` and `/api/GROUP`: the OpenAPI document, rendered on the server.

Viewers such as Swagger UI are some 1.5 MB of script and need inline styles, which our policy refuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bonsai.web.api.app import PATH, openapi_document
from bonsai.web.request import Contributor

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a model."""

    name: str
    where: str
    "`path`, `query`, `header`; empty for a field."
    kind: str
    model: str
    "Model to link to; usually empty."
    needed: bool
    words: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    group: str
    method: str
    path: str
    summary: str
    words: str
    scope: str
    parameters: tuple[Field, ...]
    sent: str
    "Model of the request body; may be empty."
    answers: tuple[tuple[str, str, str], ...]
    "(status, description, model)"

    @property
    def models(self) -> frozenset[str]:
        """Models named directly."""
        return frozenset(one for one in (self.sent, *(model for _, _, model in self.answers)) if one)


@dataclass(frozen=True, slots=True)
class Model:
    """A request or response model."""

    name: str
    words: str
    fields: tuple[Field, ...]


@router.get("/api")
def reference(visit: Contributor) -> Response:
    """All operations by group."""
    document = openapi_document(visit.language)
    return visit.page(
        "api/reference.html",
        about=document["info"]["description"],
        groups=[(group, list(found)) for group, found in groupby(operations(document), key=lambda one: one.group)],
        prefix=PATH,
    )


@router.get("/api/{group}")
def reference_of(visit: Contributor, group: str) -> Response:
    """One group's operations, and the models that they use."""
    document = openapi_document(visit.language)
    found = [one for one in operations(document) if one.group == group]
    if not found:
        raise HTTPException(404)
    return visit.page("api/group.html", group=group, operations=found, models=list(models(document, found)))


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """In route order."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = (
                (status, one["description"], _model_in(one)) for status, one in sorted(operation["responses"].items())
            )
            yield Operation(
                id=operation["operationId"],
                group=operation["tags"][0],
                method=method.upper(),
                path=f"{PATH}{path}",
                summary=operation["summary"],
                words=operation["description"],
                scope=" ".join(
                    scope for one in operation.get("security", ()) for scopes in one.values() for scope in scopes
                ),
                parameters=tuple(_parameter(one) for one in operation.get("parameters", ())),
                sent=_model_in(operation.get("requestBody", {})),
                answers=tuple(answers),
            )


def models(document: Mapping[str, Any], used: Sequence[Operation]) -> Iterator[Model]:
    """Models used by some operations, nested ones included, by name."""
    schemas = document["components"]["schemas"]
    found: set[str] = set()
    waiting = {model for one in used for model in one.models}
    while waiting:
        found |= waiting
        waiting = {name for model in waiting for name in _named_in(schemas[model])} - found
    for name in sorted(found):
        schema = schemas[name]
        needed = schema.get("required", ())
        fields = tuple(
            Field(
                field,
                "",
                _kind(field_schema),
                _model_of(field_schema),
                field in needed,
                field_schema.get("description", ""),
            )
            for field, field_schema in schema.get("properties", {}).items()
        )
        values = ", ".join(schema.get("enum", ()))
        yield Model(name, values or schema.get("description", ""), fields)


def _named_in(value: Any) -> Iterator[str]:
    """Models referenced by a schema at any depth."""
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield str(value["$ref"]).rpartition("/")[2]
        for one in value.values():
            yield from _named_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _named_in(one)


def _parameter(parameter: Mapping[str, Any]) -> Field:
    schema = parameter["schema"]
    name, where, needed = parameter["name"], parameter["in"], bool(parameter.get("required"))
    return Field(name, where, _kind(schema), "", needed, parameter.get("description", ""))


def _kind(schema: Mapping[str, Any]) -> str:
    """Short type description."""
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(one or '""' for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"[{_kind(schema['items'])}]"
    kind = str(schema.get("format") or schema.get("type") or _model_of(schema))
    bounds = [str(schema[name]) for name in ("minimum", "maximum") if name in schema]
    longest = f" ≤ {schema['maxLength']:,}" if "maxLength" in schema else ""
    return f"{kind} {'–'.join(bounds)}".strip() + longest


def _model_in(message: Mapping[str, Any]) -> str:
    """Model of a request body or response."""
    return next((_model_of(one["schema"]) for one in message.get("content", {}).values()), "")


def _model_of(schema: Mapping[str, Any]) -> str:
    """Model that a schema refers to, directly or as a list."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "items" in schema:
        return _model_of(schema["items"])
    return next((name for one in schema.get("anyOf", ()) if (name := _model_of(one))), "")
