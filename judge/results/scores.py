"""Judged answers -> scores of answers, questions and tiers, by a panel of judges. Pure.

A judge's score of an answer is the mean over its replicates; the panel's is the mean over its judges. Either is missing until all of
it is there: a mean over whoever happened to answer would be another quantity for every answer.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from judge.grounding import Policy
from judge.records import JudgeRecord, RunRecord
from judge.results.judged import Judged, QuestionAnswers
from judge.results.values import CriterionScore, QuestionScore
from judge.said import Verdicts
from judge.scoring import AnswerScore, Coverage, TierScore, answer_score, mean
from judge.types import Grade, Question


def judge_score(judged: Judged, judge: JudgeRecord, policy: Policy) -> float | None:
    """Return the mean of one judge's replicates, 1.0-5.0; ``None`` until every replicate is there and complete."""
    return (judged.grounded if policy == "grounded" else judged.own).get(judge.fingerprint)


def panel_score(judged: Judged, judges: Sequence[JudgeRecord], policy: Policy) -> float | None:
    """Return the mean over those of ``judges`` that are asked about this answer, 1.0-5.0; ``None`` until each has scored it."""
    scores = judged.grounded if policy == "grounded" else judged.own
    asked = judged.asked(judges)
    known = [scores[judge.fingerprint] for judge in asked if judge.fingerprint in scores]
    return mean(known) if known and len(known) == len(asked) else None


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
        score=panel_score(judged, counting, run.policy),
        criteria=_criterion_means(judged, counting, judged.limits if run.policy == "grounded" else {}),
        by_judge={judge.name: judge_score(judged, judge, "judge") for judge in judged.asked(scoring)},
        verdicts={judge.name: _first_verdicts(judged, judge) for judge in judged.asked(scoring)},
        limits=judged.limits,
    )


def _criterion_means(judged: Judged, judges: Sequence[JudgeRecord], limits: Mapping[str, Grade]) -> dict[str, float]:
    scores: dict[str, list[int]] = {}
    for verdicts in judged.all_judgements([judge.fingerprint for judge in judges]):
        for verdict in verdicts:
            if verdict.score is not None:
                counted = min(verdict.score, limits.get(verdict.criterion, verdict.score))
                scores.setdefault(verdict.criterion, []).append(counted)
    return {criterion: mean(group) for criterion, group in scores.items()}


def _first_verdicts(judged: Judged, judge: JudgeRecord) -> dict[str, Grade | None]:
    given = judged.judgements.get(judge.fingerprint, ())
    return {verdict.criterion: verdict.score for verdict in given[0]} if given else {}


def question_score(
    run: RunRecord, question: Question, found: QuestionAnswers, judges: Sequence[JudgeRecord], wanted: int
) -> QuestionScore:
    """Return everything about one question of one arm; ``wanted`` answers were asked for."""
    mine = found.judged
    executed = [one.executed for one in mine if one.executed]
    counted = _mean(panel_score(one, judges, run.policy) for one in mine)
    is_bounded = any(one.limits for one in mine)
    return QuestionScore(
        id=question.id,
        test=question.test,
        tier=question.tier,
        mean=counted,
        judge_mean=_mean(panel_score(one, judges, "judge") for one in mine) if is_bounded else counted,
        checks_passed=sum(one.passed for one in executed),
        checks_known=sum(one.known for one in executed),
        unsafe_executions=sum(one.unsafe for one in executed),
        evidence_states=dict(Counter(one.state for one in executed)),
        states=_states(mine, wanted),
        coverage=coverage_of(question, found, judges, wanted),
        criteria=tuple(_criterion_scores(question, found, judges, wanted)),
    )


def _states(mine: Sequence[Judged], wanted: int) -> dict[str, int]:
    states = Counter(one.state.value for one in mine)
    if missing := wanted - len(mine):
        states["missing"] = missing
    return dict(states)


def _criterion_scores(
    question: Question, found: QuestionAnswers, judges: Sequence[JudgeRecord], wanted: int
) -> Iterable[CriterionScore]:
    names = [judge.fingerprint for judge in judges]
    counted = {criterion.id: _Counted() for criterion in question.criteria}
    for one in found.judged:
        _count(one, one.all_judgements(names), not one.failed.isdisjoint(names), counted)
    for criterion in question.criteria:
        of = counted[criterion.id]
        yield CriterionScore(
            id=criterion.id,
            name=criterion.name,
            weight=criterion.weight,
            mean=fmean(of.means) if of.means else None,
            coverage=_coverage(found, judges, wanted, scored=len(of.means), failed=of.failed),
            cannot_assess=of.cannot_assess,
        )


class _Counted:
    """What all answers together were given for one criterion."""

    def __init__(self) -> None:
        self.means = array("d")
        """Of each answer with a score."""
        self.failed = 0
        """Answers of which no score came although it was tried."""
        self.cannot_assess = 0
        """Judgements."""


def _count(judged: Judged, given: Sequence[Verdicts], broken: bool, counted: Mapping[str, _Counted]) -> None:
    """Add one answer; ``broken``: a scoring of it failed."""
    groups: dict[str, list[Grade | None]] = {criterion: [] for criterion in counted}
    for verdicts in given:
        for verdict in verdicts:
            if verdict.criterion in groups:
                groups[verdict.criterion].append(verdict.score)
    for criterion, group in groups.items():
        of = counted[criterion]
        known = [score for score in group if score is not None]
        of.cannot_assess += len(group) - len(known)
        if known:
            of.means.append(mean(known))
        elif judged.scorable and (group or broken):
            of.failed += 1


# --- coverage -------------------------------------------------------------------------------------------------------


def coverage_of(question: Question, found: QuestionAnswers, judges: Sequence[JudgeRecord], wanted: int) -> Coverage:
    """Return what the score of a question rests on: of ``wanted`` answers, by ``judges``.

    A judge that is asked about some answers only, by itself, is wanted for these alone.
    """
    if judges and all(judge.only is not None for judge in judges):
        asked = [one for one in found.judged if one.scorable and one.asked(judges)]
        found, wanted = QuestionAnswers(judged=asked), len(asked)
    scorable = [one for one in found.judged if one.scorable]
    # The policy moves scores and cannot make one of what is not there.
    open_ones = [one for one in scorable if panel_score(one, judges, "judge") is None]
    failed = sum(_came_to_nothing(question, one, judges) for one in open_ones)
    return _coverage(found, judges, wanted, scored=len(scorable) - len(open_ones), failed=failed)


def _came_to_nothing(question: Question, judged: Judged, judges: Iterable[JudgeRecord]) -> bool:
    """True when one of the judges that are asked about an answer tried to score it and could not."""
    return any(
        judge.fingerprint in judged.failed
        or any(answer_score(question, said) is None for said in judged.judgements.get(judge.fingerprint, ()))
        for judge in judged.asked(judges)
    )


def _coverage(
    found: QuestionAnswers, judges: Iterable[JudgeRecord], wanted: int, *, scored: int, failed: int
) -> Coverage:
    """Return the coverage of answers of which ``scored`` have a score and ``failed`` were scored in vain."""
    always = [judge.name for judge in judges if judge.only is None]
    at_times = [judge.name for judge in judges if judge.only is not None]
    answered = sum(one.scorable for one in found.judged)
    return Coverage(
        samples=(wanted,) if wanted else (),
        judges=tuple(always or at_times),
        escalated=tuple(at_times if always else ()),
        wanted=wanted,
        answered=answered,
        scored=scored,
        failed=failed + len(found.missing) + len(found.judged) - answered,
    )


def tier_means(tiers: Sequence[TierScore]) -> Mapping[str, float]:
    """Return tier -> mean, of the tiers that have one."""
    return {tier.tier: tier.mean for tier in tiers if tier.mean is not None}


def _mean(scores: Iterable[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return fmean(known) if known else None
