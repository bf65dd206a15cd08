"""From stored answers and judgements to the figures of a report. Everything shown anywhere is computed here, once. Pure but for
reading the store.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median, stdev

from judge.lineage import same_family
from judge.pipeline import owed_scorings, questions_of, wanted_scorings, work_of
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, Launch, RunRecord, RunState
from judge.roles import RoleDecision, decide
from judge.scoring import Coverage, TierScore, answer_score, mean_of_means, tier_scores
from judge.store import Store
from judge.types import Judgement, Question
from runner.timing import timing
from runner.types import Answer, Timing, Value

MIN_EVALUATED_SHARE = 0.5
"""A time to first token counts only when at least half of the prompt was evaluated for it, not taken from the request before."""


class Spread(Value):
    """A figure over several requests."""

    n: int
    """Requests that it was measured on."""
    median: float
    mean: float
    sd: float | None
    """``None`` for a single request."""


class Speed(Value):
    """Speed of one arm over its settled answers. ``None``: not measured."""

    ttft_s: Spread | None
    prefill_tps: Spread | None
    decode_tps: Spread | None
    """What a user gets over HTTP."""
    server_decode_tps: Spread | None
    """The server's eval time: what compares with llama.cpp's own figure."""
    overhead_ms: Spread | None
    """Sampling and HTTP, milliseconds per token."""
    token_sources: tuple[str, ...]
    speedup: float | None = None
    """decode_tps over that of the same candidate's baseline; ``None`` without a baseline in the run."""


class CriterionScore(Value):
    """One criterion of one question."""

    id: str
    name: str
    weight: int
    mean: float | None
    """1.0-5.0; ``None`` when no judgement could assess it."""
    cannot_assess: int
    """Judgements that could not."""


class QuestionScore(Value):
    """One question of one arm."""

    id: str
    test: str
    tier: str
    mean: float | None
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
    judge: str | None
    judge_replicates: int
    coverage: Coverage
    """Over all arms; an answer is scored when every replicate that was wanted gave a score."""
    owed_answers: int
    """Answers that are still missing."""
    owed_scorings: int
    """Scorings that are still missing, of answers that are there."""
    arms: tuple[ArmResult, ...]
    environment: dict[str, str]

    @property
    def complete(self) -> bool:
        """True when nothing is owed."""
        return self.owed_answers == 0 and self.owed_scorings == 0


class _Judged(Value):
    """One stored answer of an arm with the judgements of it."""

    question_id: str
    answer: Answer
    judgements: tuple[Judgement, ...]


def build_results(run: RunRecord, state: RunState, store: Store) -> Results:
    """Read what belongs to ``run`` from the store and compute its report."""
    scorings = _judgements_by_answer(run, run.judge, store) if run.judge else {}
    arms = [_arm_result(run, record, store, scorings) for record in run.arms]
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
        judge=run.judge.name if run.judge else None,
        judge_replicates=run.judge.replicates if run.judge else 0,
        coverage=Coverage(
            wanted=sum(c.wanted for c in coverages),
            answered=sum(c.answered for c in coverages),
            scored=sum(c.scored for c in coverages),
        ),
        owed_answers=sum(len(work.owed) for work in work_of(run, store)),
        owed_scorings=len(owed_scorings(run, run.judge, store)) if run.judge else 0,
        arms=tuple(arms),
        environment=run.environment,
    )


def _judgements_by_answer(run: RunRecord, judge: JudgeRecord, store: Store) -> dict[str, list[Judgement]]:
    found: dict[str, list[Judgement]] = {}
    for _, judgement in store.judgements(task.key for task in wanted_scorings(run, judge)):
        found.setdefault(judgement.answer_unit, []).append(judgement)
    return found


def _arm_result(
    run: RunRecord, record: ArmRecord, store: Store, scorings: Mapping[str, Sequence[Judgement]]
) -> ArmResult:
    questions = questions_of(run)
    wanted = wanted_answers(record.arm, questions, record.sampling, run.samples)
    units = {unit.key: unit for unit in wanted}
    judged = [
        _Judged(question_id=units[key].question_id, answer=answer, judgements=tuple(scorings.get(key, ())))
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
        quant=record.model.quantisation or record.entry.quant,
        config=record.arm.config.name,
        role=record.entry.role,
        speed=_speed(record, [j.answer for j in judged]),
        tiers=tiers,
        questions=tuple(_question_score(run, question, judged, replicates) for question in questions),
        decisions=decisions,
        targets_met=_targets_met(run, record, tiers),
        same_family_as_judge=same_family(run.judge, record) if run.judge else None,
        launches=tuple(store.launches(record.arm)),
        failures=tuple(_failures(run, units, judged, store)),
    )


def _all_asked(run: RunRecord, tier: str) -> bool:
    return all(question.id in run.question_ids for question in run.suite.questions if question.tier == tier)


# --- scores ---------------------------------------------------------------------------------------------------------


def _score(question: Question, judged: _Judged, replicates: int) -> float | None:
    """Return the mean score over the replicates; ``None`` until every replicate is there and complete."""
    scores = [answer_score(question, judgement.verdicts) for judgement in judged.judgements]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == replicates else None


def _tiers(
    run: RunRecord, questions: Sequence[Question], judged: Sequence[_Judged], replicates: int
) -> tuple[TierScore, ...]:
    by_id = {question.id: question for question in questions}
    scores: dict[str, list[float | None]] = {question.id: [] for question in questions}
    for one in judged:
        if one.answer.scorable:
            scores[one.question_id].append(_score(by_id[one.question_id], one, replicates))
    wanted = {question.id: run.samples for question in questions}
    return tier_scores(run.suite, scores, wanted, {question: len(found) for question, found in scores.items()})


def _question_score(run: RunRecord, question: Question, judged: Sequence[_Judged], replicates: int) -> QuestionScore:
    mine = [one for one in judged if one.question_id == question.id]
    states = Counter(one.answer.state.value for one in mine)
    if missing := run.samples - len(mine):
        states["missing"] = missing
    scores = [score for one in mine if (score := _score(question, one, replicates)) is not None]
    return QuestionScore(
        id=question.id,
        test=question.test,
        tier=question.tier,
        mean=fmean(scores) if scores else None,
        states=dict(states),
        criteria=tuple(_criterion_scores(question, mine)),
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


# --- speed ----------------------------------------------------------------------------------------------------------


def _speed(record: ArmRecord, answers: Sequence[Answer]) -> Speed:
    speculative = record.arm.config.draft_tokens is not None
    pairs = [(answer, timing(answer, speculative=speculative)) for answer in answers if answer.scorable]
    timings = [derived for _, derived in pairs]
    fresh = [derived for answer, derived in pairs if _is_fresh(answer)]
    return Speed(
        ttft_s=_spread(t.ttft_s for t in fresh),
        prefill_tps=_spread(t.prefill_tps for t in fresh),
        decode_tps=_spread(t.decode_tps for t in timings),
        server_decode_tps=_spread(t.server_decode_tps for t in timings),
        overhead_ms=_spread(t.overhead_ms for t in timings),
        token_sources=tuple(sorted(_sources(timings))),
    )


def _is_fresh(answer: Answer) -> bool:
    server = answer.server_timing
    if server is None:
        return True
    return server.prompt_tokens >= MIN_EVALUATED_SHARE * (server.prompt_tokens + server.reused_tokens)


def _sources(timings: Sequence[Timing]) -> set[str]:
    return {t.token_source for t in timings if t.token_source is not None}


def _spread(figures: Iterable[float | None]) -> Spread | None:
    known = [figure for figure in figures if figure is not None]
    if not known:
        return None
    return Spread(n=len(known), median=median(known), mean=fmean(known), sd=stdev(known) if len(known) > 1 else None)


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
    answered = {task.key: task for task in wanted_scorings(run, run.judge) if task.answer_key in stored}
    done = store.stored_judgements(answered)
    for failure in {
        (f.answer_unit, f.call.replicate): f for f in store.judge_failures(key for key in answered if key not in done)
    }.values():
        question = next(task.question.id for task in answered.values() if task.answer_key == failure.answer_unit)
        yield f"{question}: judge {failure.call.judge} failed ({failure.kind}): {failure.message}"
