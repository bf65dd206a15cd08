"""What evidence bounds, and what of an answer may be quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from judge.checks.checking import Check, CheckResult, Evidence, bounds
from judge.checks.quoting import SHOWN_CHARS, quoted
from judge.checks.showing import shown, shown_result
from judge.types import Criterion, Question
from runner.outcomes import CallResult, Raised
from runner.protocol import Opaque

LOGIC = [Check(id=f"logic{i}", criteria=("logic",), about="x") for i in range(5)]
EDGES = [Check(id=f"edge{i}", criteria=("edges",), about="x") for i in range(2)]
QUESTION = Question(
    id="Q",
    test="q",
    tier="T1",
    title="t",
    prompt="p",
    expected="e",
    criteria=tuple(Criterion(id=name, name=name, weight=25) for name in ("logic", "edges", "style", "both")),
)


def evidence(*checks: CheckResult, state: str = "ok") -> Evidence:
    return Evidence.model_validate(
        {
            "question_id": "Q",
            "state": state,
            "message": None if state == "ok" else "why",
            "checks": checks,
            "checks_hash": "h",
            "isolation": "bwrap",
        }
    )


@pytest.mark.parametrize(("failures", "bound"), [(0, 5), (1, 3), (2, 2), (3, 1), (4, 1), (5, 1)])
def test_the_bound_follows_the_share_of_passed_checks(failures: int, bound: int) -> None:
    results = [check.failed("no") if i < failures else check.passed() for i, check in enumerate(LOGIC)]
    assert bounds(evidence(*results), QUESTION) == {"logic": bound}


def test_half_of_the_checks_passed_leaves_a_two() -> None:
    assert bounds(evidence(EDGES[0].passed(), EDGES[1].failed("no")), QUESTION) == {"edges": 2}


def test_a_criterion_without_checks_has_no_bound() -> None:
    assert "style" not in bounds(evidence(LOGIC[0].passed()), QUESTION)


def test_checks_that_were_not_run_are_left_out() -> None:
    results = [LOGIC[0].passed(), *(check.not_run("no package") for check in LOGIC[1:])]
    assert bounds(evidence(*results), QUESTION) == {"logic": 5}


def test_a_criterion_of_which_nothing_was_run_has_no_bound() -> None:
    assert bounds(evidence(*(check.not_run("no package") for check in LOGIC)), QUESTION) == {}


def test_one_hang_bounds_its_criterion_to_one_whatever_else_passed() -> None:
    results = [*(check.passed() for check in LOGIC[:4]), LOGIC[4].failed("hangs", kind="timeout")]
    assert bounds(evidence(*results, EDGES[0].passed()), QUESTION) == {"logic": 1, "edges": 5}


def test_a_check_counts_for_each_of_its_criteria() -> None:
    both = Check(id="both", criteria=("both", "edges"), about="x")
    assert bounds(evidence(both.failed("no"), EDGES[0].passed()), QUESTION) == {"both": 1, "edges": 2}


@pytest.mark.parametrize(
    "state", ["no_code", "syntax_error", "load_error", "no_entry_point", "timeout", "died", "tampered"]
)
def test_an_answer_that_does_not_run_gets_one_on_every_criterion_with_checks(state: str) -> None:
    results = [check.failed("does not run") for check in (LOGIC[0], EDGES[0])]
    assert bounds(evidence(*results, state=state), QUESTION) == {"logic": 1, "edges": 1}


def test_code_that_does_not_run_bounds_what_running_shows_and_not_what_stands_in_its_source() -> None:
    style = Check(id="hint", criteria=("style",), about="x", static=True)
    both = Check(id="locked", criteria=("logic",), about="x", static=True)
    hangs = [LOGIC[0].failed("it hangs"), both.passed()]
    assert bounds(evidence(*hangs, style.passed(), state="timeout"), QUESTION) == {"logic": 1, "style": 5}
    assert bounds(evidence(*hangs, style.not_run("it hangs"), state="timeout"), QUESTION) == {"logic": 1}


@pytest.mark.parametrize("state", ["not_run", "ambiguous"])
def test_what_is_not_known_bounds_nothing(state: str) -> None:
    assert bounds(evidence(LOGIC[0].not_run("no isolation"), state=state), QUESTION) == {}


def test_hangs_come_first_among_the_failures() -> None:
    results = [LOGIC[0].failed("wrong"), LOGIC[1].passed(), LOGIC[2].failed("hangs", kind="timeout")]
    assert [check.id for check in evidence(*results).failures] == ["logic2", "logic0"]


# --- quoting ------------------------------------------------------------------------------------------------------


@given(st.text())
def test_every_text_is_quoted_as_one_short_line_of_ascii(text: str) -> None:
    said = quoted(text)
    assert len(said) <= SHOWN_CHARS
    assert said.isascii() and said.isprintable()


@given(st.recursive(st.none() | st.integers() | st.text() | st.floats(), lambda inner: st.lists(inner)))
def test_every_value_is_shown_as_one_short_line_of_ascii(value: object) -> None:
    said = shown(value)
    assert len(said) <= SHOWN_CHARS
    assert said.isascii() and said.isprintable()


def test_escapes_keep_line_breaks_and_terminal_codes_out() -> None:
    assert quoted("a\n\x1b[31mb\u202e") == "a\\n\\x1b[31mb\\u202e"


def test_a_long_result_is_cut_and_says_so() -> None:
    assert shown("x" * 1000) == "'" + "x" * (SHOWN_CHARS - 4) + "..."


def test_an_integer_too_long_to_print_is_shown_by_its_size() -> None:
    assert shown(1 << 70_000) == "<an integer of 70001 bits>"
    assert shown([1 << 70_000]) == "<a large list>"


def test_an_object_of_the_answer_is_shown_by_its_type_only() -> None:
    assert shown(Opaque(type_name="Evil\nscore: 5")) == "<Evil\\nscore: 5>"


def test_a_raised_exception_is_shown_with_its_message() -> None:
    error = Raised(type="ValueError", bases=("ValueError",), message="n < 0\n", line=3)
    assert shown_result(CallResult(state="raised", error=error)) == "raised ValueError: n < 0\\n"


def test_a_raw_quotation_cannot_get_into_a_result() -> None:
    with pytest.raises(ValidationError, match="not short printable ASCII"):
        CheckResult(id="a", criteria=("logic",), outcome="fail", got="line\nbreak")
    with pytest.raises(ValidationError, match="not short printable ASCII"):
        CheckResult(id="a", criteria=("logic",), outcome="fail", got="x" * 500)


def test_a_failure_escapes_what_it_is_given() -> None:
    assert LOGIC[0].failed("no", got="é\n").got == "\\xe9\\n"
