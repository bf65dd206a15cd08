"""Parts of figures: a tier score as a point, as an axis and as text."""

from judge.report.in_words import point_text
from judge.report.panels import Axis, Point
from judge.report.tables import NONE
from judge.results import ArmResult, Results
from judge.scoring import TierScore
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
    return Point(value=score.mean, low=interval.low if interval else None, high=interval.high if interval else None)


def tier_interval_of(arm: ArmResult, tier: str) -> TierInterval | None:
    """Return the interval that the role decisions rest on (it is the same for every threshold); ``None`` where none was made."""
    return next((p.interval for d in arm.decisions for p in d.tiers if p.tier == tier and p.interval), None)


def score_text(point: Point | None) -> str:
    """Return a score with its interval: ``4.20 [3.91, 4.48]``."""
    return point_text(point) if point else NONE


def coverage_text(score: TierScore) -> str:
    """Return scored and wanted answers: ``14 of 15``."""
    return f"{score.coverage.scored} of {score.coverage.wanted}"


def tps_text(arm: ArmResult) -> str:
    """Return the median decode speed in tokens per second."""
    return f"{arm.speed.decode_tps.median:.1f}" if arm.speed.decode_tps else NONE
