"""Small-n honesty (A5): how much few questions can say. Expected values: inspect_ai, statsmodels, the t distribution."""

import numpy as np
import pytest
from scipy.special import ndtri, stdtrit

from judge.stats.clustered import PopulationEstimate, clustered_se, population_estimate
from judge.stats.figures import Interval, Refused
from judge.stats.resampling import percentile_interval, resampled_counts

SCORES = [5.0, 4, 5, 3, 3, 2, 5, 5, 4]
CLUSTERS = list("000111222")
RUNS, BOOTSTRAP_RUNS = 20_000, 4_000


def test_the_clustered_error_is_that_of_inspect_and_statsmodels() -> None:
    assert clustered_se(SCORES, CLUSTERS) == pytest.approx(0.6667, abs=1e-4)
    assert clustered_se(SCORES, CLUSTERS, small_sample=False) == pytest.approx(0.5443, abs=1e-4)  # Miller, App. A
    assert clustered_se(SCORES, list("abcdefghi")) == pytest.approx(0.3727, abs=1e-4)  # as if independent


def test_it_is_the_error_of_the_cluster_means_when_clusters_are_equal() -> None:
    means = [np.mean(SCORES[at : at + 3]) for at in (0, 3, 6)]
    assert clustered_se(SCORES, CLUSTERS) == pytest.approx(np.std(means, ddof=1) / np.sqrt(3))


def test_one_cluster_has_no_error() -> None:
    with pytest.raises(ValueError, match="two clusters"):
        clustered_se([1.0, 2.0], ["q", "q"])


def test_over_three_questions_a_normal_interval_and_a_bootstrap_promise_too_much() -> None:
    means = np.random.default_rng(11).standard_normal((RUNS, 3))
    errors = means.std(axis=1, ddof=1) / np.sqrt(3)
    assert [clustered_se(row, list("abc")) for row in means[:20]] == pytest.approx(errors[:20])
    missed = np.abs(means.mean(axis=1)) / errors
    assert np.mean(missed < ndtri(0.975)) == pytest.approx(0.811, abs=0.009)
    assert np.mean(missed < stdtrit(2, 0.975)) == pytest.approx(0.95, abs=0.005)
    draws = resampled_counts(3, seed=1) / 3 @ means[:BOOTSTRAP_RUNS].T
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    assert percentile_interval(draws[:, 0]) == Interval(low=low[0], high=high[0], confidence=0.95)
    covered = (low <= 0) & (high >= 0)
    assert np.mean(covered) == pytest.approx(0.75, abs=0.02)


def test_a_population_interval_is_refused_at_three_questions() -> None:
    refused = population_estimate(SCORES, CLUSTERS)
    assert isinstance(refused, Refused)
    assert refused.reason == "an interval beyond these questions needs at least 15 of them, and there are 3"


def test_fifteen_questions_have_a_population_interval_with_fourteen_degrees_of_freedom() -> None:
    scores, questions = [4.0, 5.0, 3.0] * 5, [f"q{i}" for i in range(15)]
    found = population_estimate(scores, questions)
    assert isinstance(found, PopulationEstimate)
    assert (found.mean, found.questions) == (4.0, 15)
    assert found.interval.high - 4.0 == pytest.approx(2.1448 * found.se, abs=1e-4)
