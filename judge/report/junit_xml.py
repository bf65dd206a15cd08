"""Gate and results -> JUnit XML for build servers.

Three suites: what the gate asked, a case an arm and role, a case an arm and question. A model that is not good enough is a failure;
what is missing is an error; what cannot be said, or is no news (a challenger that does not fill a role it does not hold), is skipped.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Literal

from judge.gate import Condition, GateFinding, GateReport, State
from judge.report.legible import legible, one_line
from judge.results import ArmResult, QuestionScore, Results
from judge.roles import RoleDecision
from judge.stats.intervals import Outcome
from runner.types import Value

NOT_TIMED = "0"
"""The schema wants seconds; what is tested here is no duration."""
SECONDS_PART = len("2026-01-31T12:00:00")
"""The schema takes a time of day without fractions and zone; ours are UTC."""
HOST = "localhost"
"""The schema wants a host, and says to put this where none is told: the name of a machine is nobody's business."""

Trouble = Literal["failure", "error", "skipped"]


class Case(Value):
    """One test case."""

    group: str
    name: str
    trouble: Trouble | None
    """``None``: passed."""
    message: str


def junit_xml(results: Results, report: GateReport) -> str:
    """Return the XML document."""
    root = ET.Element("testsuites")
    suites = {
        "gate": [_gate_case(finding, report) for finding in report.findings],
        "roles": list(_role_cases(results, report)),
        "questions": [_question_case(results, arm, question) for arm in results.arms for question in arm.questions],
    }
    for index, (name, cases) in enumerate(suites.items()):
        root.append(_suite(index, name, cases, results, report))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


# --- cases ----------------------------------------------------------------------------------------------------------


def _gate_case(finding: GateFinding, report: GateReport) -> Case:
    open_ends_as: Trouble = "failure" if report.rules.strict else "skipped"
    troubles: dict[State, Trouble] = {State.FAILED: "failure", State.MISSING: "error", State.OPEN: open_ends_as}
    return Case(
        group=finding.condition.value,
        name=finding.subject,
        trouble=troubles.get(finding.state),
        message=finding.sentence,
    )


def _role_cases(results: Results, report: GateReport) -> Iterator[Case]:
    lost = {f.subject for f in report.findings if f.condition is Condition.ROLE and f.state is State.FAILED}
    for arm in results.arms:
        for decision in arm.decisions:
            is_lost = arm.role == decision.role and f"{decision.role}: {arm.candidate}" in lost
            yield _role_case(arm, decision, is_lost=is_lost)


def _role_case(arm: ArmResult, decision: RoleDecision, *, is_lost: bool) -> Case:
    trouble: Trouble | None = None if decision.outcome is Outcome.PASS else "failure" if is_lost else "skipped"
    return Case(group=arm.id, name=decision.role, trouble=trouble, message=f"{decision.outcome}: {decision.reason}")


def _question_case(results: Results, arm: ArmResult, question: QuestionScore) -> Case:
    trouble, message = _question_trouble(results, question)
    return Case(group=arm.id, name=f"{question.id} {question.test}", trouble=trouble, message=message)


def _question_trouble(results: Results, question: QuestionScore) -> tuple[Trouble | None, str]:
    if missing := question.states.get("missing", 0):
        return "error", f"{missing} of {sum(question.states.values())} answers are missing"
    if question.mean is not None:
        return None, f"score {question.mean:.2f} ({question.coverage.text})"
    return ("error", "no answer has a score") if results.judges else ("skipped", "not judged")


# --- elements -------------------------------------------------------------------------------------------------------


def _suite(index: int, name: str, cases: Iterable[Case], results: Results, report: GateReport) -> ET.Element:
    cases = list(cases)
    counts = {
        trouble: str(sum(case.trouble == trouble for case in cases)) for trouble in ("failure", "error", "skipped")
    }
    suite = ET.Element(
        "testsuite",
        {
            "name": name,
            "package": one_line(results.suite),
            "id": str(index),
            "timestamp": results.created_at[:SECONDS_PART],
            "hostname": HOST,
            "tests": str(len(cases)),
            "failures": counts["failure"],
            "errors": counts["error"],
            "skipped": counts["skipped"],
            "time": NOT_TIMED,
        },
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(results, report).items():
        ET.SubElement(properties, "property", {"name": key, "value": one_line(value)})
    suite.extend(_element(case) for case in cases)
    _text(ET.SubElement(suite, "system-out"), [f"{c.group} {c.name}: {c.message}" for c in cases if c.trouble is None])
    _text(ET.SubElement(suite, "system-err"), report.warnings)
    return suite


def _properties(results: Results, report: GateReport) -> dict[str, str]:
    rules = report.rules
    return {
        "run": results.run_id,
        "against": report.against or "none",
        "suite_hash": results.suite_hash,
        "judges": ", ".join(f"{judge.name} ({judge.standing})" for judge in results.judges) or "none",
        "samples": str(results.samples),
        "rules": f"margin {rules.margin:g}, coverage {rules.min_coverage:g}{', strict' if rules.strict else ''}",
    }


def _element(case: Case) -> ET.Element:
    names = {"classname": one_line(case.group), "name": one_line(case.name), "time": NOT_TIMED}
    element = ET.Element("testcase", names)
    match case.trouble:
        case "skipped":
            ET.SubElement(element, "skipped", {"message": one_line(case.message)})
        case "failure" | "error":
            trouble = ET.SubElement(element, case.trouble, {"message": one_line(case.message), "type": case.trouble})
            trouble.text = legible(case.message)
    return element


def _text(element: ET.Element, lines: Iterable[str]) -> None:
    element.text = "\n".join(one_line(line) for line in lines)
