"""May this run pass? What a build server asks: do the models that fill a role still fill it, has no score fallen, is the judge fit to
say so, and is there enough to say it by. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from pydantic import Field

from judge.panel import Standing
from judge.results import ArmResult, JudgeSummary, Results
from judge.roles import RoleDecision
from judge.scoring import ENOUGH_COVERAGE, Coverage, TierScore
from judge.stats.intervals import Outcome
from runner.types import Value

ROUNDING = 1e-9
"""A score that fell by exactly the margin has not fallen by more."""


class Condition(StrEnum):
    """What is asked of a run."""

    ROLE = "role"
    SCORE = "score"
    JUDGE = "judge"
    COVERAGE = "coverage"


class State(StrEnum):
    """How a condition came out."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"
    """Nobody can tell yet; fails a strict gate only, since what is undecided keeps the incumbent (D9)."""
    MISSING = "missing"
    """What it asks for is not there: fails the gate as an error of ours, not of a model."""


class GateRules(Value):
    """How strict a gate is."""

    margin: float = Field(default=0.25, ge=0, le=4)
    """A tier score may fall by this much against the earlier run, points of the 1-5 scale."""
    min_coverage: float = Field(default=ENOUGH_COVERAGE, ge=0, le=1)
    """Least share of the wanted answers of an arm that have a score."""
    strict: bool = False
    """True fails what is open, too."""


class GateFinding(Value):
    """One condition on one subject."""

    condition: Condition
    subject: str
    """Role and candidate, arm and tier, judge, or arm."""
    state: State
    sentence: str


class GateReport(Value):
    """Everything that a gate asked of a run."""

    run_id: str
    against: str | None
    """The earlier run; ``None``: scores were compared with nothing."""
    rules: GateRules
    findings: tuple[GateFinding, ...]
    warnings: tuple[str, ...]
    """What makes a comparison doubtful."""

    @property
    def blocking(self) -> tuple[GateFinding, ...]:
        """The findings that fail the gate."""
        harmless = (State.PASSED,) if self.rules.strict else (State.PASSED, State.OPEN)
        return tuple(finding for finding in self.findings if finding.state not in harmless)

    @property
    def passed(self) -> bool:
        """True when nothing blocks."""
        return not self.blocking


def gate(results: Results, rules: GateRules, earlier: Results | None = None) -> GateReport:
    """Return what the conditions say of ``results``; ``earlier``: the run whose scores it must not fall behind."""
    return GateReport(
        run_id=results.run_id,
        against=earlier.run_id if earlier else None,
        rules=rules,
        findings=(
            *_roles(results),
            *(_scores(results, earlier, rules.margin) if earlier else ()),
            *_judges(results),
            *_coverages(results, rules.min_coverage),
        ),
        warnings=tuple(_warnings(results, earlier)),
    )


# --- roles ----------------------------------------------------------------------------------------------------------


def _roles(results: Results) -> Iterator[GateFinding]:
    """Yield one finding a role and candidate that fills it: it holds the role while one of its configs can."""
    incumbents: dict[tuple[str, str], list[ArmResult]] = {}
    for arm in results.arms:
        if arm.role is not None:
            incumbents.setdefault((arm.role, arm.candidate), []).append(arm)
    for (role, candidate), arms in incumbents.items():
        yield _incumbent(role, candidate, {arm.config: _decision(arm, role) for arm in arms})


def _decision(arm: ArmResult, role: str) -> RoleDecision | None:
    return next((decision for decision in arm.decisions if decision.role == role), None)


OUTCOME_STATES = {Outcome.PASS: State.PASSED, Outcome.UNDECIDED: State.OPEN, Outcome.FAIL: State.FAILED}
OUTCOME_WORDS = {
    State.PASSED: "still fills {role}",
    State.OPEN: "keeps {role}, undecided",
    State.FAILED: "no longer fills {role}",
}


def _incumbent(role: str, candidate: str, decisions: Mapping[str, RoleDecision | None]) -> GateFinding:
    subject = f"{role}: {candidate}"
    known = {config: decision for config, decision in decisions.items() if decision is not None}
    if not known:
        sentence = f"{candidate} fills {role} today, and nothing was decided about it."
        return GateFinding(condition=Condition.ROLE, subject=subject, state=State.MISSING, sentence=sentence)
    best = next(outcome for outcome in OUTCOME_STATES if any(d.outcome is outcome for d in known.values()))
    state = OUTCOME_STATES[best]
    why = "; ".join(f"{config}: {decision.outcome}, {decision.reason}" for config, decision in known.items())
    sentence = f"{candidate} {OUTCOME_WORDS[state].format(role=role)} ({why})."
    return GateFinding(condition=Condition.ROLE, subject=subject, state=state, sentence=sentence)


# --- scores ---------------------------------------------------------------------------------------------------------


def _scores(results: Results, earlier: Results, margin: float) -> Iterator[GateFinding]:
    """Yield one finding an arm and tier that the earlier run has a score of, and one when the runs have nothing in common."""
    arms = {arm.id: arm for arm in results.arms}
    pairs = [(arms[before.id], before) for before in earlier.arms if before.id in arms]
    findings = [finding for now, before in pairs for finding in _fallen(now, before, margin)]
    if not findings:
        sentence = f"No arm of this run has a score in {earlier.run_id}, so nothing was compared."
        findings = [
            GateFinding(condition=Condition.SCORE, subject=earlier.run_id, state=State.MISSING, sentence=sentence)
        ]
    yield from findings


def _fallen(now: ArmResult, before: ArmResult, margin: float) -> Iterator[GateFinding]:
    scores = {tier.tier: tier for tier in now.tiers}
    for tier in before.tiers:
        if tier.mean is not None:
            yield _fall(now.id, tier.mean, tier, scores.get(tier.tier), margin)


def _fall(arm: str, before: float, tier: TierScore, found: TierScore | None, margin: float) -> GateFinding:
    """Return what became of ``before``, the score of ``tier`` then; ``found``: the same tier now."""
    subject, then = f"{arm} {tier.tier}", tier.coverage.text
    if found is None or found.mean is None:
        why = f" ({found.coverage.text})" if found else ""
        sentence = f"{subject} had {before:.2f} ({then}) and has no score now{why}."
        return GateFinding(condition=Condition.SCORE, subject=subject, state=State.MISSING, sentence=sentence)
    now = found.mean
    basis = f"{then} then, {found.coverage.text} now"
    change = f"{before:.2f} -> {now:.2f} ({now - before:+.2f}; it may fall by {margin:g}; {basis})"
    if before - now > margin + ROUNDING:
        return GateFinding(
            condition=Condition.SCORE, subject=subject, state=State.FAILED, sentence=f"{subject} fell: {change}."
        )
    return GateFinding(
        condition=Condition.SCORE, subject=subject, state=State.PASSED, sentence=f"{subject} held: {change}."
    )


# --- judges and coverage --------------------------------------------------------------------------------------------

STANDING_STATES = {
    Standing.QUALIFIED: State.PASSED,
    Standing.LOGIC_ONLY: State.PASSED,  # it decides roles, see judge.panel
    Standing.NOT_EXAMINED: State.OPEN,
    Standing.STYLE_ONLY: State.FAILED,
    Standing.NOT_QUALIFIED: State.FAILED,
}


def _judges(results: Results) -> Iterator[GateFinding]:
    """Yield one finding a judge; a judge that counts for no arm cannot spoil a run."""
    counting = {name for arm in results.arms for name in arm.panel.judges}
    for judge in results.judges:
        yield _judge(judge, counts=judge.name in counting)
    if not results.judges:
        yield GateFinding(
            condition=Condition.JUDGE, subject="judge", state=State.MISSING, sentence="Nobody judged this run."
        )


def _judge(judge: JudgeSummary, *, counts: bool) -> GateFinding:
    state = STANDING_STATES[judge.standing] if counts else State.PASSED
    rest = "" if counts else "; it counts for no arm"
    sentence = f"Judge {judge.name} is {judge.standing} ({judge.standing_reason}){rest}."
    return GateFinding(condition=Condition.JUDGE, subject=judge.name, state=state, sentence=sentence)


def _coverages(results: Results, least: float) -> Iterator[GateFinding]:
    """Yield one finding an arm: over all arms together, one that failed to start would be lost among the others."""
    for arm in results.arms:
        yield _coverage(arm.id, arm.coverage, least)
    if not results.arms:
        yield GateFinding(
            condition=Condition.COVERAGE, subject="run", state=State.MISSING, sentence="This run has no arm."
        )


def _coverage(arm: str, found: Coverage, least: float) -> GateFinding:
    state = State.PASSED if found.share >= least - ROUNDING else State.MISSING
    have = f"{found.scored} of {found.wanted} answers have a score ({found.share:.0%})"
    rest = f", {found.failed} failed, {found.missing} missing" if found.scored < found.wanted else ""
    sentence = f"{arm}: {have}{rest}; {least:.0%} are asked for."
    return GateFinding(condition=Condition.COVERAGE, subject=arm, state=state, sentence=sentence)


# --- warnings -------------------------------------------------------------------------------------------------------


def _warnings(results: Results, earlier: Results | None) -> Iterator[str]:
    if all(arm.role is None for arm in results.arms):
        yield "No arm of this run fills a role today, so no role was checked."
    if earlier is None:
        return
    for what, now, before in _bases(results, earlier):
        if now != before:
            yield f"{what} differ ({before} then, {now} now): the scores may not be comparable."
    ids = {arm.id for arm in results.arms}
    if gone := [arm.id for arm in earlier.arms if arm.id not in ids]:
        yield f"Not in this run, and not compared: {', '.join(gone)}."


def _bases(results: Results, earlier: Results) -> Sequence[tuple[str, str, str]]:
    """Return what scores are relative to: name, now, before."""
    return (
        ("Suite and rubric", results.suite_hash[:12], earlier.suite_hash[:12]),
        ("Judges", _judge_names(results), _judge_names(earlier)),
        ("Policies", results.policy, earlier.policy),
        ("Questions", _questions(results), _questions(earlier)),
    )


def _judge_names(results: Results) -> str:
    return ", ".join(f"{judge.name} {judge.fingerprint[:8]}" for judge in results.judges) or "none"


def _questions(results: Results) -> str:
    return ", ".join(dict.fromkeys(question.id for arm in results.arms for question in arm.questions)) or "none"
