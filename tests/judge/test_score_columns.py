"""Scores of many answers in columns: what is put in comes out, in the order of asking."""

from collections.abc import Sequence

import pytest
from examples import question
from hypothesis import given
from hypothesis import strategies as st

from judge.results.columns import ScoredAnswer, ScoredAnswers
from judge.scoring import AnswerScore

QUESTIONS = (question("Q1", weights=(100,)), question("Q2", weights=(50, 30, 20)), question("Q3"))
JUDGES = ("a", "b", "c")
points = st.floats(1, 5, allow_nan=False)


@st.composite
def scored_answers(draw: st.DrawFn) -> ScoredAnswer:
    """An answer to one of the questions, by some of the judges, each of which may have left criteria out or open."""
    asked = draw(st.sampled_from(QUESTIONS))
    criteria = st.sampled_from([criterion.id for criterion in asked.criteria])
    judges = draw(st.lists(st.sampled_from(JUDGES), unique=True))
    said = st.dictionaries(criteria, st.sampled_from((None, 1, 2, 3, 4, 5)))
    score = AnswerScore(
        question_id=asked.id,
        sample=draw(st.integers(0, 100_000)),
        score=draw(st.none() | points),
        criteria=draw(st.dictionaries(criteria, points)),
        by_judge={judge: draw(st.none() | points) for judge in judges},
        verdicts={judge: draw(said) for judge in judges},
        limits=draw(st.dictionaries(criteria, st.sampled_from((1, 2, 3, 4, 5)))),
    )
    return ScoredAnswer(f"{draw(st.integers(0, 2**64 - 1)):016x}", score, draw(st.none() | st.floats(0.1, 500)))


def in_columns(*parts: Sequence[ScoredAnswer]) -> ScoredAnswers:
    found = ScoredAnswers(QUESTIONS, JUDGES)
    for part in parts:
        found.extend(part)
    return found


@given(st.lists(scored_answers()), st.lists(scored_answers()))
def test_every_answer_comes_out_as_it_was_put_in_and_sample_by_sample(
    first: list[ScoredAnswer], second: list[ScoredAnswer]
) -> None:
    found = in_columns(first, second)
    expected = sorted([*first, *second], key=lambda one: one.score.sample)
    assert list(found) == expected
    assert list(found.scores) == [one.score for one in expected]
    assert list(found.decode_tps) == pytest.approx([one.decode_tps or float("nan") for one in expected], nan_ok=True)


@given(st.lists(scored_answers(), min_size=1))
def test_columns_can_be_read_from_either_end_and_in_slices(answers: list[ScoredAnswer]) -> None:
    found = in_columns(answers)
    assert found[-1] == list(found)[-1] and found.scores[-1] == found[-1].score
    assert list(found[1:]) == list(found)[1:] and list(found.scores[:2]) == [one.score for one in found[:2]]


def test_nothing_makes_empty_columns() -> None:
    found = in_columns([])
    assert (len(found), list(found.scores), list(found.decode_tps)) == (0, [], [])
