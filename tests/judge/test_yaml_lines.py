"""YAML text -> data, the line of everything in it, and what is wrong with it."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.yaml_lines import Document, as_field, parse

typed = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=10)
# Without a line break of YAML 1.1 that its own emitter writes as a plain one.
text = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x85"), max_size=10)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | typed | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(typed, inner, max_size=3),
    max_leaves=8,
)


def messages(text: str) -> list[str]:
    return [str(problem) for problem in parse(text, "f.yaml").problems]


@settings(deadline=None)
@given(plain, st.booleans())
def test_data_is_what_was_written(data: Any, flow: bool) -> None:
    document = parse(yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True), "f.yaml")

    assert document.problems == ()
    assert document.data == data


@settings(deadline=None)
@given(st.dictionaries(typed, plain, min_size=1, max_size=6))
def test_every_key_has_the_line_that_it_stands_on(data: dict[str, Any]) -> None:
    text = "# a comment\n" + "".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in data.items())

    document = parse(text, "f.yaml")

    assert [document.line((key,)) for key in data] == list(range(2, 2 + len(data)))


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    document = parse(text, "f.yaml")

    assert document.data is None or document.lines[()] >= 1


def test_a_value_inside_has_its_own_line_and_a_missing_one_that_of_its_holder() -> None:
    document = parse("a:\n  b:\n    - c: 1\n      d: |\n        text\n    - c: 2\n", "f.yaml")

    assert document.line(("a", "b", 0, "d")) == 4
    assert document.line(("a", "b", 1)) == 6
    assert document.line(("a", "b", 1, "missing", "deeper")) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "f.yaml:2: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n\tb: 2\n", "f.yaml:2: not valid YAML: found character '\\t' that cannot start any token"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: not valid YAML: but found another document"),
        ("a: *nowhere\n", "f.yaml:1: not valid YAML: found undefined alias 'nowhere'"),
        ("a: !mine 1\n", "f.yaml:1: not valid YAML: could not determine a constructor for the tag '!mine'"),
        ("a: 2025-13-45\n", "f.yaml: not valid YAML: month must be in 1..12"),
        ("a: &a [*a]\n", "f.yaml: not valid YAML: nested too deeply, or an alias that holds itself"),
        ("[" * 5000, "f.yaml: not valid YAML: nested too deeply, or an alias that holds itself"),
        ("a: {b: 1,\n  b: 2}\n", "f.yaml:2: a: the key 'b' stands twice: line 1 has it too"),
        ("a: 1\nb: 2\na: 3\na: 4\n", "f.yaml:4: the key 'a' stands twice: line 3 has it too"),
        ("1: x\n", "f.yaml:1: the key '1' is not text: put it in quotes"),
        ("? [a]\n: x\n", "f.yaml:1: the key on line 1 is not text: put it in quotes"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, message: str) -> None:
    assert messages(text)[-1] == message


def test_own_keys_win_over_merged_ones_and_are_no_repetition() -> None:
    document = parse("base: &b {x: 1, y: 1}\none: &o {<<: *b, x: 2}\ntwo: *o\n", "f.yaml")

    assert document.problems == ()
    assert document.data["two"] == {"x": 2, "y": 1}


def test_each_passes_over_what_has_another_shape() -> None:
    document = Document("f.yaml", {"a": [{"b": 1}, {"c": 2}, 3, {"b": [4]}]}, {})

    assert document.each("a", "*", "b") == [(("a", 0, "b"), 1), (("a", 3, "b"), [4])]
    assert document.each("a", 0, "b") == [(("a", 0, "b"), 1)]
    assert document.each("x", "*") == []


def test_a_path_is_written_as_people_do() -> None:
    assert as_field(("questions", "C-T1-Q1", "criteria", 2, "weight")) == "questions.C-T1-Q1.criteria[2].weight"
    assert as_field((0, "id")) == "[0].id"
    assert as_field(()) == ""
