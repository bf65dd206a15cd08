"""What the scores of a run rest on: who judged, whether the judge was examined, whether people checked, how much is there. Pure."""

from collections.abc import Iterator
from typing import Literal

from judge.panel import Standing
from judge.results import ArmResult, JudgeSummary, Results
from judge.scoring import ENOUGH_COVERAGE
from runner.types import Value

State = Literal["good", "bad", "open"]


class TrustItem(Value):
    """One ground for trust, or the lack of it."""

    about: str
    verdict: str
    """One or two words."""
    why: str
    state: State
    """``open``: nobody knows."""


STATES: dict[Standing, State] = {
    Standing.QUALIFIED: "good",
    Standing.LOGIC_ONLY: "good",
    Standing.NOT_EXAMINED: "open",
    Standing.STYLE_ONLY: "bad",
    Standing.NOT_QUALIFIED: "bad",
}
UNAUDITED = "No person checked a random sample of the scores, so a role is provisional at most."


def trust_line(results: Results) -> str:
    """Return what the scores rest on, and what a reader must know before the first number."""
    c = results.coverage
    executed = (
        f" Policy: {results.policy}." if any(q.checks_known for arm in results.arms for q in arm.questions) else ""
    )
    if not results.judges:
        return f"Not judged. Answers: {c.answered} of {c.wanted}, {results.samples} a question."
    judges = "; ".join(f"{judge.name} ({judge.standing}, {judge.replicates} per answer)" for judge in results.judges)
    line = (
        f"{_undecided(results)}Judge: {judges}; {audit_words(results)}. "
        f"Answers: {c.answered} of {c.wanted}, scored: {c.scored}, failed: {c.failed}, "
        f"missing: {c.missing}; K {c.samples_text}.{executed}"
    )
    return "\n\n".join([line, *warnings(results)])


def _undecided(results: Results) -> str:
    """Return, before all else, that the scores decide nothing."""
    return (
        "" if any(arm.panel.decides for arm in results.arms) else "These scores decide nothing: no judge is qualified. "
    )


def _audited(results: Results) -> list[ArmResult]:
    return [arm for arm in results.arms if arm.audit and arm.audit.audited]


def audit_words(results: Results) -> str:
    """Return in a few words whether the scores were audited."""
    audited = _audited(results)
    if not audited:
        return "not audited, so a role is provisional at most"
    return "audited" if len(audited) == len(results.arms) else f"audited: {', '.join(arm.id for arm in audited)}"


def warnings(results: Results) -> tuple[str, ...]:
    """Return what would mislead a reader who does not know it."""
    return tuple(_warnings(results))


def _warnings(results: Results) -> Iterator[str]:
    if any(question.unsafe_executions for arm in results.arms for question in arm.questions):
        yield "Warning: answers were executed WITHOUT a sandbox; they could have forged what the checks saw."
    if family := [arm.id for arm in results.arms if arm.panel.own_family]:
        yield f"Warning: the judge is of the same or unknown family as {', '.join(family)}; judges favour their own family."


def trust_items(results: Results) -> tuple[TrustItem, ...]:
    """Return the grounds for trust, one by one."""
    judges = [_judge(judge) for judge in results.judges]
    nobody = TrustItem(about="Judge", verdict="nobody", why="The answers were not judged.", state="open")
    return (*(judges or [nobody]), _audit(results), _coverage(results))


def _audit(results: Results) -> TrustItem:
    audited = _audited(results)
    if not audited:
        return TrustItem(about="Audit", verdict="not audited", why=UNAUDITED, state="open")
    whole = len(audited) == len(results.arms)
    labels = ", ".join(f"{arm.id} {arm.audit.labels} of {arm.audit.drawn}" for arm in audited if arm.audit)
    why = (
        f"People rated a random sample of the scores ({labels} labels), and the bias that it shows moves the intervals."
    )
    return TrustItem(
        about="Audit", verdict="audited" if whole else "audited in part", why=why, state="good" if whole else "open"
    )


def _judge(judge: JudgeSummary) -> TrustItem:
    why = f"{judge.standing_reason}. {judge.replicates} per answer{', also blind' if judge.blind else ''}."
    return TrustItem(about=f"Judge {judge.name}", verdict=judge.standing.value, why=why, state=STATES[judge.standing])


def _coverage(results: Results) -> TrustItem:
    c = results.coverage
    return TrustItem(
        about="Coverage",
        verdict=f"{c.share:.0%}",
        why=f"{c.scored} of {c.wanted} answers scored, {c.failed} failed, {c.missing} missing; {c.answered} answered; "
        f"K {c.samples_text}.",
        state="good" if c.share >= ENOUGH_COVERAGE else "bad",
    )
