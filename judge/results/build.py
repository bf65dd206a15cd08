"""From what is stored about a run to the figures of its report. Everything that is shown anywhere is computed here, once."""

from collections.abc import Mapping, Sequence

from judge.panel import Standing
from judge.pipeline import owed_checks, owed_scorings, work_of
from judge.records import JudgeRecord, RunRecord, RunState
from judge.results.arms import arm_result, with_speedups
from judge.results.judged import read_known
from judge.results.values import ArmResult, JudgeSummary, Results
from judge.scoring import Coverage
from judge.store import Store

NOT_EXAMINED = "not examined: how well it tells right from wrong is unknown"


def build_results(run: RunRecord, state: RunState, store: Store) -> Results:
    """Read what belongs to ``run`` from the store and compute its report."""
    known = read_known(run, store)
    judges = tuple(_summary(judge) for judge in run.judges)
    standings: Mapping[str, Standing] = {judge.fingerprint: judge.standing for judge in judges}
    arms = with_speedups([arm_result(run, record, store, known, standings) for record in run.arms])
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
        judges=judges,
        coverage=_coverage(arms),
        owed_answers=sum(
            len(work.owed)
            for record, work in zip(run.arms, work_of(run, store), strict=True)
            if record.model is not None
        ),
        owed_checks=len(owed_checks(run, store)),
        owed_scorings=sum(len(owed_scorings(run, judge, store)) for judge in run.judges),
        arms=tuple(arms),
        environment=run.environment,
    )


def _summary(judge: JudgeRecord) -> JudgeSummary:
    return JudgeSummary(
        name=judge.name,
        family=judge.family,
        fingerprint=judge.fingerprint,
        replicates=judge.replicates,
        blind=judge.also_blind,
        standing=Standing.NOT_EXAMINED,
        standing_reason=NOT_EXAMINED,
    )


def _coverage(arms: Sequence[ArmResult]) -> Coverage:
    coverages = [tier.coverage for arm in arms for tier in arm.tiers]
    return Coverage(
        wanted=sum(c.wanted for c in coverages),
        answered=sum(c.answered for c in coverages),
        scored=sum(c.scored for c in coverages),
    )
