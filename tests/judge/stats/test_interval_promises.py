"""A8 at full size: how often the interval of a tier score errs, over 1,500 simulated runs.

All runs at once, by the definition of D9 with the weights that ``tier_interval`` draws; a test holds the two together.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import stdtrit

from judge.stats.intervals import CONFIDENCE, DRAWS, HIGHEST, LOWEST, PRIOR_STRENGTH, SEED, tier_interval

Array = NDArray[np.float64]

RUNS, PART = 1_500, 300
THREE_QUESTIONS = 3
NEAR_CEILING = ([5.0, 4.0, 2.0], [0.92, 0.06, 0.02])
EXACTLY_FOUR = ([5.0, 4.0, 3.0], [0.25, 0.5, 0.25])


def simulated(law: tuple[list[float], list[float]], samples: int, seed: int) -> Array:
    """Return runs x questions x scores."""
    return np.random.default_rng(seed).choice(law[0], p=law[1], size=(RUNS, THREE_QUESTIONS, samples))


def ends(runs: Array) -> Iterator[tuple[Array, Array]]:
    """Yield the draws of L and U (draws x runs) for one part of the runs after the other."""
    rng, samples = np.random.default_rng(SEED), runs.shape[-1]
    weights = [rng.dirichlet([1.0] * samples + [PRIOR_STRENGTH], size=DRAWS)[:, :-1] for _ in range(THREE_QUESTIONS)]
    seen = np.concatenate(weights, axis=1).astype(np.float32) / THREE_QUESTIONS
    for part in np.split(runs.reshape(len(runs), -1).T.astype(np.float32), len(runs) // PART, axis=1):
        yield LOWEST + seen @ (part - LOWEST), HIGHEST - seen @ (HIGHEST - part)


def lower_limits(runs: Array) -> Array:
    return np.concatenate([np.quantile(lower, 1 - CONFIDENCE, axis=0) for lower, _ in ends(runs)])


def probabilities(runs: Array, threshold: float) -> tuple[Array, Array]:
    """Return P(L >= threshold) and P(U < threshold) of each run."""
    found = [((lower >= threshold).mean(axis=0), (upper < threshold).mean(axis=0)) for lower, upper in ends(runs)]
    at_least, below = zip(*found, strict=True)
    return np.concatenate(at_least), np.concatenate(below)


def test_all_runs_at_once_are_what_each_run_alone_is() -> None:
    runs = simulated(EXACTLY_FOUR, 5, seed=1)[:PART]
    low, (at_least, below) = lower_limits(runs), probabilities(runs, 4.0)
    for at in range(5):
        alone = tier_interval(runs[at].tolist(), 4.0)
        assert (low[at], at_least[at], below[at]) == pytest.approx(
            (alone.low, alone.p_at_least, alone.p_below),
            abs=0.01,  # two simulations of 20,000 draws each: four standard errors of a probability
        )


def test_near_the_ceiling_the_lower_limit_misses_in_under_five_percent_where_pooled_t_misses_in_thirty() -> None:
    runs, truth = simulated(NEAR_CEILING, 5, seed=2), float(np.dot(*NEAR_CEILING))
    assert np.mean(lower_limits(runs) > truth) < 0.05
    pooled = np.sqrt(runs.var(axis=2, ddof=1).mean(axis=1) / (THREE_QUESTIONS * 5))
    t_low = runs.mean(axis=(1, 2)) - stdtrit(THREE_QUESTIONS * 4, 0.95) * pooled
    assert np.mean(t_low > truth) == pytest.approx(0.30, abs=0.05)


def test_looking_three_times_a_model_that_is_exactly_a_four_passes_in_under_five_and_fails_in_under_ten_percent() -> (
    None
):
    scores = simulated(EXACTLY_FOUR, 20, seed=3)
    passed, failed = np.zeros(RUNS, dtype=bool), np.zeros(RUNS, dtype=bool)
    for samples in (5, 10, 20):
        p_at_least, p_below = probabilities(scores[:, :, :samples], 4.0)
        open_ = ~passed & ~failed
        passed |= open_ & (p_at_least >= CONFIDENCE)
        failed |= open_ & (p_below >= CONFIDENCE)
    assert np.mean(passed) < 0.05
    assert np.mean(failed) < 0.10
