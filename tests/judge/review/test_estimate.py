"""What an audit finds of judges whose errors are known, and what that does to scores and decisions."""

import random
from collections.abc import Callable, Sequence
from statistics import fmean

import pytest
from examples import question, suite

from judge.ratings import RepairItem, item_id
from judge.review.effect import effect
from judge.review.estimate import Audit, Labelled, audit, unit_weights
from judge.review.labels import RatedItem
from judge.review.queue import draw
from judge.review.summary import role_rows
from judge.review.units import JudgeScore, ScoredUnit, Unit
from judge.stats.figures import Refused
from judge.stats.intervals import Outcome
from judge.types import Grade, Verdict

QUESTIONS = tuple(question(f"C-T1-Q{n}", tier="T1", weights=(80, 10, 10)) for n in (1, 2, 3))
SUITE = suite(*QUESTIONS)
Truth = dict[tuple[str, str], Grade]


def grade(value: float) -> Grade:
    grades: tuple[Grade, ...] = (1, 2, 3, 4, 5)
    return grades[max(0, min(4, round(value) - 1))]


def world(
    judge: Callable[[Grade, str, random.Random], Grade | None], *, answers: int = 25, seed: int = 3, centre: float = 3.5
) -> tuple[list[ScoredUnit], Truth]:
    """Units of one arm whose human score is known, with what a judge makes of it."""
    rng, units, truth = random.Random(seed), [], {}
    for asked in QUESTIONS:
        for n in range(answers):
            for criterion in asked.criteria:
                unit = Unit(
                    answer_unit=f"{asked.id}-{n}",
                    question_id=asked.id,
                    tier="T1",
                    criterion=criterion.id,
                    rubric="rh",
                    weight=criterion.weight,
                    arm="fp",
                    arm_id="coder/moe4",
                )
                truth[unit.key] = grade(rng.gauss(centre, 1))
                units.append(scored(unit, judge(truth[unit.key], criterion.id, rng)))
    return units, truth


def scored(unit: Unit, score: Grade | None) -> ScoredUnit:
    verdict = Verdict(criterion=unit.criterion, score=score, evidence="", reasoning="")
    judge = JudgeScore(judge="lenient", counts=True, verdicts=(verdict,), bounded=(score,), wanted=1)
    return ScoredUnit(unit=unit, judges=(judge,), bound=None)


def rated(score: Grade | None, rater: str = "ann") -> RatedItem:
    return RatedItem(grades=() if score is None else (score,), by_rater={rater: score}, blind=True)


def labelled(
    units: Sequence[ScoredUnit], truth: Truth, *, per_arm: int = 30, seed: int = 1, rate: int | None = None
) -> Labelled:
    """The same units with an audit of which the first ``rate`` items are rated as they deserve."""
    items = draw("run", [one.unit for one in units], (), per_arm=per_arm, seed=seed)
    return Labelled(
        run_id="run",
        units=tuple(one.unit for one in units),
        scored=tuple(units),
        audit=items,
        audit_ratings={item.id: rated(truth[item.key]) for item in items[:rate]},
        repair=(),
        repair_ratings={},
    )


def lenient(truth: Grade, criterion: str, rng: random.Random) -> Grade:
    """Too kind about what weighs most, by a point on average; fair about the rest."""
    return grade(truth + (rng.choice((0, 1, 2)) if criterion == "c0" else rng.choice((0, 0, -1, 1))))


def true_bias(units: Sequence[ScoredUnit], truth: Truth) -> float:
    weights = unit_weights(units)
    return sum(
        weights[f"{one.unit.answer_unit}/{one.unit.criterion}"] * (truth[one.unit.key] - (one.panel or 0))
        for one in units
    )


def only(found: Audit) -> tuple[float, float, float]:
    """Correction of the one arm on its one tier with its interval."""
    estimate = found.arms[0].corrected("T1")
    assert estimate is not None
    return estimate.correction, estimate.correction_interval.low, estimate.correction_interval.high


def test_the_bias_of_a_tier_score_weighs_criteria_as_the_score_does_and_its_interval_covers_it() -> None:
    units, truth = world(lenient)
    bias = true_bias(units, truth)
    found = [only(audit(labelled(units, truth, per_arm=60, seed=seed))) for seed in range(40)]
    unweighted = fmean(truth[one.unit.key] - (one.panel or 0) for one in units)
    assert fmean(correction for correction, _, _ in found) == pytest.approx(bias, abs=0.06)
    assert abs(bias - unweighted) > 0.3, "else this shows nothing"
    assert sum(low <= bias <= high for _, low, high in found) >= 37  # of 40; 98.3 % of all draws are meant to


def test_labelling_everything_leaves_no_doubt() -> None:
    units, truth = world(lenient, answers=3)
    correction, low, high = only(audit(labelled(units, truth, per_arm=1000)))
    assert low == correction == high == pytest.approx(true_bias(units, truth))


def test_an_arm_is_audited_from_fifteen_labels_on() -> None:
    units, truth = world(lenient)
    arms = {n: audit(labelled(units, truth, rate=n)).arms[0] for n in (0, 14, 15, 30)}
    assert [arm.audited for arm in arms.values()] == [False, False, True, True]
    assert [arm.look for arm in arms.values()] == [None, None, 15, 30]
    assert arms[14].correction("T1") is None and not isinstance(arms[14].estimate, Refused)
    assert arms[15].correction("T1") is not None


@pytest.mark.parametrize(("units_of_it", "labels", "audited"), [(9, 9, True), (9, 8, False), (3, 2, False)])
def test_a_small_arm_is_audited_when_all_of_it_is_labelled(units_of_it: int, labels: int, audited: bool) -> None:
    units, truth = world(lenient, answers=1)
    assert audit(labelled(units[:units_of_it], truth, rate=labels)).arms[0].audited is audited


def test_a_judge_that_knows_nothing_leaves_the_human_scores_alone() -> None:
    units, truth = world(lambda _truth, _criterion, rng: rng.choice((1, 2, 3, 4, 5)))
    found = audit(labelled(units, truth, per_arm=60)).arms[0].corrected("T1")
    assert found is not None and found.method == "human_only"
    humans = sum(w * truth[one.unit.key] for one, w in zip(units, unit_weights(units).values(), strict=True))
    assert found.interval.low <= humans <= found.interval.high


def test_what_nobody_could_assess_or_no_judge_scored_is_counted_and_left_out() -> None:
    units, truth = world(lambda t, _c, rng: None if rng.random() < 0.1 else t)
    data = labelled(units, truth)
    first = data.audit[0].id
    arm = audit(data.model_copy(update={"audit_ratings": {**data.audit_ratings, first: rated(None)}})).arms[0]
    assert arm.cannot_assess == 1 and arm.unpaired > 0
    assert arm.labels + arm.cannot_assess + arm.unpaired == arm.drawn == 30


def test_agreement_is_of_each_judge_with_people_and_of_people_among_themselves() -> None:
    units, truth = world(lenient)
    data = labelled(units, truth)
    two = {
        item: RatedItem(grades=(*one.grades, 3), by_rater={**one.by_rater, "bob": 3}, blind=True)
        for item, one in data.audit_ratings.items()
    }
    found = audit(data.model_copy(update={"audit_ratings": two}))
    assert [one.raters for one in found.judges] == [("lenient", "people")]
    assert found.people is not None and found.people.raters == ("ann", "bob")
    assert found.people.units == found.judges[0].units == 30


# --- before and after -------------------------------------------------------------------------------------------------


def kind(truth: Grade, _criterion: str, _rng: random.Random) -> Grade:
    return grade(truth + 2)


def test_an_audit_that_finds_a_kind_judge_turns_a_pass() -> None:
    units, truth = world(kind, centre=3.2)
    before = effect(labelled(units, truth, rate=0), SUITE)
    after = effect(labelled(units, truth, per_arm=60), SUITE)
    assert [(role.before, role.after) for role in before.roles] == [(Outcome.PASS, Outcome.PASS)]
    assert [(role.before, role.after) for role in after.roles] == [(Outcome.PASS, Outcome.FAIL)]
    assert [row[1:] for row in role_rows(before)] == [["coder", "T1", "4", "PASS", "PASS"]]
    assert [row[1:] for row in role_rows(after)] == [["coder", "T1", "4", "PASS", "FAIL (turned)"]]
    assert after.tiers[0].by == "audit" and after.tiers[0].after.mean < after.tiers[0].before.mean - 1


def test_the_interval_after_an_audit_is_that_before_moved_by_the_bias_and_its_doubt() -> None:
    units, truth = world(lenient)
    found = effect(labelled(units, truth, per_arm=60), SUITE)
    tier, correction = found.tiers[0], found.audit.arms[0].correction("T1")
    assert correction is not None
    assert tier.after.interval.low == pytest.approx(tier.before.interval.low + correction.low)
    assert tier.after.interval.high == pytest.approx(min(5, tier.before.interval.high + correction.high))


def repaired(data: Labelled, count: int) -> Labelled:
    """The same with the first ``count`` units repaired to 1."""
    items = [
        RepairItem(
            id=item_id("repair", *one.unit.key, "rh"),
            run_id="run",
            answer_unit=one.unit.answer_unit,
            question_id=one.unit.question_id,
            criterion=one.unit.criterion,
            rubric="rh",
            reason="spread",
        )
        for one in data.scored[:count]
    ]
    return data.model_copy(update={"repair": tuple(items), "repair_ratings": {item.id: rated(1) for item in items}})


def test_repairs_replace_scores_and_change_neither_bias_nor_agreement() -> None:
    units, truth = world(lenient)
    plain = labelled(units, truth, rate=10)
    found = effect(repaired(plain, 30), SUITE)
    assert found.audit == audit(plain)
    assert found.tiers[0].by == "repairs" and found.tiers[0].repaired == 30
    assert found.tiers[0].after.mean < found.tiers[0].before.mean
    assert found.repair_shift is not None and found.repair_shift < -1


def test_repairs_alone_audit_nothing() -> None:
    units, truth = world(lenient)
    nothing = labelled(units, truth).model_copy(update={"audit": (), "audit_ratings": {}})
    found = effect(repaired(nothing, 60), SUITE).audit
    assert found.arms == () and found.judges == () and found.people is None


def test_an_audited_arm_keeps_its_judges_scores_or_the_same_error_would_be_corrected_twice() -> None:
    units, truth = world(lenient)
    data = labelled(units, truth)
    assert effect(repaired(data, 60), SUITE).tiers == effect(data, SUITE).tiers


def test_a_tier_with_an_unscored_question_decides_nothing() -> None:
    units, truth = world(lenient)
    partial = [one for one in units if one.unit.question_id != QUESTIONS[0].id]
    assert effect(labelled(partial, truth), SUITE).tiers == ()


def test_an_audit_item_and_a_repair_item_of_one_unit_have_ids_that_tell_nothing() -> None:
    ids = {item_id("audit", "a", "c0", "rh"), item_id("repair", "a", "c0", "rh")}
    assert len(ids) == 2 and all(len(one) == 10 and int(one, 16) >= 0 for one in ids)
