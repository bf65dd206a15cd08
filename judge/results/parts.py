"""The answers to one question by one arm -> its part of the arm's figures. Pure. The answers themselves can be dropped after it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from judge.audit import DecidedUnit, Disagreement, LogicAudit, Rates, disagrees, is_decisive, logic_audit, rates
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.results.columns import ScoredAnswer
from judge.results.judged import Judged, QuestionAnswers
from judge.results.scores import answer_scored, coverage_of, judge_score, panel_score, question_score
from judge.results.values import QuestionScore
from judge.said import Verdicts
from judge.scoring import Coverage, mean
from judge.speed import Reuse, SpeedColumns, speed_columns
from judge.types import Grade, Question


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """What one question adds to the figures of an arm."""

    score: QuestionScore
    scores: tuple[float | None, ...]
    """By the panel, of each answer that can be scored."""
    by_judge: Mapping[str, tuple[float | None, ...]]
    """Judge fingerprint -> its scores of the same answers."""
    coverage_by_judge: Mapping[str, Coverage]
    """Judge fingerprint -> what was wanted of it and came."""
    speeds: SpeedColumns
    """Of the same answers."""
    disagreements: tuple[Disagreement, ...]
    rates: Rates
    logic_audit: LogicAudit
    missing: tuple[str, ...]
    """One line per answer that failed: those that are still owed, then those that can never be scored."""
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
    wanted = run.samples_of(record, question)
    score = question_score(run, question, found, counting, wanted)
    scores = tuple(panel_score(one, counting, run.policy) for one in scorable)
    # A panel of one says what its judge says: there may be a hundred thousand answers, and it would be the same again.
    others = [judge for judge in scoring if counting != [judge]]
    alone = {judge.fingerprint for judge in scoring if judge not in others}
    return QuestionPart(
        score=score,
        scores=scores,
        by_judge={
            **dict.fromkeys(alone, scores),
            **{judge.fingerprint: tuple(judge_score(one, judge, run.policy) for one in scorable) for judge in others},
        },
        coverage_by_judge={
            **dict.fromkeys(alone, score.coverage),
            **{judge.fingerprint: coverage_of(question, found, [judge], wanted) for judge in others},
        },
        speeds=speed_columns([one.speed for one in scorable]),
        disagreements=tuple(_disagreements(record, question, found.judged, counting)),
        rates=_rates(found.judged, counting),
        logic_audit=_logic_audit(run, scorable, scores, counting),
        missing=(*found.missing, *found.unscorable),
        failures={judge: tuple(lines) for judge, lines in found.failures.items()},
        reuse=dict(found.reuse),
        owed_answers=run.samples_of(record, question) - len(found.judged),
        owed_checks=len(found.unchecked),
        owed_scorings=sum(found.owed.values()),
    )


def _disagreements(
    record: ArmRecord, question: Question, judged: Iterable[Judged], judges: Sequence[JudgeRecord]
) -> Iterator[Disagreement]:
    arm_id = record.arm.id  # one text for all of them
    for one in (one for one in judged if one.limits):
        for judge in judges:
            for verdicts in one.audited([judge.fingerprint])[:1]:
                for verdict in verdicts:
                    bound = one.limits.get(verdict.criterion)
                    if verdict.score is not None and bound is not None and disagrees(verdict.score, bound):
                        yield Disagreement(
                            arm_id=arm_id,
                            question_id=question.id,
                            sample=one.sample,
                            judge=judge.name,
                            criterion=verdict.criterion,
                            score=verdict.score,
                            bound=bound,
                        )


def _rates(judged: Iterable[Judged], judges: Sequence[JudgeRecord]) -> Rates:
    names = [judge.fingerprint for judge in judges]
    return rates((verdicts, one.limits) for one in judged if one.limits for verdicts in one.audited(names))


def _logic_audit(
    run: RunRecord, scorable: Sequence[Judged], scores: Sequence[float | None], judges: Sequence[JudgeRecord]
) -> LogicAudit:
    scored = [one for one, score in zip(scorable, scores, strict=True) if score is not None]
    units = [unit for one in scored if one.limits for unit in _decided_units(run, one, judges)]
    return logic_audit(len(scored), sum(map(_is_decided, scored)), units)


def _is_decided(one: Judged) -> bool:
    testable = one.executed.testable if one.executed else ()
    return bool(testable) and all(is_decisive(one.limits.get(criterion)) for criterion in testable)


def _decided_units(run: RunRecord, one: Judged, judges: Sequence[JudgeRecord]) -> Iterator[DecidedUnit]:
    names = [judge.fingerprint for judge in judges]
    audited, counting = one.audited(names), one.all_judgements(names)
    for criterion, truth in one.limits.items():
        if is_decisive(truth) and (own := _grades(audited, criterion)) and (counted := _grades(counting, criterion)):
            if run.policy == "grounded":
                counted = [min(score, truth) for score in counted]
            yield DecidedUnit(truth=truth, own=mean(own), counted=mean(counted))


def _grades(judgements: Iterable[Verdicts], criterion: str) -> list[Grade]:
    return [
        verdict.score
        for verdicts in judgements
        for verdict in verdicts
        if verdict.criterion == criterion and verdict.score is not None
    ]


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
