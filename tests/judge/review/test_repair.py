"""The repair queue: what looks wrong, and why."""

import pytest

from judge.review.repair import cites_input, repair_items
from judge.review.units import JudgeScore, ScoredUnit, Unit
from judge.types import Grade, Verdict


def verdict(score: Grade | None, evidence: str = "") -> Verdict:
    return Verdict(criterion="c0", score=score, evidence=evidence, reasoning="")


def unit(
    *scores: Grade | None,
    bound: Grade | None = None,
    evidence: str = "",
    answer: str = "a",
    unaided: Grade | None = None,
) -> ScoredUnit:
    """One unit with one judge a score."""
    judges = tuple(
        JudgeScore(
            judge=f"j{n}",
            counts=True,
            verdicts=(verdict(score, evidence),),
            bounded=(score,),
            wanted=1,
            unaided=() if unaided is None else (verdict(unaided),),
        )
        for n, score in enumerate(scores)
    )
    place = Unit(
        answer_unit=answer, question_id="q", tier="T1", criterion="c0", rubric="rh", weight=100, arm="arm", arm_id="arm"
    )
    return ScoredUnit(unit=place, judges=judges, bound=bound)


def reasons(*units: ScoredUnit, thresholds: tuple[float, ...] = ()) -> list[str]:
    return [item.reason for item in repair_items("run", units, {"T1": thresholds})]


@pytest.mark.parametrize(
    ("scored", "expected"),
    [
        (unit(5, 3), ["spread"]),
        (unit(5, 4), []),
        (unit(5, None), []),
        (unit(5, 5, bound=2), ["tests"]),
        (unit(2, 2, bound=5), ["tests"]),
        (unit(3, 3, bound=3), []),
        (unit(2, 2, bound=2, unaided=5), ["tests"]),
        (unit(2, 3, evidence="factorial(-1) returns 1"), ["veto"]),
        (unit(2, 3, evidence="it is ugly"), []),
        (unit(2, 2, evidence="factorial(-1) returns 1", bound=1), []),
    ],
)
def test_a_unit_is_picked_for_a_reason(scored: ScoredUnit, expected: list[str]) -> None:
    assert reasons(scored) == expected


def test_near_a_threshold_only_answers_near_it_are_picked_and_only_when_their_tier_is_near() -> None:
    near = [unit(4, answer="a"), unit(5, answer="b"), unit(3, answer="c")]
    assert reasons(*near, thresholds=(4.0,)) == ["threshold"]
    assert reasons(*near, thresholds=(4.5,)) == []


def test_the_most_telling_reasons_come_first() -> None:
    assert reasons(unit(5, 1, answer="a"), unit(5, bound=1, answer="b"), thresholds=()) == ["tests", "spread"]


@pytest.mark.parametrize("said", ["f(0)", "calls reverse('a  b') and gets 'b a'", "fails on -1"])
def test_an_input_is_cited_as_a_call_or_word_for_word(said: str) -> None:
    assert cites_input(verdict(2, said), failing=["-1"])


@pytest.mark.parametrize("said", ["no type hints", "the function f() is empty", "f (", ""])
def test_other_words_cite_no_input(said: str) -> None:
    assert not cites_input(verdict(2, said), failing=["-1"])
