"""Verdicts -> weighted scores, with what is missing counted and never turned into a number. Pure.

An answer's score is sum(w_c * s_c) over its criteria, weights summing to 1; a tier's is the mean over its questions of the
mean over their answers, so a question with more answers does not weigh more.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from judge.types import Grade, Question, Suite, Verdict
from runner.types import Value

ENOUGH_COVERAGE = 0.95
"""With more than one in twenty missing, the mean may be that of another set of answers (D1): it is shown and decides nothing."""


def answer_score(question: Question, verdicts: Sequence[Verdict]) -> float | None:
    """Return the weighted score, 1.0-5.0; ``None`` when any criterion has no score (leaving it out would change the scale)."""
    scores = {verdict.criterion: verdict.score for verdict in verdicts}
    total = 0
    for criterion in question.criteria:
        score = scores.get(criterion.id)
        if score is None:
            return None
        total += criterion.weight * score
    return total / 100  # once, at the end: a 4 on everything must be a 4.0 and not 3.9999999999999996


class AnswerScore(Value):
    """What one answer was given, by the panel and by each judge."""

    question_id: str
    sample: int
    score: float | None
    """By the run's policy and the panel, 1.0-5.0; ``None``: missing."""
    criteria: dict[str, float]
    """Criterion -> mean over the panel under the run's policy; a criterion that could not be assessed is left out."""
    by_judge: dict[str, float | None]
    """Judge -> its own score as it is, whether it counts or not."""
    verdicts: dict[str, dict[str, Grade | None]]
    """Judge -> criterion -> score of its first replicate, as it is."""
    limits: dict[str, Grade]
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
    """How much of what was wanted has a score."""

    wanted: int
    answered: int
    """Answers that could be scored."""
    scored: int

    @property
    def share(self) -> float:
        """Scored / wanted, 0-1; 0 when nothing was wanted."""
        return self.scored / self.wanted if self.wanted else 0.0


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
    suite: Suite,
    scores: Mapping[str, Sequence[float | None]],
    wanted: Mapping[str, int],
    answered: Mapping[str, int],
) -> tuple[TierScore, ...]:
    """Return the tier scores of one arm.

    ``scores``: question id -> score of each answer; ``wanted`` and ``answered``: question id -> number of answers. Only
    questions in ``wanted`` count; a tier without any is left out.
    """
    return tuple(
        _tier_score(
            tier.id, [q.id for q in suite.questions if q.tier == tier.id and q.id in wanted], scores, wanted, answered
        )
        for tier in suite.tiers
        if any(q.tier == tier.id and q.id in wanted for q in suite.questions)
    )


def _tier_score(
    tier: str,
    question_ids: Sequence[str],
    scores: Mapping[str, Sequence[float | None]],
    wanted: Mapping[str, int],
    answered: Mapping[str, int],
) -> TierScore:
    known = {q: tuple(s for s in scores.get(q, ()) if s is not None) for q in question_ids}
    return TierScore(
        tier=tier,
        mean=mean_of_means(known.values()),
        questions=known,
        coverage=Coverage(
            wanted=sum(wanted[q] for q in question_ids),
            answered=sum(answered.get(q, 0) for q in question_ids),
            scored=sum(map(len, known.values())),
        ),
    )


def mean_of_means(groups: Iterable[Sequence[float]]) -> float | None:
    """Mean of the group means; empty groups are left out, ``None`` when all are empty."""
    means = [fmean(group) for group in groups if group]
    return fmean(means) if means else None
