"""The OpenAPI 3.1 document, made from the endpoints' own declarations, and finished here."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

from . import problem
from .problem import MIMETYPE, Problem

Json = dict[str, Any]

_PATH_WORDS = {
    "project": "The project's id in Label Studio, or its key where two Label Studios have the same id.",
    "version": "The name of a model version.",
    "run": "The id of a run.",
    "job": "The id of a job, as the answer that started it gave it.",
    "export": "The id of an export, as the answer that made it gave it.",
    "frame": "The id of a frame, as searches give it.",
}
_HEADERS = {
    "Link": {"schema": {"type": "string"}, "description": "Where the next and the previous page are (RFC 8288)."},
    "X-Total-Count": {"schema": {"type": "integer"}, "description": "How many rows there are in all."},
}


def finish(document: Json) -> Json:
    """What the generator leaves: shared schemas by their own names, who may ask, and every problem that may come."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _add(schemas, Problem)
    for path in document["paths"].values():
        for method, operation in path.items():
            _finish_operation(operation, schemas, is_get=method == "get")
    document["components"]["schemas"] = _by_own_names(document, schemas)
    document["components"]["securitySchemes"] = {
        "password": {"type": "http", "scheme": "basic", "description": "BASIC_AUTH_USER and BASIC_AUTH_PASS."},
        "token": {"type": "http", "scheme": "bearer", "description": "Made by `espalier token add`."},
    }
    document["security"] = [{"password": []}, {"token": []}]
    return document


def _finish_operation(operation: Json, schemas: Json, *, is_get: bool) -> None:
    responses = operation["responses"]
    for status, content in operation.pop("x-espalier-content", {}).items():
        responses[str(status)] = {"description": "Done", **({"content": dict(content)} if content else {})}
    for status, model in operation.pop("x-espalier-also").items():
        if isinstance(model, str):
            responses[str(status)] = {"description": model}
        else:
            _add(schemas, model)
            words = (model.__doc__ or "").strip().partition("\n")[0]
            responses[str(status)] = {"description": words, "content": _json_of(model.__name__, "application/json")}
    if sent := operation.pop("x-espalier-sends", None):
        operation["requestBody"] = {"content": dict(sent)}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    if is_get:
        responses["304"] = {"description": "As it was when its ETag was given, which `If-None-Match` names."}
    for status in operation.pop("x-espalier-refuses"):
        responses[str(status)] = {"description": problem.title_of(status), "content": _json_of("Problem", MIMETYPE)}
    if any(parameter["name"] == "offset" for parameter in operation.get("parameters", ())):
        responses["200"]["headers"] = dict(_HEADERS)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["description"] = _PATH_WORDS.get(parameter["name"], "")
        elif "description" in parameter.get("schema", {}):
            parameter["description"] = parameter["schema"].pop("description")
    operation["description"] = "\n\n".join(
        filter(None, [operation.get("description", ""), f"Takes the role {operation['x-espalier-role']}."])
    )


def _json_of(name: str, mimetype: str) -> Json:
    return {mimetype: {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _add(schemas: Json, model: type[BaseModel]) -> None:
    if model.__name__ not in schemas:
        schema = model.model_json_schema(ref_template=f"#/components/schemas/{model.__name__}.{{model}}")
        for name, inner in schema.pop("$defs", {}).items():
            schemas[f"{model.__name__}.{name}"] = inner
        schemas[model.__name__] = schema


def _by_own_names(document: Json, schemas: Json) -> Json:
    """The generator repeats a schema under `Outer.Inner` for every outer one: each is kept once, under its own name."""
    own: Json = {}
    for name in sorted(schemas, key=lambda name: name.count(".")):
        own.setdefault(name.rpartition(".")[2], schemas[name])
    _rename(document)
    _rename(own)
    return dict(sorted(own.items()))


def _rename(value: Any) -> None:
    if isinstance(value, dict):
        if isinstance(ref := value.get("$ref"), str):
            value["$ref"] = re.sub(r"/[^/]*\.([^./]+)$", r"/\1", ref)
        for inner in value.values():
            _rename(inner)
    elif isinstance(value, list):
        for inner in value:
            _rename(inner)
