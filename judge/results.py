"""From stored answers and judgements to the figures of a report. Everything shown anywhere is computed here, once. Pure but for
reading the store.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from judge.audit import Disagreement, Rates, disagrees, rates
from judge.checks.checking import Evidence, bounds
from judge.grounding import Policy, bounded
from judge.lineage import same_family
from judge.pipeline import count_owed_scorings, evidence_of, owed_checks, questions_of, wanted_scorings, work_of
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, Launch, RunRecord, RunState
from judge.roles import RoleDecision, decide
from judge.scoring import Coverage, TierScore, answer_score, mean_of_means, tier_scores
from judge.speed import Speed, Spread, arm_speed
from judge.store import Store
from judge.types import Grade, Judgement, Question
from runner.types import Answer, Value


class CriterionScore(Value):
    """One criterion of one question."""

    id: str
    name: str
    weight: int
    mean: float | None
    """The judge's own scores, 1.0-5.0; ``None`` when no judgement could assess it."""
    cannot_assess: int
    """Judgements that could not."""


class QuestionScore(Value):
    """One question of one arm."""

    id: str
    test: str
    tier: str
    mean: float | None
    """By the run's policy, 1.0-5.0."""
    judge_mean: float | None
    """By the judge's scores as they are."""
    checks_passed: int
    """Over all answers that were executed."""
    checks_known: int
    """Passed and failed; what could not be run is left out."""
    evidence_states: dict[str, int]
    """How executing went -> number of answers."""
    unsafe_executions: int
    """Answers that were executed without a sandbox: they could have forged what the checks saw."""
    states: dict[str, int]
    """State -> number of answers, ``missing`` for those that are still owed."""
    criteria: tuple[CriterionScore, ...]


class ArmResult(Value):
    """Everything about one arm."""

    id: str
    candidate: str
    model: str
    quant: str | None
    config: str
    role: str | None
    """The role that the candidate fills today."""
    speed: Speed
    tiers: tuple[TierScore, ...]
    questions: tuple[QuestionScore, ...]
    decisions: tuple[RoleDecision, ...]
    targets_met: dict[str, bool | None]
    """Tier -> is the target of today's role met; ``None`` without a score. Empty for a candidate without a role."""
    same_family_as_judge: bool | None
    """``None`` without a judge."""
    disagreements: tuple[Disagreement, ...]
    """Where judge and tests see a criterion differently."""
    rates: Rates
    """The judge against the tests on this arm: scored blind where that was asked for, else with the evidence in sight."""
    launches: tuple[Launch, ...]
    failures: tuple[str, ...]
    """One line per failed attempt or scoring that is still owed."""


class Results(Value):
    """A run as a report shows it."""

    run_id: str
    created_at: str
    state: RunState
    command: tuple[str, ...]
    suite: str
    suite_version: int
    suite_hash: str
    samples: int
    policy: Policy
    """How scores and evidence were put together."""
    judge: str | None
    judge_replicates: int
    judged_blind: bool
    """True when every answer was also scored without showing the evidence."""
    coverage: Coverage
    """Over all arms; an answer is scored when every replicate that was wanted gave a score."""
    owed_answers: int
    """Answers that are still missing."""
    owed_checks: int
    """Answers that are still to be executed."""
    owed_scorings: int
    """Scorings that are still missing, of answers that are there."""
    arms: tuple[ArmResult, ...]
    environment: dict[str, str]

    @property
    def complete(self) -> bool:
        """True when nothing is owed."""
        return self.owed_answers == 0 and self.owed_checks == 0 and self.owed_scorings == 0


class _Judged(Value):
    """One stored answer of an arm with the judgements of it."""

    question_id: str
    answer: Answer
    evidence: Evidence | None
    judgements: tuple[Judgement, ...]
    """Those that count."""
    blind: tuple[Judgement, ...]
    """Made without seeing the evidence, to audit the judge."""


_ByAnswer = dict[str, list[Judgement]]


class _Known(Value):
    """What is stored about the answers of a run, by answer key."""

    evidence: dict[str, Evidence]
    seen: _ByAnswer
    blind: _ByAnswer


def build_results(run: RunRecord, state: RunState, store: Store) -> Results:
    """Read what belongs to ``run`` from the store and compute its report."""
    evidence = evidence_of(run, store)
    seen, blind = _judgements(run, run.judge, store, evidence) if run.judge else ({}, {})
    known = _Known(evidence=evidence, seen=seen, blind=blind)
    arms = [_arm_result(run, record, store, known) for record in run.arms]
    arms = _with_speedups(arms)
    coverages = [tier.coverage for arm in arms for tier in arm.tiers]
    return Results(
        run_id=run.id,
        created_at=run.created_at,
        state=state,
        command=run.command,
        suite=run.suite.name,
        suite_version=run.suite.version,
        suite_hash=run.suite.hash,
        samples=run.samples,
        policy=run.policy,
        judge=run.judge.name if run.judge else None,
        judged_blind=run.judge.also_blind if run.judge else False,
        judge_replicates=run.judge.replicates if run.judge else 0,
        coverage=Coverage(
            wanted=sum(c.wanted for c in coverages),
            answered=sum(c.answered for c in coverages),
            scored=sum(c.scored for c in coverages),
        ),
        owed_answers=sum(
            len(work.owed)
            for record, work in zip(run.arms, work_of(run, store), strict=True)
            if record.model is not None
        ),
        owed_checks=len(owed_checks(run, store)),
        owed_scorings=count_owed_scorings(run, run.judge, store) if run.judge else 0,
        arms=tuple(arms),
        environment=run.environment,
    )


def _judgements(
    run: RunRecord, judge: JudgeRecord, store: Store, evidence: Mapping[str, Evidence]
) -> tuple[_ByAnswer, _ByAnswer]:
    """Return answer key -> judgements: those that count, and those that were made blind to audit the judge."""
    seen: _ByAnswer = {}
    blind: _ByAnswer = {}
    for _, judgement in store.judgements(task.key for task in wanted_scorings(run, judge, evidence)):
        is_audit = judgement.call.evidence is None and judgement.answer_unit in evidence
        (blind if is_audit else seen).setdefault(judgement.answer_unit, []).append(judgement)
    return seen, blind


def _arm_result(run: RunRecord, record: ArmRecord, store: Store, known: _Known) -> ArmResult:
    questions = questions_of(run)
    wanted = wanted_answers(record.arm, questions, record.sampling, run.samples)
    units = {unit.key: unit for unit in wanted}
    judged = [
        _Judged(
            question_id=units[key].question_id,
            answer=answer,
            evidence=known.evidence.get(key),
            judgements=tuple(known.seen.get(key, ())),
            blind=tuple(known.blind.get(key, ())),
        )
        for key, answer in store.answers(units)
    ]
    replicates = run.judge.replicates if run.judge else 0
    tiers = _tiers(run, questions, judged, replicates)
    complete_tiers = [tier.id for tier in run.suite.tiers if _all_asked(run, tier.id)]
    decisions = tuple(decide(role, tiers, complete_tiers) for role in run.suite.roles) if run.judge else ()
    return ArmResult(
        id=record.arm.id,
        candidate=record.arm.candidate,
        model=record.entry.model,
        quant=(record.model.quantisation if record.model else None) or record.entry.quant,
        config=record.arm.config.name,
        role=record.entry.role,
        speed=arm_speed(record, [j.answer for j in judged]),
        tiers=tiers,
        questions=tuple(_question_score(run, question, judged, replicates) for question in questions),
        decisions=decisions,
        targets_met=_targets_met(run, record, tiers),
        same_family_as_judge=same_family(run.judge, record) if run.judge else None,
        disagreements=tuple(_disagreements(run, record, judged)),
        rates=_rates(run, judged),
        launches=tuple(store.launches(record.arm)),
        failures=tuple(_failures(run, units, judged, store)),
    )


def _all_asked(run: RunRecord, tier: str) -> bool:
    return all(question.id in run.question_ids for question in run.suite.questions if question.tier == tier)


# --- scores ---------------------------------------------------------------------------------------------------------


def _score(question: Question, judged: _Judged, replicates: int, policy: Policy) -> float | None:
    """Return the mean score over the replicates; ``None`` until every replicate is there and complete."""
    limits = _limits(question, judged) if policy == "grounded" else {}
    scores = [answer_score(question, bounded(judgement.verdicts, limits)) for judgement in judged.judgements]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == replicates else None


def _limits(question: Question, judged: _Judged) -> dict[str, Grade]:
    return bounds(judged.evidence, question) if judged.evidence else {}


def _tiers(
    run: RunRecord, questions: Sequence[Question], judged: Sequence[_Judged], replicates: int
) -> tuple[TierScore, ...]:
    by_id = {question.id: question for question in questions}
    scores: dict[str, list[float | None]] = {question.id: [] for question in questions}
    for one in judged:
        if one.answer.scorable:
            scores[one.question_id].append(_score(by_id[one.question_id], one, replicates, run.policy))
    wanted = {question.id: run.samples for question in questions}
    return tier_scores(run.suite, scores, wanted, {question: len(found) for question, found in scores.items()})


def _question_score(run: RunRecord, question: Question, judged: Sequence[_Judged], replicates: int) -> QuestionScore:
    mine = [one for one in judged if one.question_id == question.id]
    states = Counter(one.answer.state.value for one in mine)
    if missing := run.samples - len(mine):
        states["missing"] = missing
    scores = [score for one in mine if (score := _score(question, one, replicates, run.policy)) is not None]
    raw = [score for one in mine if (score := _score(question, one, replicates, "judge")) is not None]
    checks = [check for one in mine if one.evidence for check in one.evidence.checks if check.outcome != "not_run"]
    return QuestionScore(
        id=question.id,
        test=question.test,
        tier=question.tier,
        mean=fmean(scores) if scores else None,
        judge_mean=fmean(raw) if raw else None,
        checks_passed=sum(check.outcome == "pass" for check in checks),
        checks_known=len(checks),
        unsafe_executions=sum(one.evidence is not None and one.evidence.isolation == "unsafe" for one in mine),
        evidence_states=dict(Counter(one.evidence.state for one in mine if one.evidence)),
        states=dict(states),
        criteria=tuple(_criterion_scores(question, mine)),
    )


def _disagreements(run: RunRecord, record: ArmRecord, judged: Sequence[_Judged]) -> Iterable[Disagreement]:
    for one in judged:
        question = run.suite.question(one.question_id)
        limits = _limits(question, one)
        for judgement in (one.blind or one.judgements)[:1]:
            for verdict in judgement.verdicts:
                bound = limits.get(verdict.criterion)
                if verdict.score is not None and bound is not None and disagrees(verdict.score, bound):
                    yield Disagreement(
                        arm_id=record.arm.id,
                        question_id=question.id,
                        sample=one.answer.sample,
                        criterion=verdict.criterion,
                        score=verdict.score,
                        bound=bound,
                    )


def _rates(run: RunRecord, judged: Sequence[_Judged]) -> Rates:
    return rates(
        (judgement.verdicts, _limits(run.suite.question(one.question_id), one))
        for one in judged
        for judgement in (one.blind or one.judgements)
    )


def _criterion_scores(question: Question, judged: Sequence[_Judged]) -> Iterable[CriterionScore]:
    for criterion in question.criteria:
        groups = [
            [v.score for judgement in one.judgements for v in judgement.verdicts if v.criterion == criterion.id]
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


def _targets_met(run: RunRecord, record: ArmRecord, tiers: Sequence[TierScore]) -> dict[str, bool | None]:
    role = next((role for role in run.suite.roles if role.id == record.entry.role), None)
    if role is None or run.judge is None:
        return {}
    means = {tier.tier: tier.mean for tier in tiers if tier.complete}
    return {
        tier: None if means.get(tier) is None else (means[tier] or 0.0) >= target.threshold
        for tier, target in role.targets.items()
    }


def _with_speedups(arms: Sequence[ArmResult]) -> list[ArmResult]:
    baselines = {arm.candidate: arm.speed.decode_tps for arm in arms if arm.config == "baseline"}
    return [
        arm.model_copy(update={"speed": arm.speed.model_copy(update={"speedup": _ratio(arm, baselines)})})
        for arm in arms
    ]


def _ratio(arm: ArmResult, baselines: Mapping[str, Spread | None]) -> float | None:
    base, own = baselines.get(arm.candidate), arm.speed.decode_tps
    return own.median / base.median if base and own and arm.config != "baseline" else None


# --- failures -------------------------------------------------------------------------------------------------------


def _failures(run: RunRecord, units: Mapping[str, object], judged: Sequence[_Judged], store: Store) -> Iterable[str]:
    """Yield one line per failure whose unit is still owed: what was repaired by a later attempt is no longer news."""
    stored = store.stored_answers(units)
    latest = {key: answer for key, answer in store.answer_failures(units) if key not in stored}
    for answer in latest.values():
        yield f"{answer.prompt_id} sample {answer.sample}: {answer.state}: {answer.message}"
    if run.judge is None:
        return
    tasks = wanted_scorings(run, run.judge, evidence_of(run, store))
    answered = {task.key: task for task in tasks if task.answer_key in stored}
    done = store.stored_judgements(answered)
    for failure in {
        (f.answer_unit, f.call.replicate): f for f in store.judge_failures(key for key in answered if key not in done)
    }.values():
        question = next(task.question.id for task in answered.values() if task.answer_key == failure.answer_unit)
        yield f"{question}: judge {failure.call.judge} failed ({failure.kind}): {failure.message}"
