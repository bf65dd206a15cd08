"""How each server family is made to answer in JSON, and which JSON is in a reply. Pure.

Servers accept the forms of others with HTTP 200 and then do not enforce them, so a dialect is only trusted after a probe.
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any


class Dialect(StrEnum):
    """The rungs of the ladder, best first."""

    JSON_SCHEMA = "json_schema"
    """OpenAI, vLLM, LM Studio, Ollama ``/v1``: nested ``json_schema`` with ``strict``."""
    JSON_OBJECT_SCHEMA = "json_object_schema"
    """llama-cpp-python and llama-server: ``json_object`` with ``schema``."""
    GRAMMAR = "grammar"
    """A GBNF grammar: servers of the llama.cpp family that know no schema."""
    PROMPTED = "prompted"
    """The schema stands in the prompt only; nothing is enforced."""


LADDER = (Dialect.JSON_SCHEMA, Dialect.JSON_OBJECT_SCHEMA, Dialect.GRAMMAR, Dialect.PROMPTED)


def request_fields(dialect: Dialect, schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a request body needs so that the reply follows ``schema`` in this dialect."""
    match dialect:
        case Dialect.JSON_SCHEMA:
            wrapper = {"name": "verdict", "schema": portable(schema), "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": wrapper}}
        case Dialect.JSON_OBJECT_SCHEMA:
            return {"response_format": {"type": "json_object", "schema": schema}}
        case Dialect.GRAMMAR:
            return {"grammar": _gbnf(schema)}
        case Dialect.PROMPTED:
            return {}


def _gbnf(schema: dict[str, Any]) -> str:
    # Imported here because it loads the llama.cpp library, which only this rung needs.
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    return str(json_schema_to_gbnf(json.dumps(schema)))


def portable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without length limits, which strict OpenAI-style servers refuse; our own validation keeps them."""
    return {
        key: portable(value) if isinstance(value, dict) else _portable_list(value)
        for key, value in schema.items()
        if not (key in {"maxLength", "minLength"} and isinstance(value, int))
    }


def _portable_list(value: Any) -> Any:
    return [portable(v) if isinstance(v, dict) else v for v in value] if isinstance(value, list) else value


def json_objects(text: str) -> list[dict[str, Any]]:
    """Return every outermost JSON object in ``text``, in order, whatever stands around it (prose, fences, markup)."""
    return list(_objects(text))


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict):
                yield value
        at = text.find("{", end)
