"""Ratings become labels of their own queue, the latest of each rater counting, and weigh as the score weighs them."""

from statistics import fmean

import pytest
from pydantic import ValidationError

from judge.ratings import AuditItem, Rating, RepairItem, item_id
from judge.review.labels import audit_labels, latest, linearised, rated_items, repair_labels
from judge.review.units import JudgeScore, ScoredUnit, Unit
from judge.stats.estimators import audited_mean
from judge.stats.figures import Refused
from judge.stats.labels import AuditLabel, RepairLabel, Stratum
from judge.types import Grade, Verdict

AUDIT = AuditItem(
    id=item_id("audit", "a", "c0", "rh"),
    run_id="run",
    answer_unit="a",
    question_id="q",
    criterion="c0",
    rubric="rh",
    stratum="arm/T1",
    seed=1,
    inclusion_probability=0.5,
)
REPAIR = RepairItem(
    id=item_id("repair", "a", "c0", "rh"),
    run_id="run",
    answer_unit="a",
    question_id="q",
    criterion="c0",
    rubric="rh",
    reason="spread",
)


def said(
    item: AuditItem | RepairItem, score: Grade | None, *, at: int = 0, rater: str = "ann", **fields: object
) -> Rating:
    return Rating.model_validate(
        {"item": item.id, "rater": rater, "created_at": f"2026-01-01T00:00:{at:02}", "score": score, **fields}
    )


def scored(score: Grade) -> dict[tuple[str, str], ScoredUnit]:
    verdict = Verdict(criterion="c0", score=score, evidence="", reasoning="")
    judge = JudgeScore(judge="j", counts=True, verdicts=(verdict,), bounded=(score,), wanted=1)
    unit = Unit(
        answer_unit="a", question_id="q", tier="T1", criterion="c0", rubric="rh", weight=100, arm="arm", arm_id="arm"
    )
    return {("a", "c0"): ScoredUnit(unit=unit, judges=(judge,), bound=None)}


def human(*ratings: Rating) -> float | None:
    rated = rated_items([AUDIT], ratings)
    return rated[AUDIT.id].score if rated else None


def test_the_latest_rating_of_each_rater_counts_and_raters_are_averaged() -> None:
    assert human(said(AUDIT, 2), said(AUDIT, 4, at=1), said(AUDIT, 5, rater="bob")) == 4.5


def test_cannot_assess_is_no_score_and_no_zero() -> None:
    assert human(said(AUDIT, None), said(AUDIT, 5, rater="bob")) == 5
    assert human(said(AUDIT, None)) is None


def test_a_rating_that_was_taken_back_does_not_count_and_a_skip_takes_nothing_back() -> None:
    assert human(said(AUDIT, 2), said(AUDIT, None, at=1, state="withdrawn")) is None
    assert human(said(AUDIT, 2), said(AUDIT, None, at=1, state="skipped")) == 2
    assert latest([said(AUDIT, None, state="skipped")]) == {}


def test_each_queue_makes_its_own_kind_of_label() -> None:
    audited = audit_labels([AUDIT], rated_items([AUDIT], [said(AUDIT, 2)]), scored(4), {"arm/T1": 0.25})
    repaired = repair_labels([REPAIR], rated_items([REPAIR], [said(REPAIR, 2)]), scored(4))
    place = {"unit": "a/c0", "question": "q"}
    assert audited == (AuditLabel(**place, stratum="arm/T1", inclusion_probability=0.25, human=2, judge=4),)
    assert repaired == (RepairLabel(**place, reason="spread", repaired_score=2, judge_score=4),)


def test_a_unit_without_a_score_by_the_judges_gives_no_label() -> None:
    assert audit_labels([AUDIT], rated_items([AUDIT], [said(AUDIT, 2)]), {}, {"arm/T1": 0.25}) == ()


# --- a repair rating can enter no estimate ---------------------------------------------------------------------------


def test_a_repair_rating_cannot_pass_for_one_of_the_audit() -> None:
    with pytest.raises(ValueError, match="are not of this queue"):
        rated_items([AUDIT], [said(REPAIR, 2)])


def test_a_repair_label_is_refused_by_the_estimator_and_cannot_be_made_into_an_audit_label() -> None:
    repaired = repair_labels([REPAIR], rated_items([REPAIR], [said(REPAIR, 2)]), scored(4))
    with pytest.raises(TypeError, match="only labels of the audit queue"):
        audited_mean(repaired * 20, [Stratum(id="arm/T1", units=40, drawn=20, judge_mean=4)])  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        AuditLabel.model_validate(repaired[0].model_dump())


# --- weights ---------------------------------------------------------------------------------------------------------


def label(n: int, human: float, judge: float, share: float = 0.2) -> AuditLabel:
    return AuditLabel(unit=f"u{n}", question="q", stratum="s", inclusion_probability=share, human=human, judge=judge)


LABELS = [label(n, y, f) for n, (y, f) in enumerate([(1, 2), (2, 2), (3, 4), (4, 4), (5, 5), (3, 4), (4, 4), (2, 3)])]


def test_equal_weights_change_nothing() -> None:
    assert linearised(LABELS, {one.unit: 0.3 for one in LABELS}) == LABELS


def test_weighted_labels_have_the_weighted_mean() -> None:
    weights = {one.unit: 1.0 + n for n, one in enumerate(LABELS)}
    weighted = linearised(LABELS, weights)
    for side in ("human", "judge"):
        expected = sum(getattr(x, side) * weights[x.unit] for x in LABELS) / sum(weights.values())
        assert fmean(getattr(one, side) for one in weighted) == pytest.approx(expected)


def test_labels_that_are_all_alike_stay_so_under_any_weights() -> None:
    alike = [label(n, 5, 4 + n % 2) for n in range(7)]
    weights = {one.unit: 0.1 + n / 7 for n, one in enumerate(alike)}
    assert {one.human for one in linearised(alike, weights)} == {5.0}


def test_a_constant_error_has_no_variance_and_still_no_certainty() -> None:
    constant = [label(n, f - 1, f) for n, f in enumerate((5, 4, 3, 5, 2, 4, 5))]
    weights = {one.unit: 0.1 + n / 7 for n, one in enumerate(constant)}
    found = audited_mean(linearised(constant, weights), [Stratum(id="s", units=35, drawn=7, judge_mean=4)])
    assert not isinstance(found, Refused)
    assert found.correction == pytest.approx(-1)
    assert found.correction_interval.high - found.correction_interval.low > 1
