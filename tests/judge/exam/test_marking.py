"""The rules by which a judge qualifies, on scores that are made up."""

import random
from collections.abc import Callable

import pytest
from exam_judges import THREE, paper_on

from judge.exam.marking import can_qualify, mark
from judge.exam.paper import ExamItem
from judge.exam.rules import GATES
from judge.exam.sheet import Sheet
from judge.records import JudgeRecord
from judge.stats.exam_stats import MAX_MISSING, MIN_TNR, MIN_TPR
from judge.types import Grade
from judge.verdicts import MENU
from runner.types import Sampling

PAPER = paper_on(*THREE)
JUDGE = JudgeRecord(
    name="j", family=None, fingerprint="f", endpoint=None, model=None, sampling=Sampling(), prompt_hash="p"
)
Score = Callable[[ExamItem, int, str], Grade | None]


def true_score(item: ExamItem, _replicate: int, criterion: str) -> Grade:
    return 1 if criterion in item.fails else 5


def sheet(score: Score = true_score, *, asked: int | None = None) -> Sheet:
    return {
        (item.key, r): {c: score(item, r, c) for c in PAPER.criteria_of(item)} for item, r in PAPER.scorings[:asked]
    }


def shifted(kind: str, by: int, every: int = 1) -> Score:
    """A judge that is moved by one kind of twin, in every n-th question."""
    moved = {item.key for item in [i for i in PAPER.items if i.kind == kind][::every]}
    return lambda item, r, c: min(5, max(1, true_score(item, r, c) + (by if item.key in moved else 0)))  # type: ignore


def wrong_about(kind: str, count: int) -> Score:
    """A judge that takes so many right answers for wrong, or the reverse; none of them has a twin."""
    bases = {item.twin_of for item in PAPER.items}
    plain = [i for i in PAPER.items if i.kind == kind and i.testable and i.key not in bases]
    mistaken = {item.key for item in plain[:count]}
    flipped: dict[Grade, Grade] = {1: 5, 5: 1}
    return lambda item, r, c: flipped[true_score(item, r, c)] if item.key in mistaken else true_score(item, r, c)


def test_the_gates_are_those_of_the_statistics() -> None:
    assert (GATES.logic_tnr, GATES.logic_tpr, GATES.missing) == (MIN_TNR, MIN_TPR, MAX_MISSING)


def test_one_mistake_of_each_kind_is_forgiven_and_two_are_not_on_three_questions() -> None:
    for kind in ("right", "wrong"):
        assert mark(PAPER, JUDGE, sheet(wrong_about(kind, 1))).qualification.logic
        assert not mark(PAPER, JUDGE, sheet(wrong_about(kind, 2))).qualification.logic


@pytest.mark.parametrize("kind", ["dead_code", "renamed", "padded"])
def test_a_twin_that_moves_the_score_by_more_than_half_a_point_costs_logic_and_not_style(kind: str) -> None:
    moved = mark(PAPER, JUDGE, sheet(shifted(kind, -1))).qualification
    assert (moved.logic, moved.style) == (False, True)
    assert mark(PAPER, JUDGE, sheet(shifted(kind, -1, every=3))).qualification.logic


def test_moves_that_cancel_out_are_moves() -> None:
    ups_and_downs = mark(PAPER, JUDGE, sheet(shifted("verified", 2)))
    verified = next(twin for twin in ups_and_downs.twins if twin.kind == "verified")
    assert verified.change == verified.move == 2.0
    assert not ups_and_downs.qualification.logic


def test_a_judge_that_punishes_an_order_is_not_punished_for_it() -> None:
    def hard(item: ExamItem, r: int, c: str) -> Grade:
        if item.kind == "wrong":
            return 2 if c in item.fails else 5
        return true_score(item, r, c)

    exam = mark(PAPER, JUDGE, sheet(hard))
    injected = next(twin for twin in exam.twins if twin.kind == "injected")
    assert (injected.change, injected.move) == (-1.0, 0.0)
    assert "order" not in exam.qualification.reason


def test_judges_that_throw_dice_hardly_ever_qualify_for_anything() -> None:
    lucky = 0
    for seed in range(200):
        dice = random.Random(seed)
        found = mark(PAPER, JUDGE, sheet(lambda i, r, c, dice=dice: dice.choice(MENU))).qualification  # type: ignore
        assert not found.logic
        lucky += found.style
    assert lucky <= 2


def test_what_the_judge_cannot_assess_is_left_out_of_the_rates() -> None:
    exam = mark(PAPER, JUDGE, sheet(lambda i, r, c: None if i.kind == "right" else true_score(i, r, c)))
    assert exam.logic.tpr.trials == 0 and exam.logic.tnr.trials == 6
    assert "accepts 0 of 0" in exam.qualification.reason and exam.separation is None


def test_a_replicate_with_another_verdict_is_a_flip() -> None:
    exam = mark(PAPER, JUDGE, sheet(lambda i, r, c: 5 if r == 2 else true_score(i, r, c)))
    repeated = [item for item in PAPER.items if item.replicates > 1]
    assert exam.flip_rate == sum(item.kind == "wrong" for item in repeated) / len(repeated) == 0.5


def test_the_exam_goes_on_as_long_as_something_can_be_reached() -> None:
    assert can_qualify(PAPER, {})
    assert can_qualify(PAPER, sheet(asked=10))
    assert can_qualify(PAPER, sheet(wrong_about("wrong", 6))), "style is still open"
    assert not can_qualify(PAPER, sheet(lambda i, r, c: 5, asked=21))


def test_on_one_question_a_judge_can_qualify_for_logic_and_not_for_style() -> None:
    paper = paper_on("C-T1-Q1")
    scores = {(item.key, r): {c: true_score(item, r, c) for c in paper.criteria_of(item)} for item, r in paper.scorings}
    reason = mark(paper, JUDGE, scores).qualification.reason
    assert reason.startswith("qualified for: logic; not for style: rejects 1 of 1 ")
