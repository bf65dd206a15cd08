"""Judged answers -> scores of answers, questions and tiers, by a panel of judges. Pure.

A judge's score of an answer is the mean over its replicates; the panel's is the mean over its judges. Either is missing until all of
it is there: a mean over whoever happened to answer would be another quantity for every answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from judge.grounding import Policy, bounded
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.results.judged import Judged
from judge.results.values import CriterionScore, QuestionScore
from judge.scoring import AnswerScore, TierScore, answer_score, mean_of_means, tier_scores
from judge.types import Grade, Question


def judge_score(question: Question, judged: Judged, judge: JudgeRecord, policy: Policy) -> float | None:
    """Return the mean of one judge's replicates, 1.0-5.0; ``None`` until every replicate is there and complete."""
    limits = judged.limits(question) if policy == "grounded" else {}
    given = judged.judgements.get(judge.fingerprint, ())
    scores = [answer_score(question, bounded(judgement.verdicts, limits)) for judgement in given]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == judge.replicates else None


def panel_score(question: Question, judged: Judged, judges: Sequence[JudgeRecord], policy: Policy) -> float | None:
    """Return the mean over those of ``judges`` that are asked about this answer, 1.0-5.0; ``None`` until each has scored it."""
    scores = [judge_score(question, judged, judge, policy) for judge in judged.asked(judges)]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == len(scores) else None


def answer_scores(
    run: RunRecord,
    questions: Sequence[Question],
    judged: Sequence[Judged],
    counting: Sequence[JudgeRecord],
    scoring: Sequence[JudgeRecord],
) -> tuple[AnswerScore, ...]:
    """Return what each answer that can be scored was given; ``counting``: the panel, ``scoring``: everyone who scores the arm."""
    by_id = {question.id: question for question in questions}
    return tuple(
        _answer_score(run, by_id[one.question_id], one, counting, scoring) for one in judged if one.answer.scorable
    )


def _answer_score(
    run: RunRecord,
    question: Question,
    judged: Judged,
    counting: Sequence[JudgeRecord],
    scoring: Sequence[JudgeRecord],
) -> AnswerScore:
    limits = judged.limits(question)
    return AnswerScore(
        question_id=question.id,
        sample=judged.answer.sample,
        score=panel_score(question, judged, counting, run.policy),
        criteria=_criterion_means(judged, counting, limits if run.policy == "grounded" else {}),
        by_judge={judge.name: judge_score(question, judged, judge, "judge") for judge in judged.asked(scoring)},
        verdicts={judge.name: _first_verdicts(judged, judge) for judge in judged.asked(scoring)},
        limits=limits,
    )


def _criterion_means(judged: Judged, judges: Sequence[JudgeRecord], limits: Mapping[str, Grade]) -> dict[str, float]:
    scores: dict[str, list[int]] = {}
    for judgement in judged.all_judgements([judge.fingerprint for judge in judges]):
        for verdict in bounded(judgement.verdicts, limits):
            if verdict.score is not None:
                scores.setdefault(verdict.criterion, []).append(verdict.score)
    return {criterion: fmean(group) for criterion, group in scores.items()}


def _first_verdicts(judged: Judged, judge: JudgeRecord) -> dict[str, Grade | None]:
    given = judged.judgements.get(judge.fingerprint, ())
    return {verdict.criterion: verdict.score for verdict in given[0].verdicts} if given else {}


def arm_tiers(
    run: RunRecord,
    record: ArmRecord,
    questions: Sequence[Question],
    judged: Sequence[Judged],
    judges: Sequence[JudgeRecord],
) -> tuple[TierScore, ...]:
    """Return the tier scores of one arm by ``judges``."""
    by_id = {question.id: question for question in questions}
    scores: dict[str, list[float | None]] = {question.id: [] for question in questions}
    for one in judged:
        if one.answer.scorable:
            scores[one.question_id].append(panel_score(by_id[one.question_id], one, judges, run.policy))
    wanted = {question.id: run.samples_of(record, question) for question in questions}
    return tier_scores(run.suite, scores, wanted, {question: len(found) for question, found in scores.items()})


def question_score(
    run: RunRecord, question: Question, judged: Sequence[Judged], judges: Sequence[JudgeRecord], wanted: int
) -> QuestionScore:
    """Return everything about one question of one arm; ``wanted`` answers were asked for."""
    mine = [one for one in judged if one.question_id == question.id]
    checks = [check for one in mine if one.evidence for check in one.evidence.checks if check.outcome != "not_run"]
    return QuestionScore(
        id=question.id,
        test=question.test,
        tier=question.tier,
        mean=_mean(panel_score(question, one, judges, run.policy) for one in mine),
        judge_mean=_mean(panel_score(question, one, judges, "judge") for one in mine),
        checks_passed=sum(check.outcome == "pass" for check in checks),
        checks_known=len(checks),
        unsafe_executions=sum(one.evidence is not None and one.evidence.isolation == "unsafe" for one in mine),
        evidence_states=dict(Counter(one.evidence.state for one in mine if one.evidence)),
        states=_states(mine, wanted),
        criteria=tuple(_criterion_scores(question, mine, judges)),
    )


def _states(mine: Sequence[Judged], wanted: int) -> dict[str, int]:
    states = Counter(one.answer.state.value for one in mine)
    if missing := wanted - len(mine):
        states["missing"] = missing
    return dict(states)


def _criterion_scores(
    question: Question, judged: Sequence[Judged], judges: Sequence[JudgeRecord]
) -> Iterable[CriterionScore]:
    names = [judge.fingerprint for judge in judges]
    for criterion in question.criteria:
        groups = [
            [
                v.score
                for judgement in one.all_judgements(names)
                for v in judgement.verdicts
                if v.criterion == criterion.id
            ]
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
