"""From what is stored about a run to the figures of its report. Everything that is shown anywhere is computed here, once."""

from collections.abc import Sequence

from judge.records import JudgeRecord, RunRecord, RunState
from judge.results.against import baseline_comparisons, cross_of, is_compared, ladder_of, sweeps_of
from judge.results.arms import ArmFigures, Scored, arm_figures, scored_arm, seats, tier_coverages, with_speedups
from judge.results.labels import audits_of
from judge.results.ranked import ranking_of
from judge.results.standing import standing_of, standings_of
from judge.results.values import JudgeSummary, Results
from judge.scoring import Coverage, together
from judge.speed import Reuse, reuse
from judge.store import Store


def build_results(run: RunRecord, state: RunState, store: Store) -> Results:
    """Read what belongs to ``run`` from the store and compute its report."""
    figures = _figures(run, store)
    scored = [one.scored for one in figures if one.scored]
    comparisons = baseline_comparisons(scored)
    arms = with_speedups([one.result for one in figures])
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
        checks=run.checks,
        judges=tuple(_summary(run, judge, store, figures) for judge in run.judges),
        coverage=together(tier.coverage for arm in arms for tier in arm.tiers),
        owed_answers=sum(one.owed.answers for one in figures),
        owed_checks=sum(one.owed.checks for one in figures),
        owed_scorings=sum(one.owed.scorings for one in figures),
        arms=tuple(arms),
        comparisons=comparisons,
        sweeps=sweeps_of(scored, comparisons),
        ladder=ladder_of(run, arms),
        cross=cross_of(run, scored),
        ranking=ranking_of(run, arms, store),
        environment=run.environment,
    )


def read_scored(run: RunRecord, store: Store) -> list[Scored]:
    """Read the answers of every arm of ``run`` with their scores, without computing the rest of its report."""
    standings = standings_of(run, store)
    return [scored_arm(run, seats(run, record, standings), store) for record in run.arms]


def read_coverages(run: RunRecord, store: Store) -> dict[tuple[str, str], Coverage]:
    """Return (arm, tier) -> what the score of the tier rests on, without computing the rest of the report."""
    standings = standings_of(run, store)
    return {
        (record.arm.id, tier): coverage
        for record in run.arms
        for tier, coverage in tier_coverages(run, seats(run, record, standings), store).items()
    }


def _figures(run: RunRecord, store: Store) -> list[ArmFigures]:
    standings, audits = standings_of(run, store), audits_of(run, store)
    return [
        arm_figures(
            run,
            seats(run, record, standings),
            store,
            audits.get(record.arm.id),
            keep=is_compared(run, record),
        )
        for record in run.arms
    ]


def _summary(run: RunRecord, judge: JudgeRecord, store: Store, figures: Sequence[ArmFigures]) -> JudgeSummary:
    standing, reason = standing_of(run, judge, store)
    return JudgeSummary(
        name=judge.name,
        family=judge.family,
        fingerprint=judge.fingerprint,
        replicates=judge.replicates,
        blind=judge.also_blind,
        reused_share=reuse(one.reuse.get(judge.fingerprint, Reuse()) for one in figures).share,
        standing=standing,
        standing_reason=reason,
    )
