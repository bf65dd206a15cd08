"""One arm of a run -> its figures, question by question, so that nothing but figures is held. Reads its answers and launches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from judge.audit import all_audited
from judge.lineage import is_self
from judge.panel import Panel, Standing, panel, relation
from judge.plan import questions_of
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.results.columns import ScoredAnswers
from judge.results.judged import read_question
from judge.results.labels import Audited
from judge.results.parts import QuestionPart, question_part, scored_answers, total_rates
from judge.results.scores import coverage_of, tier_means
from judge.results.values import ArmResult, JudgeCell
from judge.roles import RoleDecision, decide, undecided
from judge.scoring import Coverage, TierScore, mean_of_means, tier_scores, together
from judge.speed import Reuse, Spread, arm_speed, reuse
from judge.store import Store
from runner.types import Value

Standings = Mapping[str, Standing]


class Seats(Value):
    """Who scores one arm."""

    record: ArmRecord
    panel: Panel
    scoring: tuple[JudgeRecord, ...]
    """Everyone who does."""

    @property
    def counting(self) -> list[JudgeRecord]:
        """Those whose scores make the figures."""
        return [judge for judge in self.scoring if judge.name in self.panel.judges]


def seats(run: RunRecord, record: ArmRecord, standings: Standings) -> Seats:
    """Return who scores an arm, and who of them counts."""
    scoring = tuple(judge for judge in run.judges if judge.scores_itself or not is_self(judge, record))
    return Seats(record=record, panel=panel(run.judges, record, standings), scoring=scoring)


class Scored(NamedTuple):
    """The answers of one arm that can be scored, one by one: what comparisons and judges against each other take."""

    record: ArmRecord
    panel: Panel
    scored: ScoredAnswers
    """In the order in which they were asked."""
    coverage: Coverage
    """Of the mean over all of them."""


class ArmFigures(NamedTuple):
    """What was computed of one arm."""

    result: ArmResult
    """Its speed-up is added later, when all arms are known."""
    scored: Scored | None
    """``None`` where nobody asks for single answers."""
    reuse: Mapping[str, Reuse]
    """Judge fingerprint -> prompt tokens that its server took from the request before."""
    owed: "Owed"


class Owed(NamedTuple):
    """What is still to be done about an arm."""

    answers: int
    """0 for an arm whose answers were imported: there is nobody to ask."""
    checks: int
    """Answers that are to be executed."""
    scorings: int
    """Of answers that are there."""


def scored_arm(run: RunRecord, who: Seats, store: Store) -> Scored:
    """Read the answers of one arm and score them by its panel."""
    answers = _no_answers(run, who)
    coverages = []
    for question in questions_of(run):
        found = read_question(run, who.record, question, who.scoring, store)
        answers.extend(scored_answers(run, question, found.judged, who.counting, who.scoring))
        coverages.append(coverage_of(question, found, who.counting, run.samples_of(who.record, question)))
    return Scored(who.record, who.panel, answers, together(coverages))


def tier_coverages(run: RunRecord, who: Seats, store: Store) -> dict[str, Coverage]:
    """Return tier -> what the score of one arm on it rests on."""
    found: dict[str, list[Coverage]] = {}
    for question in questions_of(run):
        stored = read_question(run, who.record, question, who.scoring, store)
        wanted = run.samples_of(who.record, question)
        found.setdefault(question.tier, []).append(coverage_of(question, stored, who.counting, wanted))
    return {tier: together(parts) for tier, parts in found.items()}


def _no_answers(run: RunRecord, who: Seats) -> ScoredAnswers:
    return ScoredAnswers(questions_of(run), [judge.name for judge in who.scoring])


def arm_figures(run: RunRecord, who: Seats, store: Store, audit: Audited | None, *, keep: bool) -> ArmFigures:
    """Return the figures of one arm; ``keep``: its single answers as well."""
    answers = _no_answers(run, who)
    parts: list[QuestionPart] = []
    for question in questions_of(run):
        found = read_question(run, who.record, question, who.scoring, store)
        parts.append(question_part(run, who.record, question, found, who.counting, who.scoring))
        if keep:
            answers.extend(scored_answers(run, question, found.judged, who.counting, who.scoring))
    covered = together(part.score.coverage for part in parts)
    return ArmFigures(
        result=_arm_result(run, who, parts, store, audit),
        scored=Scored(who.record, who.panel, answers, covered) if keep else None,
        reuse={judge.fingerprint: reuse(part.reuse[judge.fingerprint] for part in parts) for judge in who.scoring},
        owed=_owed(who.record, parts),
    )


def _owed(record: ArmRecord, parts: Sequence[QuestionPart]) -> Owed:
    return Owed(
        answers=sum(part.owed_answers for part in parts) if record.model is not None else 0,
        checks=sum(part.owed_checks for part in parts),
        scorings=sum(part.owed_scorings for part in parts),
    )


def _arm_result(
    run: RunRecord, who: Seats, parts: Sequence[QuestionPart], store: Store, audit: Audited | None
) -> ArmResult:
    record, chosen = who.record, who.panel
    tiers = tier_scores(
        run.suite,
        {part.score.id: part.scores for part in parts},
        {part.score.id: part.score.coverage for part in parts},
    )
    return ArmResult(
        id=record.arm.id,
        candidate=record.arm.candidate,
        model=record.entry.model,
        quant=(record.model.quantisation if record.model else None) or record.entry.quant,
        config=record.arm.config.name,
        role=record.entry.role,
        speed=arm_speed([part.speeds for part in parts]),
        tiers=tiers,
        questions=tuple(part.score for part in parts),
        decisions=_decisions(run, chosen, tiers, audit),
        targets_met=_targets_met(run, record, tiers),
        panel=chosen,
        audit=audit.summary if audit else None,
        by_judge=tuple(_cell(run, who, parts, judge) for judge in who.scoring),
        disagreements=tuple(sorted((d for part in parts for d in part.disagreements), key=lambda d: d.sample)),
        rates=total_rates(part.rates for part in parts),
        logic_audit=all_audited(part.logic_audit for part in parts),
        launches=tuple(store.launches(record.arm)),
        failures=tuple(_failures(who, parts)),
    )


def _failures(who: Seats, parts: Sequence[QuestionPart]) -> Iterable[str]:
    for part in parts:
        yield from part.missing
    for judge in who.scoring:
        for part in parts:
            yield from part.failures[judge.fingerprint]


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


def _cell(run: RunRecord, who: Seats, parts: Sequence[QuestionPart], judge: JudgeRecord) -> JudgeCell:
    scores = {part.score.id: part.by_judge[judge.fingerprint] for part in parts}
    coverages = {part.score.id: part.coverage_by_judge[judge.fingerprint] for part in parts}
    tiers = tier_scores(run.suite, scores, coverages)
    return JudgeCell(
        judge=judge.name,
        relation=relation(judge, who.record),
        counts=judge.name in who.panel.judges,
        tiers=dict(tier_means(tiers)),
        mean=mean_of_means([group for tier in tiers for group in tier.questions.values()]),
        coverage=together(coverages.values()),
        failures=sum(len(part.failures[judge.fingerprint]) for part in parts),
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
