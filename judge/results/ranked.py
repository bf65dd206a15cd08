"""The order of the arms of a run: by the intervals of their scores, and by stored comparisons where these overlap. Reads the store."""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from judge.panel import Standing, relation
from judge.pipeline import Contest, PairTask, askable, wanted_pairings
from judge.pipeline.scorings import judged_arms
from judge.records import ArmRecord, JudgeRecord, RankingRecord, RunRecord
from judge.results.rankings import JudgeRanking, RankedArm, RankedGroup, RunRanking, ScoreOrder, ScoreRange
from judge.results.standing import standing_of
from judge.results.values import ArmResult
from judge.stats.figures import Interval, chains
from judge.stats.intervals import SEED, score_interval
from judge.stats.preferences import Match, Preference, matches_of, position_bias
from judge.store import Store

if TYPE_CHECKING:
    from judge.stats.ranking import Ranking

INTERVAL_CONFIDENCE = 0.90
"""Two-sided: [q05(L), q95(U)]."""
REMEMBERED = 8
"""Rankings whose bootstrap is not computed again when nothing was added: a page of the service may be asked for often."""
SAME = 6
"""Decimals in which equal strengths agree."""


def ranking_of(run: RunRecord, arms: Sequence[ArmResult], store: Store) -> RunRanking | None:
    """Return the order of the arms; ``None`` when nobody was asked to compare them."""
    if not run.rankings:
        return None
    order = score_order(arms)
    judges = tuple(_judge_ranking(run, asked, order, store) for asked in run.rankings)
    return RunRanking(order=order, samples=run.samples, judges=judges)


def score_order(arms: Sequence[ArmResult]) -> ScoreOrder:
    """Return what the scores alone say."""
    ranges = sorted((_range(arm) for arm in arms), key=lambda one: (-(one.mean or 0.0), one.arm_id))
    groups = chains({one.arm_id: one.interval for one in ranges})
    by_rank = [tuple(one.arm_id for one in ranges if one.arm_id in group) for group in reversed(groups)]
    return ScoreOrder(ranges=tuple(ranges), groups=tuple(by_rank))


def _range(arm: ArmResult) -> ScoreRange:
    questions = [scores for tier in arm.tiers for scores in tier.questions.values()]
    means = [fmean(scores) for scores in questions if scores]
    low, high = score_interval(questions or [()])
    interval = Interval(low=low, high=high, confidence=INTERVAL_CONFIDENCE)
    return ScoreRange(arm_id=arm.id, mean=fmean(means) if means else None, interval=interval)


def contest_of(run: RunRecord, asked: RankingRecord, order: ScoreOrder) -> Contest:
    """Return the comparisons that are wanted: of arms whose scores overlap, but not of the judge's own."""
    may = {record.arm.id for record in judged_arms(run, asked.judge)}
    return Contest(run, asked, tuple(pair for pair in order.pairs if may.issuperset(pair)))


def own_arms(run: RunRecord, judge: JudgeRecord) -> tuple[str, ...]:
    """Return the arms that the judge is not asked about because they are its own."""
    asked = judged_arms(run, judge)
    return tuple(record.arm.id for record in run.arms if record not in asked)


def _judge_ranking(run: RunRecord, asked: RankingRecord, order: ScoreOrder, store: Store) -> JudgeRanking:
    contest = contest_of(run, asked, order)
    found = _read(contest, store)
    standing, reason = standing_of(run, asked.judge, store)
    return JudgeRanking(
        judge=asked.judge.name,
        standing=standing,
        standing_reason=reason,
        decides=standing in (Standing.QUALIFIED, Standing.LOGIC_ONLY),
        blind=asked.blind,
        groups=tuple(_groups(run, asked.judge, order, found.preferences)),
        left_out=own_arms(run, asked.judge),
        wanted=found.wanted,
        compared=len(found.preferences),
        foregone=len(found.preferences) - len(found.asked),
        failed=found.failed,
        missing=found.wanted - len(found.preferences) - found.failed,
        owed=found.owed,
        position=position_bias(found.asked),
        failures=tuple(f"{line} ({count} times)" if count > 1 else line for line, count in found.failures.items()),
    )


# --- what is stored -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Found:
    """What is stored of one contest."""

    preferences: list[Preference] = field(default_factory=list)
    asked: list[Preference] = field(default_factory=list)
    """Those of them for which the judge was asked."""
    wanted: int = 0
    failed: int = 0
    owed: int = 0
    failures: Counter[str] = field(default_factory=Counter)


def _read(contest: Contest, store: Store) -> _Found:
    found = _Found()
    for tasks in wanted_pairings(contest, store):
        _read_batch({task.key: task for task in tasks}, store, found)
    return found


def _read_batch(tasks: Mapping[str, PairTask], store: Store, found: _Found) -> None:
    stored = set()
    for key, one in store.comparisons(tasks):
        stored.add(key)
        task = tasks[key]
        first, second = task.arms
        said = Preference(
            question=task.question.id, sample=task.sample, first=first, second=second, preferred=one.winner
        )
        found.preferences.append(said)
        if one.replies:
            found.asked.append(said)
    owed = askable([task for key, task in tasks.items() if key not in stored], store)
    failed = store.failed_comparisons(task.key for task in owed)
    found.wanted += len(tasks)
    found.owed += len(owed)
    found.failed += len(failed)
    found.failures.update(f"{tasks[key].question.id}: {one.kind}: {one.message}" for key, one in failed.items())


# --- the order ------------------------------------------------------------------------------------------------------


def _groups(
    run: RunRecord, judge: JudgeRecord, order: ScoreOrder, preferences: Sequence[Preference]
) -> Iterator[RankedGroup]:
    records = {record.arm.id: record for record in run.arms}
    # In one order whatever the store's was, so that the same comparisons are the same ranking.
    matches = sorted(
        matches_of(preferences).matches, key=lambda match: (match.question, match.a, match.b, match.result)
    )
    intervals = tuple((one.arm_id, one.interval) for one in order.ranges)
    for ranking in _fitted(tuple(matches), intervals) if matches else ():
        yield _group(ranking, judge, records)


@functools.lru_cache(maxsize=REMEMBERED)
def _fitted(matches: tuple[Match, ...], intervals: tuple[tuple[str, Interval], ...]) -> tuple["Ranking", ...]:
    # Imported here because only a ranking needs it, and it takes as long to load as everything else.
    from judge.stats.ranking import rankings

    return rankings(matches, dict(intervals), seed=SEED)


def _group(ranking: "Ranking", judge: JudgeRecord, records: Mapping[str, ArmRecord]) -> RankedGroup:
    strengths = {arm: round(ranking.abilities.log_abilities[arm], SAME) + 0.0 for arm in ranking.ranking}
    arms = [
        RankedArm(
            arm_id=arm,
            rank=1 + sum(other > strength for other in strengths.values()),
            strength=strength,
            relation=relation(judge, records[arm]),
        )
        for arm, strength in strengths.items()
    ]
    return RankedGroup(
        arms=tuple(arms),
        tie_parameter=ranking.abilities.tie_parameter,
        p_better=ranking.p_better,
        questions=ranking.questions,
        matches=ranking.matches,
    )
