"""Every way of asking for JSON, and the JSON that is found in whatever came back."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.dialects import LADDER, Dialect, Repeating, json_objects, portable, request_fields

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "why": {"type": "string", "maxLength": 200, "minLength": 1},
        "score": {"anyOf": [{"type": "integer", "enum": [1, 2]}, {"type": "string", "enum": ["none"], "maxLength": 9}]},
    },
    "required": ["why", "score"],
    "additionalProperties": False,
}


# --- asking -------------------------------------------------------------------------------------------------------------


def test_the_ladder_has_every_dialect_and_ends_where_nothing_is_enforced() -> None:
    assert set(LADDER) == set(Dialect)
    assert LADDER[-1] is Dialect.PROMPTED


def test_openai_style_servers_get_the_nested_strict_form() -> None:
    (wanted,) = request_fields(Dialect.JSON_SCHEMA, SCHEMA).values()
    assert wanted["type"] == "json_schema"
    assert wanted["json_schema"]["strict"] is True
    assert wanted["json_schema"]["schema"]["required"] == ["why", "score"]


def test_llama_cpp_servers_get_the_schema_beside_json_object() -> None:
    assert request_fields(Dialect.JSON_OBJECT_SCHEMA, SCHEMA) == {
        "response_format": {"type": "json_object", "schema": SCHEMA}
    }


def test_the_grammar_keeps_the_order_and_the_menu_of_the_schema() -> None:
    grammar = request_fields(Dialect.GRAMMAR, SCHEMA)["grammar"]
    root = next(line for line in grammar.splitlines() if line.startswith("root ::="))
    assert root.index("why-kv") < root.index("score-kv")
    assert '"1" | "2"' in grammar


def test_where_nothing_is_enforced_nothing_is_asked_for() -> None:
    assert request_fields(Dialect.PROMPTED, SCHEMA) == {}


def test_the_portable_schema_has_no_length_limits_and_is_the_same_otherwise() -> None:
    shorter = json.loads(json.dumps(SCHEMA))
    del shorter["properties"]["why"]["maxLength"], shorter["properties"]["why"]["minLength"]
    del shorter["properties"]["score"]["anyOf"][1]["maxLength"]
    assert portable(SCHEMA) == shorter


def test_a_property_that_is_called_like_a_limit_stays() -> None:
    schema = {"type": "object", "properties": {"maxLength": {"type": "integer"}}}
    assert portable(schema) == schema


# --- finding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        '{"a": 1}',
        ' \n{"a": 1}\n',
        '```json\n{"a": 1}\n```',
        'Sure! Here is the verdict:\n\n```\n{"a": 1}\n```\nHope this helps.',
        'The set {x} and f"{name}" are fine: {"a": 1}',
        '<verdict>{"a": 1}</verdict>',
        '<think>maybe {"a": </think>{"a": 1}',
        '[{"a": 1}]',
        '\ufeff{"a": 1}',
    ],
)
def test_the_object_is_found_whatever_stands_around_it(reply: str) -> None:
    assert json_objects(reply) == [{"a": 1}]


def test_all_outermost_objects_are_found_in_order() -> None:
    assert json_objects('first {"a": {"b": 1}} then {"c": 2}{"d": 3}') == [{"a": {"b": 1}}, {"c": 2}, {"d": 3}]


def test_braces_inside_strings_are_text() -> None:
    assert json_objects('{"code": "def f(): return {\\"x\\": {}}"}') == [{"code": 'def f(): return {"x": {}}'}]


@pytest.mark.parametrize("reply", ["", "no", "{", "}{", "{'a': 1}", '{"a": 1', "[1, 2]", '{"a": 1,}', "{{}"[:2]])
def test_what_is_no_object_is_not_found(reply: str) -> None:
    assert json_objects(reply) == []


def test_a_broken_outer_object_does_not_hide_a_whole_one_inside() -> None:
    assert json_objects('{"draft": broken, {"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize(
    "hostile",
    ['{"a":' * 4_000, "{" * 8_000, '{"a":[' * 3_000, "[" * 40_000 + '{"a": 1}', '{"a": ' + "9" * 5_000 + "}"],
    ids=["nested", "braces", "both", "brackets", "digits"],
)
def test_a_reply_that_was_made_to_break_the_reader_does_not(hostile: str) -> None:
    assert json_objects(hostile) in ([], [{"a": 1}])


def test_a_number_too_long_to_read_does_not_hide_the_rest() -> None:
    assert json_objects('{"n": ' + "9" * 5_000 + '} {"a": 1}') == [{"a": 1}]


def test_objects_that_are_opened_for_ever_are_given_up_and_not_looked_at_for_seconds() -> None:
    began_s = time.process_time()
    assert json_objects('{"a":' * 12_000) == []
    assert time.process_time() - began_s < 1.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.text() | st.text(alphabet='{}[]":,\\a1 ', max_size=80))
def test_no_text_makes_the_search_fail(text: str) -> None:
    assert all(isinstance(found, dict) for found in json_objects(text))


@given(st.text(alphabet="ab }]\n`:,"), st.dictionaries(st.text(), JSON, max_size=5), st.text(alphabet="ab }]\n`:,"))
def test_an_object_is_found_as_it_was_written(before: str, value: dict[str, Any], after: str) -> None:
    assert json_objects(before + json.dumps(value) + after) == [value]


def test_an_object_says_which_of_its_keys_stands_more_than_once() -> None:
    (found,) = json_objects('{"a": {"b": 1, "c": 2, "b": 3}, "d": {"b": 1}}')
    assert found == {"a": {"b": 3, "c": 2}, "d": {"b": 1}}
    assert isinstance(found["a"], Repeating) and found["a"].repeated == "b"
    assert not isinstance(found, Repeating) and not isinstance(found["d"], Repeating)
