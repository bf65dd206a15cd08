"""What executing an answer showed, and the highest scores that it leaves open. Values and pure functions.

Whatever a value here quotes from the answer is ASCII, escaped and at most ``SHOWN_CHARS`` long: it is printed in reports
and shown to judges, and must neither flood nor instruct them.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from judge.checks.quoting import Quote, escaped, quoted
from judge.types import Grade, Question
from runner.jail import Wall
from runner.types import Value

Outcome = Literal["pass", "fail", "not_run"]
"""``not_run``: nothing is known, and nothing counts against the answer."""

FailureKind = Literal["wrong", "raised", "timeout", "died", "unbounded"]
"""``wrong``: another result than expected; ``unbounded``: more operations than the check allows; ``died``: the process
ended in the middle of the call."""

EvidenceState = Literal[
    "ok",
    "no_code",
    "syntax_error",
    "load_error",
    "no_entry_point",
    "ambiguous",
    "timeout",
    "died",
    "tampered",
    "not_run",
]
"""``ok``: the checks were made, whatever they showed. ``ambiguous``: several candidates for the entry point, or several
versions of it, behave differently, so the checks decide nothing. ``timeout`` and ``died``: while loading, or on the
question's own example. ``not_run``: trouble of ours, no isolation, or something that the answer may expect and this
machine lacks: a package, a newer Python, files, arguments that nobody knows."""

UNKNOWN_STATES: frozenset[EvidenceState] = frozenset({"ambiguous", "not_run"})
"""States that say nothing about the answer."""


class Check(Value):
    """One thing that is looked at; declared by a check module."""

    id: str
    """Unique in its module: ``negative``."""
    criteria: tuple[str, ...] = Field(min_length=1)
    """Ids of the criteria that it is evidence for."""
    about: str
    """One line for a person: what holds when it passes."""
    static: bool = False
    """True when it is read off the source: that the code hangs or does not load says nothing about it."""

    def passed(self) -> "CheckResult":
        """Return the good result."""
        return CheckResult(id=self.id, criteria=self.criteria, static=self.static, outcome="pass")

    def failed(
        self,
        reason: str,
        *,
        kind: FailureKind = "wrong",
        input: str | None = None,
        expected: str | None = None,
        got: str | None = None,
    ) -> "CheckResult":
        """Return a bad result; texts are escaped and cut here."""
        return CheckResult(
            id=self.id,
            criteria=self.criteria,
            static=self.static,
            outcome="fail",
            kind=kind,
            reason=quoted(reason),
            input=None if input is None else escaped(input),
            expected=None if expected is None else escaped(expected),
            got=None if got is None else escaped(got),
        )

    def not_run(self, reason: str) -> "CheckResult":
        """Return that nothing is known."""
        return CheckResult(
            id=self.id, criteria=self.criteria, static=self.static, outcome="not_run", reason=quoted(reason)
        )


class CheckResult(Value):
    """How one check went."""

    id: str
    criteria: tuple[str, ...]
    static: bool = False
    """True when it was read off the source."""
    outcome: Outcome
    kind: FailureKind | None = None
    """What sort of failure; ``None`` unless it failed."""
    input: Quote | None = None
    """What was called; ``None`` when the check is not about one call, and when it passed."""
    expected: Quote | None = None
    got: Quote | None = None
    """Untrusted."""
    reason: Quote | None = None
    """One line; ``None`` when it passed."""


class Evidence(Value):
    """What executing one answer showed."""

    question_id: str
    state: EvidenceState
    message: Quote | None = None
    """One line for every state but ``ok``."""
    entry_point: Quote | None = None
    """How the answer was called, as text: ``Solution().reverse(s)``; ``None`` when it came to no call."""
    notes: tuple[Quote, ...] = ()
    """What was unusual about the entry point: other candidates, and why they were not taken."""
    checks: tuple[CheckResult, ...] = ()
    """One for every check that is declared for the question, in that order."""
    checks_hash: str
    """Version of the checks: evidence of another version is owed again."""
    isolation: Wall | Literal["none"]
    """What stood between the answer and the machine."""
    surroundings: str | None = None
    """Wall, Python and packages that the answer had, as one text; ``None``: trouble of ours, so nothing is known for good."""

    @property
    def settled(self) -> bool:
        """True when executing the answer again in the same surroundings would change nothing."""
        return self.state != "not_run" or self.surroundings is not None

    @property
    def says_something(self) -> bool:
        """True when any check passed or failed."""
        return self.state not in UNKNOWN_STATES and any(check.outcome != "not_run" for check in self.checks)

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The failed checks, hangs first: they say most."""
        failed = [check for check in self.checks if check.outcome == "fail"]
        return tuple(sorted(failed, key=lambda check: check.kind not in ("timeout", "died")))


# --- bounds -------------------------------------------------------------------------------------------------------


def bounds(evidence: Evidence, question: Question) -> dict[str, Grade]:
    """Return the highest score that the evidence leaves open, for each criterion that it says something about.

    5 is no bound. A criterion without checks, or of whose checks none was run, has no entry. What cannot be run at all
    bounds what only running it shows, not what stands in its source.
    """
    if evidence.state in UNKNOWN_STATES:
        return {}
    bound: dict[str, Grade] = {}
    for criterion in question.criteria:
        results = [check for check in evidence.checks if criterion.id in check.criteria]
        if evidence.state != "ok" and any(result.outcome == "fail" and not result.static for result in results):
            bound[criterion.id] = 1
        elif known := [result for result in results if result.outcome != "not_run"]:
            bound[criterion.id] = _bound(known)
    return bound


def _bound(results: list[CheckResult]) -> Grade:
    if any(result.kind == "timeout" for result in results):
        return 1
    passed = sum(result.outcome == "pass" for result in results)
    for share, grade in _BOUND_BY_SHARE:
        if passed >= share * len(results):
            return grade
    return 1


_BOUND_BY_SHARE: tuple[tuple[float, Grade], ...] = ((1.0, 5), (0.8, 3), (0.5, 2))
"""Lowest share of passed checks and the highest score that goes with it; below all of them it is 1."""


def all_not_run(checks: Iterable[Check], reason: str) -> tuple[CheckResult, ...]:
    """Return every check as one about which nothing is known."""
    return tuple(check.not_run(reason) for check in checks)
