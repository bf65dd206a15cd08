"""The difference estimator: known answers (A6), what it promises (A6c, A7), and when it gives way or refuses."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from judge.errors import UserError
from judge.stats.estimators import (
    LOOK_CONFIDENCE,
    AuditedMean,
    audited_mean,
    due_look,
    mean_and_error,
    shifted_limits,
)
from judge.stats.figures import Interval, Refused
from judge.stats.labels import AuditLabel, Stratum

Array = NDArray[np.float64]

HUMAN = [1.0, 2, 3, 4, 5, 3, 4, 2]
JUDGE = [2.0, 2, 4, 4, 5, 4, 4, 3]
UNLABELLED = [3.0, 4, 5, 4, 2, 5, 5, 4, 3, 4]
MEAN_OF_ALL = float(np.mean(JUDGE + UNLABELLED))


def labels_of(
    human: list[float], judge: list[float], units: int, stratum: str = "coder", questions: int = 3
) -> list[AuditLabel]:
    return [
        AuditLabel(
            unit=f"u{i}",
            question=f"q{i % questions}",
            stratum=stratum,
            inclusion_probability=len(human) / units,
            human=y,
            judge=f,
        )
        for i, (y, f) in enumerate(zip(human, judge, strict=True))
    ]


def audited(labels: list[AuditLabel], *strata: Stratum, confidence: float = 0.95) -> AuditedMean:
    found = audited_mean(labels, strata, confidence=confidence)
    assert isinstance(found, AuditedMean), found
    return found


def one_stratum(units: int, drawn: int, judge_mean: float, stratum: str = "coder") -> Stratum:
    return Stratum(id=stratum, units=units, drawn=drawn, judge_mean=judge_mean)


# --- known answers ------------------------------------------------------------------------------------------------------


def test_the_difference_estimate_without_replacement() -> None:
    found = audited(labels_of(HUMAN, JUDGE, 18), one_stratum(18, 8, MEAN_OF_ALL))
    assert found.method == "difference"
    assert (found.mean, found.interval.low, found.interval.high) == pytest.approx(
        (3.222, 2.889, 3.555), abs=1e-3
    )  # A6b
    assert found.correction == pytest.approx(-0.5)
    assert found.correction_interval.low == pytest.approx(found.interval.low - MEAN_OF_ALL)


def test_strata_weigh_by_their_size_and_the_errors_add_up() -> None:
    big, small = labels_of(HUMAN, JUDGE, 90, "big"), labels_of(HUMAN[:4], JUDGE[:4], 10, "small")
    found = audited([*big, *small], one_stratum(90, 8, 4.0, "big"), one_stratum(10, 4, 3.0, "small"))
    gaps = [np.subtract(y, f) for y, f in ((HUMAN, JUDGE), (HUMAN[:4], JUDGE[:4]))]
    variances = [(1 - n / units) * gap.var(ddof=1) / n for n, units, gap in zip((8, 4), (90, 10), gaps, strict=True)]
    error = np.sqrt(0.81 * variances[0] + 0.01 * variances[1])  # Cochran 1977, 5.10
    assert found.mean == pytest.approx(0.9 * (4.0 + gaps[0].mean()) + 0.1 * (3.0 + gaps[1].mean()))
    assert found.interval.high - found.mean == pytest.approx(stdtrit(10, 0.975) * error)


def test_a_census_leaves_no_doubt() -> None:
    found = audited(labels_of(HUMAN, JUDGE, 8), one_stratum(8, 8, float(np.mean(JUDGE))))
    assert found.mean == found.interval.low == found.interval.high == np.mean(HUMAN)


def test_a_judge_that_tells_nothing_about_people_is_left_out() -> None:
    human, judge = [1.0, 5, 2, 4, 3, 3], [3.0, 3, 4, 4, 2, 5]
    found = audited(labels_of(human, judge, 60), one_stratum(60, 6, 3.6))
    assert found.correlation is not None and found.correlation < 1 / np.sqrt(4)
    assert found.method == "human_only"
    assert found.mean == pytest.approx(3.0)
    error = np.sqrt(0.9 * np.var(human, ddof=1) / 6)
    assert found.interval.high == pytest.approx(3.0 + stdtrit(5, 0.975) * error)
    assert found.correction == pytest.approx(3.0 - 3.6)


@pytest.mark.parametrize(("labels", "low"), [(15, 4.13), (30, 4.54), (60, 4.76)])
def test_labels_that_are_all_alike_bound_what_they_can_have_missed(labels: int, low: float) -> None:
    fives = [5.0] * labels
    found = audited(labels_of(fives, fives, 1000), one_stratum(1000, labels, 5.0))
    assert found.mean == found.interval.high == 5.0
    assert found.interval.low == pytest.approx(low, abs=0.01)  # 5 - 4 (1 - .025^(1/n)), Clopper-Pearson of none in n


def test_questions_as_clusters_are_reported_when_there_are_enough_labels() -> None:
    rng = np.random.default_rng(3)
    judge = rng.integers(1, 6, size=40).astype(float)
    human = np.clip(judge - rng.integers(0, 2, size=40), 1, 5)
    many = labels_of(human.tolist(), judge.tolist(), 400, questions=8)
    assert audited(many, one_stratum(400, 40, 3.0)).clustered_se is not None
    few = labels_of(human[:32].tolist(), judge[:32].tolist(), 400, questions=8)
    assert audited(few, one_stratum(400, 32, 3.0)).clustered_se is None


def test_limits_of_a_score_are_moved_by_the_bias_and_stay_on_the_scale() -> None:
    bias = Interval(low=-0.7, high=-0.1, confidence=0.95)
    assert shifted_limits(4.2, 4.9, bias) == pytest.approx((3.5, 4.8))
    assert shifted_limits(1.2, 5.0, Interval(low=-0.7, high=0.3, confidence=0.95)) == (1.0, 5.0)


@pytest.mark.parametrize(("labels", "look"), [(0, None), (14, None), (15, 15), (29, 15), (30, 30), (59, 30), (200, 60)])
def test_an_audit_is_read_at_three_numbers_of_labels(labels: int, look: int | None) -> None:
    assert due_look(labels) == look


def test_every_look_spends_a_third_of_the_error_rate() -> None:
    assert pytest.approx(0.98333, abs=1e-5) == LOOK_CONFIDENCE
    labels, stratum = labels_of(HUMAN, JUDGE, 18), one_stratum(18, 8, MEAN_OF_ALL)
    wide, plain = audited(labels, stratum, confidence=LOOK_CONFIDENCE), audited(labels, stratum)
    assert wide.interval.low < plain.interval.low and wide.mean == plain.mean


# --- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_too_few_labels_are_no_audit(kept: int) -> None:
    found = audited_mean(labels_of(HUMAN, JUDGE, 18)[:kept], [one_stratum(18, 8, 4.0)])
    assert isinstance(found, Refused) and "3 labels or more" in found.reason


def test_a_stratum_without_labels_is_named() -> None:
    found = audited_mean(labels_of(HUMAN, JUDGE, 18), [one_stratum(18, 8, 4.0), one_stratum(9, 0, 4.0, "other")])
    assert isinstance(found, Refused) and "other has fewer" in found.reason


def test_a_probability_logged_as_one_in_n_is_found_out() -> None:
    wrong = [x.model_copy(update={"inclusion_probability": 1 / 18}) for x in labels_of(HUMAN, JUDGE, 18)]
    with pytest.raises(UserError, match="add up to 144 units"):
        audited_mean(wrong, [one_stratum(18, 8, 4.0)])


def test_more_labels_than_were_drawn_are_an_error() -> None:
    with pytest.raises(UserError, match="drew 7 units and 8 labels came for it"):
        audited_mean(labels_of(HUMAN, JUDGE, 18), [one_stratum(18, 7, 4.0)])


def test_an_audit_that_is_only_partly_rated_still_adds_up() -> None:
    assert audited(labels_of(HUMAN, JUDGE, 18)[:5], one_stratum(18, 8, 4.0)).labels == 5


def test_a_label_of_an_unknown_stratum_or_given_twice_is_an_error() -> None:
    labels = labels_of(HUMAN, JUDGE, 18)
    with pytest.raises(UserError, match="stratum 'coder', and the audit has other"):
        audited_mean(labels, [one_stratum(18, 8, 4.0, "other")])
    with pytest.raises(UserError, match="'u0' has more than one label"):
        audited_mean([*labels, labels[0]], [one_stratum(18, 9, 4.0)])


# --- what it promises ---------------------------------------------------------------------------------------------------


def coverage(mean: Array, error: Array, truth: Array, quantile: float) -> float:
    return float(np.mean(np.abs(mean - truth) <= quantile * error))


def test_a_biased_judge_audited_at_random_keeps_the_promise_of_t() -> None:
    """A6c: correlation .8, judge bias +.5, n = 30 of N = 1000, 20,000 runs. z is short: exactly P(|t29| < 1.96) = .9403."""
    n, units, parts, rng = 30, 1000, 10, np.random.default_rng(8)
    found = []
    for _ in range(parts):
        human = rng.standard_normal((2_000, units), dtype=np.float32)
        judge = 0.8 * human + 0.6 * rng.standard_normal(human.shape, dtype=np.float32) + 0.5
        truth, judged = human.mean(axis=1), judge.mean(axis=1)
        shift, error = mean_and_error((human - judge)[:, :n], units)
        by_z, by_t = (coverage(judged + shift, error, truth, q) for q in (ndtri(0.975), stdtrit(n - 1, 0.975)))
        judge_only = coverage(judged, judge.std(axis=1) / np.sqrt(units), truth, ndtri(0.975))
        found.append((by_z, by_t, judge_only))
    by_z, by_t, judge_only = np.mean(found, axis=0)
    assert by_t == pytest.approx(0.950, abs=0.005)
    assert by_z == pytest.approx(0.9403, abs=0.005)
    assert judge_only == 0


def test_mending_disagreements_leaves_the_shared_errors_and_a_random_audit_does_not() -> None:
    """A7: two judges that share 80 % of their errors (+2 on 28.1 % of 400 units, so that the shared part is +.45)."""
    runs, units, rng = 2_000, 400, np.random.default_rng(9)
    truth = rng.integers(1, 4, size=(runs, units)).astype(float)
    which = rng.choice(
        4, p=[1 - 0.3375, 0.225, 0.05625, 0.05625], size=truth.shape
    )  # neither, both, one, the other errs
    panel = truth + np.array([0.0, 2.0, 1.0, 1.0])[which]
    disagree = which >= 2
    labels = round(float(disagree.sum(axis=1).mean()))
    assert labels == 45
    people = truth.mean(axis=1)
    mended = np.where(disagree, truth, panel)
    assert np.mean(mended.mean(axis=1) - people) == pytest.approx(0.45, abs=0.02)
    assert coverage(mended.mean(axis=1), mended.std(axis=1) / np.sqrt(units), people, ndtri(0.975)) < 0.01
    shift, error = mean_and_error(
        (truth - panel)[:, :labels], units
    )  # units are exchangeable: the first ones are a random draw
    audit = coverage(panel.mean(axis=1) + shift, error, people, stdtrit(labels - 1, 0.975))
    assert audit == pytest.approx(0.94, abs=0.015)
