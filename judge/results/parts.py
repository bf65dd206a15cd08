"""The answers to one question by one arm -> its part of the arm's figures. Pure. The answers themselves can be dropped after it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from judge.audit import Disagreement, Rates, disagrees, rates
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.results.judged import Judged, QuestionAnswers
from judge.results.scores import answer_scored, judge_score, panel_score, question_score
from judge.results.values import QuestionScore
from judge.scoring import AnswerScore
from judge.speed import Reuse, SpeedColumns, speed_columns
from judge.types import Question


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """What one question adds to the figures of an arm."""

    score: QuestionScore
    scores: tuple[float | None, ...]
    """By the panel, of each answer that can be scored."""
    by_judge: Mapping[str, tuple[float | None, ...]]
    """Judge fingerprint -> its scores of the same answers."""
    speeds: SpeedColumns
    """Of the same answers."""
    disagreements: tuple[Disagreement, ...]
    rates: Rates
    missing: tuple[str, ...]
    """One line per answer that failed and is still owed."""
    failures: Mapping[str, tuple[str, ...]]
    """Judge fingerprint -> one line per scoring that failed and is still owed."""
    reuse: Mapping[str, Reuse]
    """Judge fingerprint -> prompt tokens that its server took from the request before."""
    owed_answers: int
    """Answers that are wanted and not there."""
    owed_checks: int
    """Answers that are still to be executed."""
    owed_scorings: int
    """By all judges, of answers that are there."""


def question_part(
    run: RunRecord,
    record: ArmRecord,
    question: Question,
    found: QuestionAnswers,
    counting: Sequence[JudgeRecord],
    scoring: Sequence[JudgeRecord],
) -> QuestionPart:
    """Return the part of one question; ``counting``: the panel, ``scoring``: everyone who scores the arm."""
    scorable = [one for one in found.judged if one.scorable]
    return QuestionPart(
        score=question_score(run, question, found.judged, counting, run.samples_of(record, question)),
        scores=tuple(panel_score(question, one, counting, run.policy) for one in scorable),
        by_judge={
            judge.fingerprint: tuple(judge_score(question, one, judge, run.policy) for one in scorable)
            for judge in scoring
        },
        speeds=speed_columns([one.speed for one in scorable]),
        disagreements=tuple(_disagreements(record, question, found.judged, counting)),
        rates=_rates(found.judged, counting),
        missing=tuple(found.missing),
        failures={judge: tuple(lines) for judge, lines in found.failures.items()},
        reuse=dict(found.reuse),
        owed_answers=run.samples_of(record, question) - len(found.judged),
        owed_checks=len(found.unchecked),
        owed_scorings=sum(found.owed.values()),
    )


def _disagreements(
    record: ArmRecord, question: Question, judged: Iterable[Judged], judges: Sequence[JudgeRecord]
) -> Iterator[Disagreement]:
    for one in judged:
        for judge in judges:
            for verdicts in one.audited([judge.fingerprint])[:1]:
                for verdict in verdicts:
                    bound = one.limits.get(verdict.criterion)
                    if verdict.score is not None and bound is not None and disagrees(verdict.score, bound):
                        yield Disagreement(
                            arm_id=record.arm.id,
                            question_id=question.id,
                            sample=one.sample,
                            judge=judge.name,
                            criterion=verdict.criterion,
                            score=verdict.score,
                            bound=bound,
                        )


def _rates(judged: Iterable[Judged], judges: Sequence[JudgeRecord]) -> Rates:
    names = [judge.fingerprint for judge in judges]
    return rates((verdicts, one.limits) for one in judged for verdicts in one.audited(names))


def total_rates(parts: Iterable[Rates]) -> Rates:
    """Return the counts of all parts together."""
    counts = list(parts)
    return Rates(
        right=sum(one.right for one in counts),
        right_confirmed=sum(one.right_confirmed for one in counts),
        wrong=sum(one.wrong for one in counts),
        wrong_caught=sum(one.wrong_caught for one in counts),
    )


# --- single answers -------------------------------------------------------------------------------------------------


class ScoredAnswer(NamedTuple):
    """One answer that can be scored, as comparisons take it."""

    key: str
    """Of its unit."""
    score: AnswerScore
    decode_tps: float | None


def scored_answers(
    run: RunRecord,
    question: Question,
    judged: Iterable[Judged],
    counting: Sequence[JudgeRecord],
    scoring: Sequence[JudgeRecord],
) -> Iterator[ScoredAnswer]:
    """Yield what each answer that can be scored was given; ``counting``: the panel, ``scoring``: everyone who scores the arm."""
    for one in judged:
        if one.scorable:
            yield ScoredAnswer(one.key, answer_scored(run, question, one, counting, scoring), one.speed.decode_tps)
