"""Plain data -> one of the file formats, or every problem with its shape in the words of an editor.  Pure."""

import difflib
import reprlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from judge.files import NEWEST_VERSION, FileFormat
from judge.problem import Problem
from judge.yaml_lines import Document, Where

Form = TypeVar("Form", bound=FileFormat)

_EXPECTED = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}
"""Type of a pydantic error -> what YAML calls the thing that it wanted."""


def shape(document: Document, form: type[Form]) -> tuple[Form | None, list[Problem]]:
    """Return the file, or ``None`` when its shape is wrong, and all problems, those of the document included."""
    problems = list(document.problems)
    if document.data is None:
        return None, problems or [document.problem((), "the file is empty")]
    try:
        return form.model_validate(document.data), problems
    except ValidationError as error:
        schema = form.model_json_schema()
        return None, problems + [_problem(document, schema, details) for details in error.errors()]


def refuse_newer(document: Document) -> Document:
    """Empty a file of a newer format, so that its one problem is the version: the rest may be right there."""
    version = document.data.get("version") if isinstance(document.data, dict) else None
    if type(version) is not int or version <= NEWEST_VERSION:
        return document
    newer = f"{version} is newer than this program reads ({NEWEST_VERSION}): upgrade coder-judge"
    return replace(document, data=None, problems=(document.problem(("version",), newer),))


def _problem(document: Document, schema: Mapping[str, Any], error: ErrorDetails) -> Problem:
    where = error["loc"]
    if error["type"] == "missing":
        return document.problem(where, "is missing")
    if error["type"] == "extra_forbidden":
        return document.problem(where, _unknown_key(str(where[-1]), known_keys(schema, where[:-1])))
    while where and where not in document.lines:  # pydantic adds steps of its own, such as "[key]"
        where = where[:-1]
    return document.problem(where, _wrong_value(error))


def _unknown_key(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"unknown key: did you mean {near[0]!r}?" if near else f"unknown key: known are {', '.join(known)}"


def _wrong_value(error: ErrorDetails) -> str:
    kind, found = error["type"], reprlib.repr(error["input"])
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        return f"{found} is blank" if error["ctx"]["pattern"] == r"\S" else _no_name(found)
    if kind == "too_short":
        return "is empty"
    if kind in _EXPECTED:
        return f"should be {_EXPECTED[kind]}, found {found}"
    return f"{error['msg'].removeprefix('Input ')}, found {found}"


def _no_name(found: str) -> str:
    return f"{found} is no name: use letters, digits, '_', '-' and '.', and start with a letter or digit"


def known_keys(schema: Mapping[str, Any], where: Where) -> list[str]:
    """Return the keys that may stand in the mapping at ``where`` of a file with this JSON Schema."""
    here = _resolved(schema, schema)
    for step in where:
        if isinstance(step, int):
            here = _resolved(schema, here.get("items", {}))
        else:
            any_key: object = next(iter(here.get("patternProperties", {}).values()), {})
            here = _resolved(schema, here.get("properties", {}).get(step, any_key))
    return list(here.get("properties", {}))


def _resolved(schema: Mapping[str, Any], part: Any) -> Mapping[str, Any]:
    """Follow ``$ref``, and of "this or null" take this."""
    if not isinstance(part, Mapping):
        return {}
    choices = [choice for choice in part.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == 1:
        return _resolved(schema, choices[0])
    reference = part.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else part
