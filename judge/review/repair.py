"""The repair queue: units whose scores look wrong, and why (D7, D11). Pure.

It finds what judges disagree on; what they all get wrong alike it cannot find, and so it says nothing about their errors.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from judge.audit import CLEARLY_WRONG, disagrees
from judge.ratings import RepairItem, RepairReason, item_id
from judge.review.units import ScoredUnit, answer_scores
from judge.types import Verdict

SPREAD = 2
"""Points between the highest and the lowest score of a unit from which judges count as disagreeing."""
NEAR = 0.25
"""Points around a threshold within which a wrong score may turn a decision."""
REASONS: tuple[RepairReason, ...] = ("tests", "veto", "spread", "threshold")

_CALL = re.compile(r"\w\s*\([^()\s][^()]*\)")
"""A call with arguments, such as ``factorial(-1)``."""


def repair_items(
    run_id: str, units: Sequence[ScoredUnit], thresholds: Mapping[str, Sequence[float]]
) -> tuple[RepairItem, ...]:
    """Return the units that look wrong, the most telling reasons first, units of one answer together.

    ``thresholds``: tier -> the scores that some role needs on it.
    """
    near = _near_threshold(units, thresholds)
    found = [
        RepairItem(
            id=item_id("repair", *scored.unit.key, scored.unit.rubric),
            run_id=run_id,
            answer_unit=scored.unit.answer_unit,
            question_id=scored.unit.question_id,
            criterion=scored.unit.criterion,
            rubric=scored.unit.rubric,
            reason=reason,
        )
        for scored in units
        if (reason := _reason(scored)) or (reason := "threshold" if scored.unit.answer_unit in near else None)
    ]
    return tuple(in_order(found))


class Repairable(Protocol):
    """A repair item, or as much of it as its place in the queue depends on."""

    @property
    def answer_unit(self) -> str: ...  # noqa: D102

    @property
    def criterion(self) -> str: ...  # noqa: D102

    @property
    def reason(self) -> RepairReason | None: ...  # noqa: D102


Repaired = TypeVar("Repaired", bound=Repairable)


def in_order(items: Iterable[Repaired]) -> list[Repaired]:
    """Return the items as they are to be rated."""
    items = list(items)
    first: dict[str, int] = {}
    for item in items:
        assert item.reason is not None, "every repair item has a reason"
        rank = REASONS.index(item.reason)
        first[item.answer_unit] = min(rank, first.get(item.answer_unit, rank))
    return sorted(items, key=lambda item: (first[item.answer_unit], item.answer_unit, item.criterion))


def _reason(scored: ScoredUnit) -> RepairReason | None:
    if any(disagrees(v.score, scored.bound) for judge in scored.judges for v in judge.unaided or judge.verdicts):
        return "tests"
    verdicts = [verdict for judge in scored.judges for verdict in judge.verdicts]
    if any(_is_veto(verdict, scored) for verdict in verdicts):
        return "veto"
    grades = [verdict.score for verdict in verdicts if verdict.score is not None]
    return "spread" if grades and max(grades) - min(grades) >= SPREAD else None


def _is_veto(verdict: Verdict, scored: ScoredUnit) -> bool:
    """True when a judge rejects the unit and cites an input, unless the tests reject it as well: then the matter is settled."""
    rejected = verdict.score is not None and verdict.score <= CLEARLY_WRONG
    settled = scored.bound is not None and scored.bound <= CLEARLY_WRONG
    return rejected and not settled and cites_input(verdict, scored.failing_inputs)


def cites_input(verdict: Verdict, failing: Sequence[str] = ()) -> bool:
    """True when a verdict names an input: a call with arguments, or one that a check failed on."""
    said = f"{verdict.evidence}\n{verdict.reasoning}"
    return bool(_CALL.search(said)) or any(text in said for text in failing)


def _near_threshold(units: Sequence[ScoredUnit], thresholds: Mapping[str, Sequence[float]]) -> set[str]:
    """Return the answers near a threshold of their tier, of arms whose score on that tier is near it too."""
    answers = answer_scores(units)
    by_tier: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for scored in units:
        unit = scored.unit
        if unit.answer_unit in answers:
            by_tier[unit.arm, unit.tier][unit.answer_unit] = answers[unit.answer_unit]
    return {
        answer
        for (_, tier), scores in by_tier.items()
        for threshold in thresholds.get(tier, ())
        if abs(sum(scores.values()) / len(scores) - threshold) <= NEAR
        for answer, score in scores.items()
        if abs(score - threshold) <= NEAR
    }
