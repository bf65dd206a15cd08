"""Judged answers -> scores of answers, questions and tiers, by a panel of judges. Pure.

A judge's score of an answer is the mean over its replicates; the panel's is the mean over its judges. Either is missing until all of
it is there: a mean over whoever happened to answer would be another quantity for every answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from judge.grounding import Policy, bounded
from judge.plan import questions_of
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.results.judged import Judged
from judge.results.values import CriterionScore, QuestionScore
from judge.scoring import AnswerScore, TierScore, answer_score, mean_of_means, tier_scores
from judge.types import Grade, Question


def judge_score(question: Question, judged: Judged, judge: JudgeRecord, policy: Policy) -> float | None:
    """Return the mean of one judge's replicates, 1.0-5.0; ``None`` until every replicate is there and complete."""
    limits = judged.limits if policy == "grounded" else {}
    given = judged.judgements.get(judge.fingerprint, ())
    scores = [answer_score(question, bounded(verdicts, limits)) for verdicts in given]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == judge.replicates else None


def panel_score(question: Question, judged: Judged, judges: Sequence[JudgeRecord], policy: Policy) -> float | None:
    """Return the mean over those of ``judges`` that are asked about this answer, 1.0-5.0; ``None`` until each has scored it."""
    scores = [judge_score(question, judged, judge, policy) for judge in judged.asked(judges)]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == len(scores) else None


def answer_scored(
    run: RunRecord,
    question: Question,
    judged: Judged,
    counting: Sequence[JudgeRecord],
    scoring: Sequence[JudgeRecord],
) -> AnswerScore:
    """Return what one answer was given; ``counting``: the panel, ``scoring``: everyone who scores the arm."""
    return AnswerScore(
        question_id=question.id,
        sample=judged.sample,
        score=panel_score(question, judged, counting, run.policy),
        criteria=_criterion_means(judged, counting, judged.limits if run.policy == "grounded" else {}),
        by_judge={judge.name: judge_score(question, judged, judge, "judge") for judge in judged.asked(scoring)},
        verdicts={judge.name: _first_verdicts(judged, judge) for judge in judged.asked(scoring)},
        limits=judged.limits,
    )


def _criterion_means(judged: Judged, judges: Sequence[JudgeRecord], limits: Mapping[str, Grade]) -> dict[str, float]:
    scores: dict[str, list[int]] = {}
    for verdicts in judged.all_judgements([judge.fingerprint for judge in judges]):
        for verdict in bounded(verdicts, limits):
            if verdict.score is not None:
                scores.setdefault(verdict.criterion, []).append(verdict.score)
    return {criterion: fmean(group) for criterion, group in scores.items()}


def _first_verdicts(judged: Judged, judge: JudgeRecord) -> dict[str, Grade | None]:
    given = judged.judgements.get(judge.fingerprint, ())
    return {verdict.criterion: verdict.score for verdict in given[0]} if given else {}


def arm_tiers(run: RunRecord, record: ArmRecord, scores: Mapping[str, Sequence[float | None]]) -> tuple[TierScore, ...]:
    """Return the tier scores of one arm; ``scores``: question id -> score of each answer that can be scored."""
    wanted = {question.id: run.samples_of(record, question) for question in questions_of(run)}
    return tier_scores(run.suite, scores, wanted, {question: len(found) for question, found in scores.items()})


def question_score(
    run: RunRecord, question: Question, mine: Sequence[Judged], judges: Sequence[JudgeRecord], wanted: int
) -> QuestionScore:
    """Return everything about one question of one arm; ``wanted`` answers were asked for."""
    executed = [one.executed for one in mine if one.executed]
    return QuestionScore(
        id=question.id,
        test=question.test,
        tier=question.tier,
        mean=_mean(panel_score(question, one, judges, run.policy) for one in mine),
        judge_mean=_mean(panel_score(question, one, judges, "judge") for one in mine),
        checks_passed=sum(one.passed for one in executed),
        checks_known=sum(one.known for one in executed),
        unsafe_executions=sum(one.unsafe for one in executed),
        evidence_states=dict(Counter(one.state for one in executed)),
        states=_states(mine, wanted),
        criteria=tuple(_criterion_scores(question, mine, judges)),
    )


def _states(mine: Sequence[Judged], wanted: int) -> dict[str, int]:
    states = Counter(one.state.value for one in mine)
    if missing := wanted - len(mine):
        states["missing"] = missing
    return dict(states)


def _criterion_scores(
    question: Question, judged: Sequence[Judged], judges: Sequence[JudgeRecord]
) -> Iterable[CriterionScore]:
    names = [judge.fingerprint for judge in judges]
    for criterion in question.criteria:
        groups = [
            [v.score for verdicts in one.all_judgements(names) for v in verdicts if v.criterion == criterion.id]
            for one in judged
        ]
        known = [[float(score) for score in group if score is not None] for group in groups]
        yield CriterionScore(
            id=criterion.id,
            name=criterion.name,
            weight=criterion.weight,
            mean=mean_of_means(known),
            cannot_assess=sum(score is None for group in groups for score in group),
        )


def tier_means(tiers: Sequence[TierScore]) -> Mapping[str, float]:
    """Return tier -> mean, of the tiers that have one."""
    return {tier.tier: tier.mean for tier in tiers if tier.mean is not None}


def _mean(scores: Iterable[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return fmean(known) if known else None
