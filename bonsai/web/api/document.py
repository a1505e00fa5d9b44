"""The OpenAPI document, from routes and models, localised.

https://spec.openapis.org/oas/v3.1.1. Routes and fields name their texts by key; models are named after their class.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from bonsai.i18n import TextLanguage, area_texts
from bonsai.schemas.base import ProblemDetails
from bonsai.schemas.records import NewRecord

REFERENCE = "#/components/schemas/{model}"


def localised(api: FastAPI, path: str, language: TextLanguage) -> dict[str, Any]:
    """The document of `api`, mounted at `path`."""
    made = api.openapi()
    models: dict[str, Any] = made.setdefault("components", {}).setdefault("schemas", {})
    for model in (ProblemDetails, NewRecord):
        schema = model.model_json_schema(ref_template=REFERENCE)
        models.update(schema.pop("$defs", {}))
        models[model.__name__] = schema
    for name, schema in models.items():
        schema["description"] = f"api.model_{name.lower()}"
    groups = dict.fromkeys(
        tag for methods in made["paths"].values() for operation in methods.values() for tag in operation["tags"]
    )
    made["tags"] = [{"name": group, "description": f"api.group_{group}"} for group in groups]
    made["servers"] = [{"url": path}]
    made["info"]["description"] = "api.doc_about"
    made["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
    translated: dict[str, Any] = _translated(_plain(made), area_texts("api", language))
    return translated


def _plain(value: Any) -> Any:
    """Removes the titles that pydantic derives from names, and `null` from parameters that may only be omitted."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "in" in value and "schema" in value:
        kinds = value["schema"].get("anyOf", ())
        some = [one for one in kinds if one != {"type": "null"}]
        if len(some) < len(kinds):
            value = {**value, "schema": some[0]}
    return {
        name: _plain(one)
        for name, one in value.items()
        if name != "title" or not isinstance(one, str) or "version" in value
    }


def _translated(value: Any, texts: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_translated(one, texts) for one in value]
    if isinstance(value, dict):
        return {name: _translated(one, texts) for name, one in value.items()}
    if isinstance(value, str) and value.startswith("api."):
        return texts[value.removeprefix("api.")]
    return value
