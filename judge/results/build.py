"""From what is stored about a run to the figures of its report. Everything that is shown anywhere is computed here, once."""

from collections.abc import Sequence

from judge.pipeline import count_owed_scorings, owed_checks, work_of
from judge.records import JudgeRecord, RunRecord, RunState
from judge.results.against import baseline_comparisons, cross_of, ladder_of, sweeps_of
from judge.results.arms import Scored, arm_result, scored_arm, with_speedups
from judge.results.judged import Known, read_known
from judge.results.labels import audits_of
from judge.results.standing import standing_of, standings_of
from judge.results.values import ArmResult, JudgeSummary, Results
from judge.scoring import Coverage
from judge.speed import reused_share
from judge.store import Store


def build_results(run: RunRecord, state: RunState, store: Store) -> Results:
    """Read what belongs to ``run`` from the store and compute its report."""
    known, audits = read_known(run, store), audits_of(run, store)
    scored = _scored(run, store, known)
    comparisons = baseline_comparisons(scored)
    arms = with_speedups([arm_result(run, one, store, known, audits.get(one.record.arm.id)) for one in scored])
    return Results(
        run_id=run.id,
        created_at=run.created_at,
        state=state,
        command=run.command,
        suite=run.suite.name,
        suite_version=run.suite.version,
        suite_hash=run.suite.hash,
        samples=run.samples,
        policy=run.policy,
        judges=tuple(_summary(run, judge, store, known) for judge in run.judges),
        coverage=_coverage(arms),
        owed_answers=sum(
            len(work.owed)
            for record, work in zip(run.arms, work_of(run, store), strict=True)
            if record.model is not None
        ),
        owed_checks=len(owed_checks(run, store)),
        owed_scorings=sum(count_owed_scorings(run, judge, store) for judge in run.judges),
        arms=tuple(arms),
        comparisons=comparisons,
        sweeps=sweeps_of(scored, comparisons),
        ladder=ladder_of(run, arms),
        cross=cross_of(run, scored),
        environment=run.environment,
    )


def read_scored(run: RunRecord, store: Store) -> list[Scored]:
    """Read the answers of every arm of ``run`` with their scores, without computing the rest of its report."""
    return _scored(run, store, read_known(run, store))


def _scored(run: RunRecord, store: Store, known: Known) -> list[Scored]:
    standings = standings_of(run, store)
    return [scored_arm(run, record, store, known, standings) for record in run.arms]


def _summary(run: RunRecord, judge: JudgeRecord, store: Store, known: Known) -> JudgeSummary:
    views = (known.seen.get(judge.fingerprint, {}), known.blind.get(judge.fingerprint, {}))
    standing, reason = standing_of(run, judge, store)
    return JudgeSummary(
        name=judge.name,
        family=judge.family,
        fingerprint=judge.fingerprint,
        replicates=judge.replicates,
        blind=judge.also_blind,
        reused_share=reused_share(j for view in views for found in view.values() for j in found),
        standing=standing,
        standing_reason=reason,
    )


def _coverage(arms: Sequence[ArmResult]) -> Coverage:
    coverages = [tier.coverage for arm in arms for tier in arm.tiers]
    return Coverage(
        wanted=sum(c.wanted for c in coverages),
        answered=sum(c.answered for c in coverages),
        scored=sum(c.scored for c in coverages),
    )
