"""Verdicts -> weighted scores, with what is missing counted and never turned into a number. Pure.

An answer's score is sum(w_c * s_c) over its criteria, weights summing to 1; a tier's is the mean over its questions of the
mean over their answers, so a question with more answers does not weigh more.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from judge.types import Grade, Question, Suite, Verdict
from runner.types import Value

ENOUGH_COVERAGE = 0.95
"""With more than one in twenty missing, the mean may be that of another set of answers (D1): it is shown and decides nothing."""


NO_BOUNDS: Mapping[str, Grade] = {}


def answer_score(
    question: Question, verdicts: Sequence[Verdict], bounds: Mapping[str, Grade] = NO_BOUNDS
) -> float | None:
    """Return the weighted score, 1.0-5.0; ``None`` when any criterion has no score (leaving it out would change the scale).

    ``bounds``: the highest score that the evidence allows, of criteria that have one; the same as scoring ``grounding.bounded``.
    """
    scores = {verdict.criterion: verdict.score for verdict in verdicts}
    total = 0
    for criterion in question.criteria:
        score = scores.get(criterion.id)
        if score is None:
            return None
        total += criterion.weight * min(score, bounds.get(criterion.id, score))
    return total / 100  # once, at the end: a 4 on everything must be a 4.0 and not 3.9999999999999996


class AnswerScore(NamedTuple):
    """What one answer was given, by the panel and by each judge; not a ``Value``, as thousands are made and dropped again."""

    question_id: str
    sample: int
    score: float | None
    """By the run's policy and the panel, 1.0-5.0; ``None``: missing."""
    criteria: Mapping[str, float]
    """Criterion -> mean over the panel under the run's policy; a criterion that could not be assessed is left out."""
    by_judge: Mapping[str, float | None]
    """Judge -> its own score as it is, whether it counts or not."""
    verdicts: Mapping[str, Mapping[str, Grade | None]]
    """Judge -> criterion -> score of its first replicate, as it is."""
    limits: Mapping[str, Grade]
    """Criterion -> highest score that the evidence allows."""

    @property
    def spread(self) -> int:
        """Largest difference between two judges on one criterion, 0-4; 0 with one judge."""
        groups: dict[str, list[int]] = {}
        for given in self.verdicts.values():
            for criterion, score in given.items():
                if score is not None:
                    groups.setdefault(criterion, []).append(score)
        return max((max(group) - min(group) for group in groups.values()), default=0)


class Coverage(Value):
    """What a mean rests on: how many answers were asked of a question, who scored them, and how many of them have a score.

    No mean is shown without it. Every answer that was wanted is scored, failed or missing.
    """

    samples: tuple[int, ...]
    """K, answers wanted of a question; several, ascending, where some questions were sampled further; empty: nothing was wanted."""
    judges: tuple[str, ...]
    """Who scores every answer; empty when nobody does."""
    escalated: tuple[str, ...] = ()
    """Who scores only the answers on which those differ."""
    wanted: int
    answered: int
    """Answers that could be scored."""
    scored: int
    failed: int
    """Tried, and no score came of it: an answer or a scoring that failed, or a criterion that a judge could not assess."""

    @property
    def missing(self) -> int:
        """Neither scored nor failed: it was not tried yet."""
        return self.wanted - self.scored - self.failed

    @property
    def share(self) -> float:
        """Scored / wanted, 0-1; 0 when nothing was wanted."""
        return self.scored / self.wanted if self.wanted else 0.0

    @property
    def samples_text(self) -> str:
        """K in a few letters: ``5``, or ``5-20`` where some questions were sampled further."""
        return "-".join(str(k) for k in dict.fromkeys((*self.samples[:1], *self.samples[-1:]))) or "0"

    @property
    def judges_text(self) -> str:
        """How many judges: ``2 judges``, or ``2-3 judges`` where some answers went to one more."""
        least, most = len(self.judges), len(self.judges) + len(self.escalated)
        if most == 0:
            return "no judge"
        count = str(least) if least == most else f"{least}-{most}"
        return f"{count} {'judge' if most == 1 else 'judges'}"

    @property
    def scored_text(self) -> str:
        """Scored of wanted, and why the rest is not: ``50/50``, or ``48/50, 1 failed, 1 missing``."""
        rest = {"failed": self.failed, "missing": self.missing}
        return ", ".join(
            [f"{self.scored}/{self.wanted}", *(f"{count} {what}" for what, count in rest.items() if count)]
        )

    @property
    def text(self) -> str:
        """All of it, as it stands beside a mean: ``K 5, 2 judges, 48/50, 1 failed, 1 missing``."""
        return f"K {self.samples_text}, {self.judges_text}, {self.scored_text}"

    @property
    def names_text(self) -> str:
        """The judges by their names: ``big, small, larger (where they differ)``; ``-`` without any."""
        return ", ".join((*self.judges, *(f"{name} (where they differ)" for name in self.escalated))) or "-"

    @property
    def cells(self) -> tuple[str, str, str]:
        """The same in cells of a table, under COVERAGE_COLUMNS, with the judges' names."""
        return self.samples_text, self.names_text, self.scored_text


COVERAGE_COLUMNS = ("K", "Judges", "Scored")
"""Heads of the cells of a coverage, in a table that has no room for its text."""


def together(coverages: Iterable[Coverage]) -> Coverage:
    """Return the coverage of a mean over several cells."""
    parts = list(coverages)
    judges = tuple(dict.fromkeys(judge for part in parts for judge in part.judges))
    escalated = dict.fromkeys(judge for part in parts for judge in part.escalated)
    return Coverage(
        samples=tuple(sorted({k for part in parts for k in part.samples})),
        judges=judges,
        escalated=tuple(judge for judge in escalated if judge not in judges),
        wanted=sum(part.wanted for part in parts),
        answered=sum(part.answered for part in parts),
        scored=sum(part.scored for part in parts),
        failed=sum(part.failed for part in parts),
    )


class TierScore(Value):
    """The score of one arm on one tier."""

    tier: str
    mean: float | None
    """1.0-5.0 over the questions that have a score; ``None`` when none has."""
    questions: dict[str, tuple[float, ...]]
    """Question id -> the scores of its answers; a question without any has an empty tuple."""
    coverage: Coverage

    @property
    def complete(self) -> bool:
        """True when every question of the tier that was asked has at least one score."""
        return all(self.questions.values())


def tier_scores(
    suite: Suite, scores: Mapping[str, Sequence[float | None]], coverages: Mapping[str, Coverage]
) -> tuple[TierScore, ...]:
    """Return the tier scores of one arm.

    ``scores``: question id -> score of each answer; ``coverages``: question id -> what was wanted of it and came. Only questions
    in ``coverages`` count; a tier without any is left out.
    """
    asked = {
        tier.id: [q.id for q in suite.questions if q.tier == tier.id and q.id in coverages] for tier in suite.tiers
    }
    return tuple(_tier_score(tier, ids, scores, coverages) for tier, ids in asked.items() if ids)


def _tier_score(
    tier: str,
    question_ids: Sequence[str],
    scores: Mapping[str, Sequence[float | None]],
    coverages: Mapping[str, Coverage],
) -> TierScore:
    known = {q: tuple(s for s in scores.get(q, ()) if s is not None) for q in question_ids}
    return TierScore(
        tier=tier,
        mean=mean_of_means(known.values()),
        questions=known,
        coverage=together(coverages[q] for q in question_ids),
    )


def mean(group: Sequence[float]) -> float:
    """Return the mean of at least one number: the same as ``fmean``, which takes ten times as long for the usual single one."""
    return float(group[0]) if len(group) == 1 else fmean(group)


def mean_of_means(groups: Iterable[Sequence[float]]) -> float | None:
    """Mean of the group means; empty groups are left out, ``None`` when all are empty."""
    means = [fmean(group) for group in groups if group]
    return fmean(means) if means else None
