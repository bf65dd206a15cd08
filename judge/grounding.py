"""Evidence as a judge reads it, and what it allows a score to be. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from judge.checks.checking import UNKNOWN_STATES, CheckResult, Evidence
from judge.types import Grade, Question, Verdict
from runner.identity import digest

Policy = Literal["grounded", "judge"]
"""``grounded``: a criterion with checks is bounded by them. ``judge``: the judge's scores as they are."""


def findings(evidence: Evidence | None, question: Question) -> str:
    """Return what a judge is told about the execution, one line a fact; empty when nothing is known.

    Whatever the answer may have had a hand in stands in double quotes and has none inside: the judge is told that it is data.
    """
    if evidence is None or evidence.state in UNKNOWN_STATES:
        return ""
    return "\n".join(_findings(evidence, question))


def shown_hash(evidence: Evidence | None, question: Question) -> str | None:
    """Return the identity of what a judge is told, ``None`` when it is told nothing.

    Other checks, another wall or other notes that lead to the same text are no reason to ask a judge again.
    """
    text = findings(evidence, question)
    return digest(text) if text else None


def _findings(evidence: Evidence, question: Question) -> Iterator[str]:
    if evidence.state != "ok":
        yield f"- The code could not be used: {evidence.state}: {_data(evidence.message or 'no more is known')}"
        return
    for criterion in question.criteria:
        results = [check for check in evidence.checks if criterion.id in check.criteria and check.outcome != "not_run"]
        if results:
            yield from _criterion_findings(criterion.id, results)


def _criterion_findings(criterion: str, results: Sequence[CheckResult]) -> Iterator[str]:
    failed = [result for result in results if result.outcome == "fail"]
    each = ", ".join(f"{result.id} {result.outcome}" for result in results)
    yield f"- {criterion}: {len(results) - len(failed)} of {len(results)} checks passed ({each})"
    if failed:
        yield f"  first failure: {_told(failed[0])}"


def _told(result: CheckResult) -> str:
    quotes = {
        name: _data(text)
        for name in ("reason", "input", "expected", "got")
        if (text := getattr(result, name)) is not None
    }
    return failure_line(result.model_copy(update=quotes))


def _data(text: str) -> str:
    return '"{}"'.format(text.replace('"', "'"))


def failure_line(result: CheckResult) -> str:
    """Return a failed check on one line: id, reason, input, expected and got."""
    parts = {"input": result.input, "expected": result.expected, "got": result.got}
    shown = ", ".join(f"{name} {text}" for name, text in parts.items() if text is not None)
    return f"{result.id}: {result.reason}" + (f" ({shown})" if shown else "")


def bounded(verdicts: Sequence[Verdict], bounds: Mapping[str, Grade]) -> tuple[Verdict, ...]:
    """Return the verdicts with each score lowered to what the evidence allows; a missing score stays missing."""
    if not bounds:
        return tuple(verdicts)
    return tuple(_bounded(verdict, bounds.get(verdict.criterion)) for verdict in verdicts)


def _bounded(verdict: Verdict, bound: Grade | None) -> Verdict:
    if verdict.score is None or bound is None or verdict.score <= bound:
        return verdict
    return verdict.model_copy(update={"score": bound})
