"""What the scores of a run rest on: who judged, whether the judge was examined, whether people checked, how much is there. Pure."""

from collections.abc import Iterator
from typing import Literal

from judge.audit import LogicAudit, all_audited
from judge.panel import Standing
from judge.results import ArmResult, JudgeSummary, Results
from judge.scoring import ENOUGH_COVERAGE
from runner.identity import digest
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
    """Return in a few words what of the scores was audited, by whom, and that the rest keeps a role provisional."""
    audited = _audited(results)
    if audited and len(audited) == len(results.arms):
        return "audited"
    found = tested(results)
    words = [f"audited: {', '.join(arm.id for arm in audited)}"] if audited else []
    if found.decided and results.policy == "grounded":
        words.append(
            f"logic audited by tests ({found.decided} of {found.answers} answers), style (criteria without checks) unaudited"
        )
    return ", ".join(words or ["not audited"]) + ("" if audited else ", so a role is provisional at most")


def tested(results: Results) -> LogicAudit:
    """Return what the tests say of the judges over all arms."""
    return all_audited(arm.logic_audit for arm in results.arms)


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
    return (*(judges or [nobody]), *_tests(results), _audit(results), _coverage(results))


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


def _tests(results: Results) -> Iterator[TrustItem]:
    """Yield what the tests say of the judges' logic, where they decide anything."""
    found = tested(results)
    if found.bias is None or found.left is None:
        return
    sight = "without seeing the tests" if results.judged_blind else "with the tests in sight"
    what = (
        f"Tests decide {found.decided} of {found.answers} scored answers in every criterion that has checks (a census, no sample). "
        f"{checks_line(results)} On {found.criteria} such criteria the judges' own scores, given {sight}, are {_apart(found.bias)} "
        "what the tests show"
    )
    if results.policy == "judge":
        yield TrustItem(
            about="Logic", verdict="not corrected", why=f"{what}, and the policy leaves them so.", state="open"
        )
        return
    whole = found.decided == found.answers
    why = f"{what}; bounded by the tests they are {_apart(found.left)} it. Criteria without checks (style) are not audited by them."
    yield TrustItem(
        about="Logic", verdict="audited by tests" if whole else "audited by tests in part", why=why,
        state="good" if whole else "open",
    )  # fmt: skip


def checks_line(results: Results) -> str:
    """Return which checks the answers were held to, and how to see what these are worth themselves."""
    version = digest(sorted(results.checks.items()))[:12]
    return (
        f"Checks of version {version} (of each question: run.json); how many right answers the installed ones accept and how many "
        "wrong ones they catch is printed by judge checks --score."
    )


def _apart(points: float) -> str:
    return f"{abs(points):.2f} points {'under' if points < 0 else 'over'}"


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
