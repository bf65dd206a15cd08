"""Weighted scores and tier scores; what is missing is counted and never a number."""

from statistics import fmean

import pytest
from examples import covered, question, suite, verdicts
from hypothesis import given
from hypothesis import strategies as st

from judge.grounding import bounded
from judge.scoring import Coverage, answer_score, mean, mean_of_means, tier_scores, together
from judge.types import Grade, Verdict

WEIGHTS = st.lists(st.integers(1, 99), min_size=1, max_size=6).map(
    lambda cuts: tuple(b - a for a, b in zip([0, *sorted(set(cuts))], [*sorted(set(cuts)), 100], strict=True))
)
GRADES = st.integers(1, 5)


# --- one answer ---------------------------------------------------------------------------------------------------------


def test_the_score_is_the_weighted_sum() -> None:
    assert answer_score(question(weights=(50, 20, 20, 10)), verdicts(4, 5, 3, 2)) == 3.8


@given(WEIGHTS, GRADES)
def test_the_same_grade_everywhere_is_that_score_exactly(weights: tuple[int, ...], grade: int) -> None:
    assert answer_score(question(weights=weights), verdicts(*[grade] * len(weights))) == grade  # type: ignore[list-item]


@given(WEIGHTS, st.data())
def test_a_score_is_between_its_lowest_and_its_highest_grade(weights: tuple[int, ...], data: st.DataObject) -> None:
    grades = data.draw(st.lists(GRADES, min_size=len(weights), max_size=len(weights)))
    score = answer_score(question(weights=weights), verdicts(*grades))  # type: ignore[arg-type]
    assert score is not None
    assert min(grades) <= score <= max(grades)


@given(WEIGHTS, st.data())
def test_a_better_grade_never_lowers_the_score(weights: tuple[int, ...], data: st.DataObject) -> None:
    grades = data.draw(st.lists(st.integers(1, 4), min_size=len(weights), max_size=len(weights)))
    at = data.draw(st.integers(0, len(weights) - 1))
    better = [*grades[:at], grades[at] + 1, *grades[at + 1 :]]
    before, after = (answer_score(question(weights=weights), verdicts(*g)) for g in (grades, better))  # type: ignore[arg-type]
    assert before is not None and after is not None
    assert before < after


@given(st.permutations(range(3)))
def test_the_order_of_the_verdicts_does_not_matter(order: list[int]) -> None:
    work, given_verdicts = question(weights=(50, 30, 20)), verdicts(5, 3, 1)
    assert answer_score(work, [given_verdicts[i] for i in order]) == 3.6


def test_one_criterion_without_a_score_leaves_the_answer_without_one() -> None:
    assert answer_score(question(weights=(90, 10)), verdicts(5, None)) is None


def test_a_verdict_that_is_not_there_leaves_the_answer_without_a_score() -> None:
    assert answer_score(question(weights=(90, 10)), verdicts(5)) is None
    assert answer_score(question(), []) is None


def test_a_verdict_on_something_else_does_not_count() -> None:
    other = Verdict(criterion="charm", score=1, evidence="", reasoning="")
    assert answer_score(question(weights=(60, 40)), [*verdicts(5, 5), other]) == 5.0


# --- a tier -------------------------------------------------------------------------------------------------------------

Q1, Q2, Q3 = question("Q1", tier="T1"), question("Q2", tier="T1"), question("Q3", tier="T2")
SUITE = suite(Q1, Q2, Q3)


def test_a_tier_is_the_mean_of_the_means_of_its_questions() -> None:
    (t1, _) = tier_scores(
        SUITE, {"Q1": [5, 5, 5, 5], "Q2": [3], "Q3": [1]}, {q: covered(1) for q in ("Q1", "Q2", "Q3")}
    )
    assert (t1.tier, t1.mean) == ("T1", 4.0)


def test_an_answer_without_a_score_is_left_out_and_counted() -> None:
    (t1,) = tier_scores(SUITE, {"Q1": [5.0, None], "Q2": [3.0]}, {"Q1": covered(1, 3, failed=1), "Q2": covered(1)})
    assert (t1.mean, t1.questions) == (4.0, {"Q1": (5.0,), "Q2": (3.0,)})
    assert t1.coverage == covered(2, 4, failed=1, samples=(1, 3))
    assert (t1.coverage.share, t1.coverage.missing) == (0.5, 1)


def test_a_question_without_any_score_leaves_its_tier_incomplete() -> None:
    (t1,) = tier_scores(SUITE, {"Q1": [4.0], "Q2": [None]}, {"Q1": covered(1), "Q2": covered(0, 1)})
    assert (t1.mean, t1.complete) == (4.0, False)


def test_a_tier_without_any_score_has_no_mean_and_not_zero() -> None:
    (t1,) = tier_scores(SUITE, {}, {"Q1": covered(0, 1)})
    assert (t1.mean, t1.complete, t1.coverage.share) == (None, False, 0.0)


def test_a_tier_that_nobody_asked_for_is_left_out() -> None:
    assert [tier.tier for tier in tier_scores(SUITE, {"Q1": [4.0], "Q3": [2.0]}, {"Q3": covered(1)})] == ["T2"]


def test_questions_that_were_not_asked_do_not_count() -> None:
    (t1,) = tier_scores(SUITE, {"Q1": [4.0], "Q2": [1.0]}, {"Q1": covered(1)})
    assert (t1.mean, list(t1.questions)) == (4.0, ["Q1"])


def test_nothing_wanted_is_covered_by_nothing() -> None:
    nothing = together([])
    assert (nothing.share, nothing.text) == (0.0, "K 0, no judge, 0/0")


@pytest.mark.parametrize(
    ("coverage", "text"),
    [
        (covered(50, 50, samples=(5,)), "K 5, 1 judge, 50/50"),
        (covered(48, 50, failed=1, samples=(5,), judges=("a", "b")), "K 5, 2 judges, 48/50, 1 failed, 1 missing"),
        (covered(0, 5, failed=5, samples=(1,)), "K 1, 1 judge, 0/5, 5 failed"),
        (covered(9, 9, samples=(5, 10, 20), judges=("a", "b"), escalated=("c",)), "K 5-20, 2-3 judges, 9/9"),
        (covered(0, 2, judges=()), "K 2, no judge, 0/2, 2 missing"),
    ],
)
def test_a_coverage_says_samples_judges_and_what_became_of_every_answer(coverage: Coverage, text: str) -> None:
    assert coverage.text == text


def test_cells_together_have_all_their_judges_and_all_their_numbers_of_samples() -> None:
    whole = together(
        [covered(5, samples=(5,)), covered(8, 10, failed=1, samples=(10,), judges=("j", "k"), escalated=("l",))]
    )
    assert whole.text == "K 5-10, 2-3 judges, 13/15, 1 failed, 1 missing"
    assert whole.cells == ("5-10", "j, k, l (where they differ)", "13/15, 1 failed, 1 missing")


@pytest.mark.parametrize(("groups", "mean"), [([], None), ([[]], None), ([[4.2] * 3, []], 4.2), ([[1, 2], [5]], 3.25)])
def test_the_mean_of_means_leaves_out_empty_groups(groups: list[list[float]], mean: float | None) -> None:
    assert mean_of_means(groups) == mean


@given(st.lists(st.integers(1, 5) | st.floats(1, 5), min_size=1))
def test_the_mean_of_one_and_of_many_is_a_float_and_rounded_once(group: list[float]) -> None:
    assert mean(group) == fmean(group) and isinstance(mean(group), float)


@given(
    st.lists(st.sampled_from([1, 2, 3, 4, 5, None]), min_size=2, max_size=2),
    st.dictionaries(st.sampled_from(["c0", "c1", "other"]), st.sampled_from([1, 2, 3, 4, 5])),
)
def test_a_score_within_bounds_is_that_of_the_bounded_verdicts(
    scores: list[Grade | None], bounds: dict[str, Grade]
) -> None:
    said = verdicts(*scores)
    assert answer_score(question(), said, bounds) == answer_score(question(), bounded(said, bounds))
