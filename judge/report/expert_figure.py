"""What fewer experts gain in speed and cost in score."""

from collections.abc import Callable
from functools import partial

from judge.report.panels import Axis, CurvePanel, Figure, Point
from judge.report.points import over_all, score_axis, tier_ids, tier_point, tier_text, tps_text
from judge.report.tables import NONE
from judge.results import ArmResult, Results
from runner.types import Config

Sweep = tuple[tuple[int, ArmResult], ...]
"""Arms of one candidate with the experts that each used, ascending."""


def expert_curve(results: Results) -> Figure:
    """Return speed and tier scores along the number of experts used, of candidates with more than one number."""
    sweeps, tiers = _sweeps(results), tier_ids(results)
    panels = [_curve("Speed", Axis(label="decode, tokens per second", low=0.0), sweeps, _speed_point)]
    panels += [_curve(tier, score_axis(f"{tier} score"), sweeps, partial(tier_point, tier=tier)) for tier in tiers]
    return Figure(
        id="experts",
        title="Experts used",
        caption="What fewer experts gain in speed and cost in score. Bars: interval of the tier score."
        + over_all(results),
        panels=tuple(panel for panel in panels if panel.series),
        nothing="No candidate was run with more than one number of experts.",
        columns=("Candidate", "Experts used", "Decode t/s", "Speed-up", *tiers),
        rows=tuple(_row(candidate, count, arm, tiers) for candidate, sweep in sweeps.items() for count, arm in sweep),
    )


def _row(candidate: str, count: int, arm: ArmResult, tiers: tuple[str, ...]) -> tuple[str, ...]:
    speedup = f"{arm.speed.speedup:.2f}x" if arm.speed.speedup else NONE
    return (candidate, str(count), tps_text(arm), speedup, *(tier_text(arm, tier) for tier in tiers))


def _sweeps(results: Results) -> dict[str, Sweep]:
    found: dict[str, dict[int, ArmResult]] = {}
    for arm in results.arms:
        if (count := _experts(arm)) is not None:
            found.setdefault(arm.candidate, {})[count] = arm
    return {candidate: tuple(sorted(arms.items())) for candidate, arms in found.items() if len(arms) > 1}


def _experts(arm: ArmResult) -> int | None:
    """Return what the log of the server proved, else what the config asks for; ``None`` with speculative decoding, another axis."""
    config = Config.parse(arm.config)
    if config.draft_tokens is not None:
        return None
    proven = arm.launches[-1].experts_used if arm.launches else None
    return proven if proven is not None else config.experts


def _speed_point(arm: ArmResult) -> Point | None:
    return Point(value=arm.speed.decode_tps.median) if arm.speed.decode_tps else None


def _curve(title: str, y: Axis, sweeps: dict[str, Sweep], point: Callable[[ArmResult], Point | None]) -> CurvePanel:
    series = {
        candidate: tuple((count, found) for count, arm in sweep if (found := point(arm)))
        for candidate, sweep in sweeps.items()
    }
    return CurvePanel(
        title=title,
        x=Axis(label="experts used"),
        y=y,
        series={name: points for name, points in series.items() if points},
    )
