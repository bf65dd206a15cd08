"""One arm of a run -> its figures. Pure, but for reading its answers and launches."""

from collections.abc import Iterable, Mapping, Sequence

from judge.audit import Disagreement, Rates, disagrees, rates
from judge.lineage import is_self
from judge.panel import Panel, Standing, panel, relation
from judge.plan import questions_of, wanted_answers
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.results.failures import failed_scorings, failure_lines
from judge.results.judged import Judged, Known, read_judged
from judge.results.labels import Audited
from judge.results.scores import answer_scores, arm_tiers, judge_score, question_score, tier_means
from judge.results.values import ArmResult, JudgeCell
from judge.roles import RoleDecision, decide, undecided
from judge.scoring import AnswerScore, TierScore, mean_of_means
from judge.speed import Spread, arm_speed
from judge.store import Store
from judge.types import Grade, Judgement
from runner.types import Value

Standings = Mapping[str, Standing]


class Scored(Value):
    """One arm with everything that its figures are made of."""

    record: ArmRecord
    judged: tuple[Judged, ...]
    panel: Panel
    answers: tuple[AnswerScore, ...]


def scored_arm(run: RunRecord, record: ArmRecord, store: Store, known: Known, standings: Standings) -> Scored:
    """Read the answers of one arm and score them by its panel."""
    judged = read_judged(run, record, store, known)
    chosen = panel(run.judges, record, standings)
    scoring = [judge for judge in run.judges if judge.scores_itself or not is_self(judge, record)]
    counting = [judge for judge in scoring if judge.name in chosen.judges]
    answers = answer_scores(run, questions_of(run), judged, counting, scoring)
    return Scored(record=record, judged=tuple(judged), panel=chosen, answers=answers)


def arm_result(run: RunRecord, scored: Scored, store: Store, known: Known, audit: Audited | None) -> ArmResult:
    """Return the figures of one arm; its speed-up is added later, when all arms are known."""
    record, judged, chosen = scored.record, scored.judged, scored.panel
    questions = questions_of(run)
    judges = [judge for judge in run.judges if judge.name in chosen.judges]
    tiers = arm_tiers(run, record, questions, judged, judges)
    units = {unit.key: unit for unit in wanted_answers(run, record)}
    return ArmResult(
        id=record.arm.id,
        candidate=record.arm.candidate,
        model=record.entry.model,
        quant=(record.model.quantisation if record.model else None) or record.entry.quant,
        config=record.arm.config.name,
        role=record.entry.role,
        speed=arm_speed(record, [one.answer for one in judged]),
        tiers=tiers,
        questions=tuple(question_score(run, q, judged, judges, run.samples_of(record, q)) for q in questions),
        decisions=_decisions(run, chosen, tiers, audit),
        targets_met=_targets_met(run, record, tiers),
        panel=chosen,
        audit=audit.summary if audit else None,
        by_judge=tuple(_cells(run, record, known, judged, chosen)),
        disagreements=tuple(_disagreements(run, record, judged, judges)),
        rates=_rates(run, judged, judges),
        launches=tuple(store.launches(record.arm)),
        failures=tuple(failure_lines(known, [judge.fingerprint for judge in run.judges], units, store)),
    )


def _decisions(
    run: RunRecord, chosen: Panel, tiers: Sequence[TierScore], audit: Audited | None
) -> tuple[RoleDecision, ...]:
    if not run.judges:
        return ()
    if not chosen.judges:
        return tuple(undecided(role, "no judge of this run scores this arm") for role in run.suite.roles)
    if not chosen.decides:
        why = f"{', '.join(chosen.judges)}: {chosen.standing}, so these scores decide nothing"
        return tuple(undecided(role, why) for role in run.suite.roles)
    complete = [tier.id for tier in run.suite.tiers if _all_asked(run, tier.id)]
    return tuple(decide(role, tiers, complete, audit.corrections if audit else {}) for role in run.suite.roles)


def _all_asked(run: RunRecord, tier: str) -> bool:
    return all(question.id in run.question_ids for question in run.suite.questions if question.tier == tier)


def _targets_met(run: RunRecord, record: ArmRecord, tiers: Sequence[TierScore]) -> dict[str, bool | None]:
    role = next((role for role in run.suite.roles if role.id == record.entry.role), None)
    if role is None or not run.judges:
        return {}
    means = tier_means([tier for tier in tiers if tier.complete])
    return {tier: means[tier] >= target.threshold if tier in means else None for tier, target in role.targets.items()}


# --- judges ---------------------------------------------------------------------------------------------------------


def _cells(
    run: RunRecord, record: ArmRecord, known: Known, judged: Sequence[Judged], chosen: Panel
) -> Iterable[JudgeCell]:
    for judge in run.judges:
        if judge.scores_itself or not is_self(judge, record):
            yield _cell(run, record, known, judged, judge, counts=judge.name in chosen.judges)


def _cell(
    run: RunRecord, record: ArmRecord, known: Known, judged: Sequence[Judged], judge: JudgeRecord, *, counts: bool
) -> JudgeCell:
    questions = questions_of(run)
    units = {unit.key: unit for unit in wanted_answers(run, record)}
    tiers = arm_tiers(run, record, questions, judged, [judge])
    by_id = {question.id: question for question in questions}
    scores = [judge_score(by_id[one.question_id], one, judge, run.policy) for one in judged if one.answer.scorable]
    return JudgeCell(
        judge=judge.name,
        relation=relation(judge, record),
        counts=counts,
        tiers=dict(tier_means(tiers)),
        mean=mean_of_means([scores for tier in tiers for scores in tier.questions.values()]),
        scored=sum(score is not None for score in scores),
        wanted=len(scores),
        failures=len(failed_scorings(known, judge.fingerprint, units)),
    )


def _disagreements(
    run: RunRecord, record: ArmRecord, judged: Sequence[Judged], judges: Sequence[JudgeRecord]
) -> Iterable[Disagreement]:
    for one in judged:
        question = run.suite.question(one.question_id)
        limits = one.limits(question)
        for judge in judges:
            for judgement in one.audited([judge.fingerprint])[:1]:
                for criterion, score, bound in _pairs(judgement, limits):
                    if disagrees(score, bound):
                        yield Disagreement(
                            arm_id=record.arm.id,
                            question_id=question.id,
                            sample=one.answer.sample,
                            judge=judge.name,
                            criterion=criterion,
                            score=score,
                            bound=bound,
                        )


def _pairs(judgement: Judgement, limits: Mapping[str, Grade]) -> Iterable[tuple[str, Grade, Grade]]:
    for verdict in judgement.verdicts:
        if verdict.score is not None and verdict.criterion in limits:
            yield verdict.criterion, verdict.score, limits[verdict.criterion]


def _rates(run: RunRecord, judged: Sequence[Judged], judges: Sequence[JudgeRecord]) -> Rates:
    names = [judge.fingerprint for judge in judges]
    return rates(
        (judgement.verdicts, one.limits(run.suite.question(one.question_id)))
        for one in judged
        for judgement in one.audited(names)
    )


# --- arms against each other ----------------------------------------------------------------------------------------


def with_speedups(arms: Sequence[ArmResult]) -> list[ArmResult]:
    """Return the arms with their decode speed over that of the same candidate's baseline."""
    baselines = {arm.candidate: arm.speed.decode_tps for arm in arms if arm.config == "baseline"}
    return [
        arm.model_copy(update={"speed": arm.speed.model_copy(update={"speedup": _ratio(arm, baselines)})})
        for arm in arms
    ]


def _ratio(arm: ArmResult, baselines: Mapping[str, Spread | None]) -> float | None:
    base, own = baselines.get(arm.candidate), arm.speed.decode_tps
    return own.median / base.median if base and own and arm.config != "baseline" else None
