"""Parts of figures: a tier score as a point, as an axis and as text."""

from judge.report.in_words import estimate_text
from judge.report.panels import Axis, Point
from judge.report.tables import NONE
from judge.results import ArmResult, Results
from judge.stats.intervals import HIGHEST, LOWEST, TierInterval

ROOM = 0.15
"""Beyond the ends of the scale, so that a mark on the end is not cut."""


def score_axis(label: str) -> Axis:
    """Return the axis of the 1-5 scale."""
    return Axis(label=label, low=LOWEST - ROOM, high=HIGHEST + ROOM)


def tier_ids(results: Results) -> tuple[str, ...]:
    """Return the tiers that were asked of any arm, in order."""
    return tuple(dict.fromkeys(score.tier for arm in results.arms for score in arm.tiers))


def tier_point(arm: ArmResult, tier: str) -> Point | None:
    """Return the score of an arm on a tier with its interval; ``None`` without a score."""
    score = next((score for score in arm.tiers if score.tier == tier), None)
    if score is None or score.mean is None:
        return None
    interval = tier_interval_of(arm, tier)
    return Point(
        value=score.mean,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        basis=score.coverage.text,
    )


def tier_interval_of(arm: ArmResult, tier: str) -> TierInterval | None:
    """Return the interval that the role decisions rest on (it is the same for every threshold); ``None`` where none was made."""
    return next((p.interval for d in arm.decisions for p in d.tiers if p.tier == tier and p.interval), None)


def tier_text(arm: ArmResult, tier: str) -> str:
    """Return a tier score with its interval and what it rests on: ``4.20 [3.91, 4.48] (K 5, 1 judge, 5/5)``."""
    estimate, basis = estimate_and_basis(arm, tier)
    return f"{estimate} ({basis})" if basis else estimate


def estimate_and_basis(arm: ArmResult, tier: str) -> tuple[str, str]:
    """Return the two halves of ``tier_text``; the basis is empty for a tier that was not asked."""
    point = tier_point(arm, tier)
    coverage = next((score.coverage for score in arm.tiers if score.tier == tier), None)
    return estimate_text(point) if point else NONE, coverage.text if coverage else ""


def over_all(results: Results) -> str:
    """Return, for the caption of a figure of scores, what its means rest on."""
    return f" Over all arms: {results.coverage.text}; of each mean: in the table."


def tps_text(arm: ArmResult) -> str:
    """Return the median decode speed in tokens per second."""
    return f"{arm.speed.decode_tps.median:.1f}" if arm.speed.decode_tps else NONE
