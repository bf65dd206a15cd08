"""What an examination has found so far, check by check. Pure but for its own state."""

from judge.checks.checking import Check, CheckResult, FailureKind


class Record:
    """The results of one examination; a failure that was recorded once is never taken back."""

    def __init__(self) -> None:
        self.results: dict[str, CheckResult] = {}

    def passed(self, check: Check) -> None:
        """Record that a check passed, unless it has failed already."""
        self.results.setdefault(check.id, check.passed())

    def failed(
        self,
        check: Check,
        reason: str,
        *,
        kind: FailureKind = "wrong",
        input: str | None = None,
        expected: str | None = None,
        got: str | None = None,
    ) -> None:
        """Record a failure; the first one of a check is kept, and a hang before any other."""
        known = self.results.get(check.id)
        if known is None or known.outcome != "fail" or (kind == "timeout" and known.kind != "timeout"):
            self.results[check.id] = check.failed(reason, kind=kind, input=input, expected=expected, got=got)

    def not_run(self, check: Check, reason: str) -> None:
        """Record that a check says nothing, unless it has failed already."""
        if (known := self.results.get(check.id)) is None or known.outcome == "pass":
            self.results[check.id] = check.not_run(reason)

    def judge(
        self,
        check: Check,
        good: bool,
        reason: str,
        *,
        input: str | None = None,
        expected: str | None = None,
        got: str | None = None,
    ) -> None:
        """Record a check that was decided elsewhere; the texts are for when it failed."""
        if good:
            self.passed(check)
        else:
            self.failed(check, reason, input=input, expected=expected, got=got)
