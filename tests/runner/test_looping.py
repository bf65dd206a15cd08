"""What counts as a model going round in circles, and everything that people write which must not."""

import encodings
import html.entities
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.looping import MAX_PERIOD, MIN_CHARS, WINDOW, Repetition, chars_needed, endless_repetition

ROOT = Path(__file__).parents[2]
ANSWERS = ROOT / "tests" / "judge" / "answers"
CODE = [
    *sorted((ROOT / "rubrics" / "exam").rglob("*.*")),
    *sorted((ROOT / "runner").rglob("*.py")),
    *sorted(Path(encodings.__path__[0]).glob("cp*.py")),  # long tables, much of them the same character
    Path(html.entities.__file__),
]


def first_found(text: str, step: int = 40) -> tuple[int, Repetition] | None:
    """Return what is found first, and after how many characters, when ``text`` arrives in pieces of ``step``."""
    for arrived in range(step, len(text) + step, step):
        found = endless_repetition(text[max(0, arrived - WINDOW) : arrived])
        if found:
            return arrived, found
    return None


def lines(form: str, count: int) -> str:
    return "".join(form.format(n, (n * 7919) % 104729) + "\n" for n in range(count))


# --- loops ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "characters"),
    [
        ("0", 1_600),
        (" ", 1_600),
        ("\n", 1_600),
        ("the ", 1_600),
        ("    pass\n", 1_600),
        ("This function works as expected and returns the right result.\n", 2_520),
        ("def test_one() -> None:\n    assert add(1, 1) == 2\n\n\n" * 4, 4_000),
        (lines("    {} = {}", 80), 5_500),
        (lines("{:09d} {:09d}", 190), 15_600),
    ],
    ids=["digit", "space", "newline", "word", "line", "sentence", "block", "function", "program"],
)
def test_a_token_line_or_block_without_end_is_found_before_much_is_wasted(unit: str, characters: int) -> None:
    found = first_found("Here you are:\n```python\n" + unit * (20_000 // len(unit)))
    assert found is not None
    assert found[0] <= characters
    assert found[1].unit in unit * 2


def test_the_answer_of_a_real_loop_is_found_in_its_first_third() -> None:
    text = (ANSWERS / "looping_answer.txt").read_text(encoding="utf-8")
    found = first_found(text)
    assert found is not None
    assert found[0] < len(text) / 2
    assert str(found[1]) == "the model wrote the same 21 characters 72 times in a row ('This function works.\\n')"


def test_a_long_block_is_cut_short_where_it_is_named() -> None:
    block = lines("    {} = {}", 20)
    found = endless_repetition(block * 40)
    assert found is not None
    assert f"the same {len(block)} characters" in str(found)
    assert len(str(found)) < 140 and "\n" not in str(found)


@settings(deadline=None)
@given(
    start=st.text(max_size=60),
    unit=st.text(min_size=1, max_size=120),
    more=st.integers(0, 200),
)
def test_whatever_comes_without_end_is_found_once_it_is_long_enough(start: str, unit: str, more: int) -> None:
    length = chars_needed(len(unit)) + more
    endless = unit * (length // len(unit) + 1)
    found = endless_repetition(start + endless[:length])
    assert found is not None
    assert len(found.unit) <= len(unit)


@given(st.integers(1, MAX_PERIOD))
def test_the_window_holds_every_repetition_that_counts(period: int) -> None:
    assert MIN_CHARS <= chars_needed(period) <= WINDOW


# --- no loops ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "TABLE = [" + ", ".join(["0"] * 256) + "]\n",
        "TABLE = [\n" + ("    " + "0x00, " * 12 + "\n") * 20 + "]\n",
        "BOARD = [\n" + ("    [" + ", ".join(["0"] * 9) + "],\n") * 30 + "]\n",
        "PRIMES = [\n" + lines("    {1}, ", 2_000) + "]\n",
        "SQUARES = {\n" + lines("    {0}: {1},", 2_000) + "}\n",
        lines("    assert factorial({0}) == {1}", 500),
        lines("def test_case_{0}() -> None:\n    assert add({0}, 1) == {1}\n", 300),
        ("#" * 120 + "\n" + "#" + " " * 118 + "#\n") * 6 + "# Menu\n",
        ("*   *   *   *   *   *\n  *   *   *   *   *  \n") * 16,
        "".join(" " * depth + "}\n" for depth in range(60, 0, -1)),
        "}" * 60 + "\n" + "=" * 300 + "\n" + "-" * 300 + "\n" + "\n" * 200,
        "| a | b | c |\n" * 40,
        "x = 1  # " + "very " * 200 + "important\n",
        ("```python\n" + lines("x_{0} = {1}", 60) + "```\nOr, again:\n") * 3,
    ],
    ids=[
        "zeros on a line", "zeros in lines", "board", "primes", "squares", "asserts", "tests", "frame", "drawing", "braces",
        "rules", "table", "very", "program shown three times",
    ],
)  # fmt: skip
def test_what_people_write_is_no_loop(text: str) -> None:
    assert first_found(text, step=7) is None


def test_no_other_answer_that_models_gave_is_a_loop() -> None:
    found = [path.stem for path in sorted(ANSWERS.glob("*.txt")) if first_found(path.read_text(encoding="utf-8"))]
    assert found == ["looping_answer"]


def test_no_file_of_real_code_is_a_loop() -> None:
    read = [path.read_text(encoding="utf-8") for path in CODE if path.is_file()]
    assert sum(map(len, read)) > 1_000_000
    assert [text[:80] for text in read if first_found(text, step=60)] == []


@given(st.integers(0, 10**9), st.sampled_from([" ", ", ", "\n    "]), st.integers(200, 2_000))
def test_a_table_of_different_constants_is_no_loop(seed: int, between: str, count: int) -> None:
    values = Random(seed).sample(range(10**6), count)
    assert endless_repetition(between.join(map(str, values))) is None


@given(st.text(alphabet="ab\n ", max_size=MIN_CHARS - 1))
def test_nothing_short_is_a_loop(text: str) -> None:
    assert endless_repetition(text) is None


def test_a_repetition_that_ends_is_over() -> None:
    def endings() -> Iterator[str]:
        yield "x = [" + "0, " * 2_000 + "]\n"
        yield "a" * 5_000 + "b"

    assert [endless_repetition(text) for text in endings()] == [None, None]
