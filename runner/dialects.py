"""How each server family is made to answer in JSON, and which JSON is in a reply. Pure.

Servers accept the forms of others with HTTP 200 and then do not enforce them, so a dialect is only trusted after a probe.
"""

import json
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple


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
    """Return the schema without length limits: strict OpenAI-style servers refuse them, and they only keep replies short."""
    return {
        key: portable(value) if isinstance(value, dict) else _portable_list(value)
        for key, value in schema.items()
        if not (key in {"maxLength", "minLength"} and isinstance(value, int))
    }


def _portable_list(value: Any) -> Any:
    return [portable(v) if isinstance(v, dict) else v for v in value] if isinstance(value, list) else value


MAX_TOO_DEEP = 100
"""Objects nested beyond what Python reads before a text is given up: a model that opens one after the other for ever would be
looked at anew from each of them, and take seconds in which no other reply is read."""


class Repeating(dict[str, Any]):
    """A JSON object in which a key stands more than once: which of the values was meant nobody knows. It has the last ones."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = next(name for name, _ in pairs if counts[name] > 1)
        """The first such key."""


class Found(NamedTuple):
    """A JSON object and where it stands in the text."""

    start: int
    end: int
    value: dict[str, Any]
    """``Repeating``, as are objects inside of it, where a key stands more than once."""


def json_objects(text: str) -> list[dict[str, Any]]:
    """Return every outermost JSON object in ``text``, in order, whatever stands around it (prose, fences, markup)."""
    return [found.value for found in find_objects(text)]


def find_objects(text: str) -> Iterator[Found]:
    """Yield what ``json_objects`` returns, with its places."""
    at, too_deep = text.find("{"), 0
    while at >= 0 and too_deep < MAX_TOO_DEEP:
        try:
            value, end = _DECODER.raw_decode(text, at)
        except ValueError:  # no JSON, or numbers beyond what Python reads
            end = at + 1
        except RecursionError:
            end, too_deep = at + 1, too_deep + 1
        else:
            if isinstance(value, dict):
                yield Found(at, end, value)
        at = text.find("{", end)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else Repeating(pairs)


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
