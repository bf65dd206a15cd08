"""What is left of a program when one statement of it cannot run."""

import pytest

from judge.extract.remainder import without_statement

CODE = """\
import click, math
from typing import Final, override
SIZE: Final = 3

def f(n):
    return math.sqrt(n) + SIZE

def cli():
    return click.echo(f(1))

START = f(2); END = 5
"""


@pytest.mark.parametrize(
    ("line", "name", "gone", "is_needed"),
    [
        (1, "click", {"click"}, True),
        (1, None, {"click", "math"}, True),
        (2, "override", {"override"}, False),
        (3, None, {"SIZE"}, True),
        (5, None, {"f"}, True),
        (8, None, {"cli"}, False),
        (11, None, {"START"}, False),
    ],
)
def test_only_the_statement_at_the_line_is_gone(line: int, name: str | None, gone: set[str], is_needed: bool) -> None:
    rest = without_statement(CODE, line, name)
    assert rest is not None
    assert (rest.gone, rest.is_needed) == (gone, is_needed)
    compile(rest.code, "rest", "exec")
    assert "END = 5" in rest.code


def test_the_other_names_of_an_import_stay() -> None:
    rest = without_statement(CODE, 1, "click")
    assert rest is not None and rest.code.startswith("import math\nfrom typing import Final, override\n")
    assert rest.code.count("\n") == CODE.count("\n")


def test_a_line_inside_a_function_stands_for_its_one_caller() -> None:
    rest = without_statement(CODE, 6)
    assert rest is not None and rest.left_out == "START = f(2); END = 5"
    assert without_statement(CODE + "AGAIN = f(3)\n", 6) is None


@pytest.mark.parametrize(("code", "line"), [("x = 1\n", 2), ("def f(:\n", 1), ("", 1)])
def test_where_nothing_can_be_left_out_there_is_no_rest(code: str, line: int) -> None:
    assert without_statement(code, line) is None
