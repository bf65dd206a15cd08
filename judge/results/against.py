"""The arms of a run against each other: every config against its candidate's baseline, the ladder, the judges. Pure."""

from collections.abc import Sequence

from judge.compare import MARGIN, Comparison, Side, Sweep, compare, sweep
from judge.cross import CrossJudging, cross_judging
from judge.ladder import Contender, Rung, ladder
from judge.records import ArmRecord, RunRecord
from judge.results.arms import Scored
from judge.results.values import ArmResult

BASELINE = "baseline"


def side(scored: Scored) -> Side:
    """Return one arm as a side of a comparison."""
    return Side(
        arm_id=scored.record.arm.id,
        scores=scored.scored.scores,
        decode_tps=scored.scored.decode_tps,
        coverage=scored.coverage,
        decides=scored.panel.decides,
    )


def is_compared(run: RunRecord, record: ArmRecord) -> bool:
    """True when single answers of this arm are compared with those of another one, or by several judges."""
    configs = {other.arm.config.name for other in run.arms if other.arm.candidate == record.arm.candidate}
    return len(run.judges) > 1 or (BASELINE in configs and len(configs) > 1)


def baseline_comparisons(scored: Sequence[Scored], margin: float = MARGIN) -> tuple[Comparison, ...]:
    """Return every other config of a candidate compared with its baseline, where both were run."""
    baselines = {one.record.arm.candidate: one for one in scored if one.record.arm.config.name == BASELINE}
    return tuple(
        compare(side(base), side(one), margin)
        for one in scored
        if (base := baselines.get(one.record.arm.candidate)) and one is not base
    )


def sweeps_of(scored: Sequence[Scored], comparisons: Sequence[Comparison]) -> tuple[Sweep, ...]:
    """Return a recommendation for each candidate that has comparisons with its baseline."""
    candidates = {one.record.arm.id: one.record.arm.candidate for one in scored}
    found: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        found.setdefault(candidates[comparison.b], []).append(comparison)
    return tuple(sweep(candidate, group[0].a, group) for candidate, group in found.items())


def disputed(scored: Sequence[Scored], spread: int) -> frozenset[str]:
    """Return the keys of the answers on which two judges differ by at least ``spread`` on some criterion."""
    return frozenset(answer.key for one in scored for answer in one.scored if answer.score.spread >= spread)


def ladder_of(run: RunRecord, arms: Sequence[ArmResult]) -> tuple[Rung, ...]:
    """Return who fills each rung by this run; empty without a judge."""
    return ladder(run.suite.roles, [_contender(arm) for arm in arms]) if run.judges else ()


def _contender(arm: ArmResult) -> Contender:
    means = [tier.mean for tier in arm.tiers]
    known = [mean for mean in means if mean is not None]
    decode = arm.speed.decode_tps
    return Contender(
        arm_id=arm.id,
        role=arm.role,
        decode_tps=decode.median if decode else None,
        score=sum(known) / len(known) if known and len(known) == len(means) else None,
        coverage=arm.coverage,
        decisions=arm.decisions,
        audited=arm.audit is not None and arm.audit.audited,
    )


def cross_of(run: RunRecord, scored: Sequence[Scored]) -> CrossJudging | None:
    """Return what the judges of the run say about each other; ``None`` with fewer than two."""
    return cross_judging(run.judges, [(one.record, one.scored.scores) for one in scored])
