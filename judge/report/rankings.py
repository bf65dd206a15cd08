"""The order of the arms in words and tables, wherever it is shown: by the scores, and by judges that compared. Rendering only."""

from collections.abc import Iterator
from typing import NamedTuple

from judge.panel import Relation
from judge.report.tables import NONE, Rows
from judge.results.rankings import JudgeRanking, RankedGroup, RunRanking, ScoreOrder, ScoreRange
from judge.stats.preferences import PositionBias
from judge.stats.resampling import MIN_QUESTIONS

COLUMNS = ("Rank", "Arm", "Strength", "Relation")


class RankingTable(NamedTuple):
    """The order of arms that comparisons connect."""

    caption: str
    columns: tuple[str, ...]
    rows: Rows


class RankingBlock(NamedTuple):
    """What one judge says."""

    title: str
    lines: tuple[str, ...]
    """What the order rests on, first of all whether it decides anything."""
    tables: tuple[RankingTable, ...]


def order_lines(order: ScoreOrder) -> list[str]:
    """Return what the scores say, and what they leave open."""
    ranges = {one.arm_id: one for one in order.ranges}
    shown = " > ".join(" ~ ".join(_range(ranges[arm]) for arm in group) for group in order.groups)
    if not order.pairs:
        return [f"No two arms have scores that overlap, so the scores order them and nothing is compared: {shown}"]
    return [f"By the scores (~: the intervals overlap, so answers are compared; >: the scores decide): {shown}"]


def _range(one: ScoreRange) -> str:
    mean = "no score" if one.mean is None else f"{one.mean:.2f}"
    return f"{one.arm_id} {mean} [{one.interval.low:.2f}, {one.interval.high:.2f}]"


def judge_blocks(ranking: RunRanking) -> tuple[RankingBlock, ...]:
    """Return what every judge says, in the order in which they were asked."""
    return tuple(_block(judge, ranking.samples) for judge in ranking.judges)


def _block(judge: JudgeRanking, samples: int) -> RankingBlock:
    title = f"By judge {judge.judge}{', blind' if judge.blind else ''}"
    tables = tuple(_table(judge, group, samples) for group in judge.groups)
    return RankingBlock(title=title, lines=tuple(_lines(judge)), tables=tables)


def _lines(judge: JudgeRanking) -> Iterator[str]:
    yield f"Judge {judge.judge} ({judge.standing})" + ("" if judge.decides else ": this order decides nothing")
    yield _coverage(judge)
    if judge.position.pairs:
        yield _position(judge.position)
    if judge.left_out:
        yield f"Left out: {', '.join(judge.left_out)}, the judge's own model."
    if any(arm.relation is not Relation.OTHER for group in judge.groups for arm in group.arms):
        yield "Relation: self is the judge's own model, family one of its own or an unknown family; judges favour these."
    if any(group.p_better for group in judge.groups):
        yield "P(> B): how probable it is that the arm of the row is better than B, by a bootstrap over whole questions."
    for failure in judge.failures:
        yield f"Failed, and owed again: {failure}"
    if judge.wanted and not judge.groups:
        yield "No two answers were compared in both orders yet, so there is no order."


def _coverage(judge: JudgeRanking) -> str:
    sight = "without the evidence" if judge.blind else "with the evidence in sight where there is any"
    foregone = f", {judge.foregone} without asking (the same text, or no answer)" if judge.foregone else ""
    return (
        f"Compared: {judge.compared} of {judge.wanted}{foregone}; failed: {judge.failed}, missing: {judge.missing}. "
        f"Every two answers in both orders, {sight}; orders that disagree are a tie."
    )


def _position(found: PositionBias) -> str:
    agree = f"Both orders agree in {found.consistent} of {found.pairs} pairs ({found.consistent_share:.0%})"
    if found.first_share is None:
        return f"{agree}; no verdict names a side."
    return (
        f"{agree}; of {found.decisive} verdicts for a side, {found.first_wins} ({found.first_share:.0%}) are for the one shown "
        "first (50% without position bias)."
    )


def _table(judge: JudgeRanking, group: RankedGroup, samples: int) -> RankingTable:
    names = tuple(arm.arm_id for arm in group.arms)
    needs = "" if group.p_better else f"; P(A > B) needs {MIN_QUESTIONS} questions"
    caption = (
        f"On {'this question' if group.questions == 1 else f'these {group.questions} questions'}, K = {samples}, "
        f"{group.matches} pairs of answers, by {judge.judge}, not audited{needs}"
    )
    rows = [
        [
            str(arm.rank),
            arm.arm_id,
            f"{arm.strength:+.2f}",
            arm.relation.value,
            *(_probability(group, arm.arm_id, other) for other in names if group.p_better),
        ]
        for arm in group.arms
    ]
    better = tuple(f"P(> {name})" for name in names) if group.p_better else ()
    return RankingTable(caption=caption, columns=COLUMNS + better, rows=rows)


def _probability(group: RankedGroup, arm: str, other: str) -> str:
    known = (group.p_better or {}).get(arm, {}).get(other)
    return NONE if known is None else f"{known:.2f}"
