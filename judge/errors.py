"""What can go wrong on the judging side, named after the boundary that broke.

JudgeError
├── UserError        bad input; its message is one line: what was asked, what was found, what to do (exit code 2)
│   └── LibraryError   a file of the library (models.yaml, prompts/, rubrics/) is wrong; carries every problem found
├── StoreError       the database cannot be used: damaged, newer than this program, locked, full (exit code 1)
├── Interrupted      the user stopped a run; what was stored is stored (exit code 130)
└── VerdictError     a judge's reply is no complete verdict; becomes a repair turn, then a JudgeFailure
"""

from collections.abc import Sequence


class JudgeError(Exception):
    """Base of everything that this package raises on purpose."""


class UserError(JudgeError):
    """Bad input: nothing was started and nothing is lost."""


class LibraryError(UserError):
    """One or more problems in the files of the library; ``problems`` has one ``file:line: field: message`` each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class StoreError(JudgeError):
    """The store cannot be opened, read or written."""


class Interrupted(JudgeError):
    """The user stopped the run; servers are stopped and everything that completed is stored."""


class VerdictError(JudgeError):
    """A reply of a judge that cannot be taken as a verdict; the message is what the repair turn tells the judge."""
