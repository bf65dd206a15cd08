"""One answer examined in a process of its own: a service that parses Python in one thread cannot examine in another.

CPython 3.11 raises SystemError when two threads parse Python at once, and examining parses for as long as it runs.
``python -m judge.checks.apart`` reads a question and an answer as JSON from stdin and writes the evidence to stdout.
"""

import asyncio
import os
import sys

from pydantic import TypeAdapter

from judge.checks.checking import Evidence
from judge.checks.evidence import examine_answer
from judge.types import Question
from runner.errors import SandboxError
from runner.serve import server_environment
from runner.spawn import run_trusted
from runner.types import Value

WITHIN_S = 300.0
"""An examination takes seconds; one that hangs is given up."""
_EVIDENCE: TypeAdapter[Evidence | None] = TypeAdapter(Evidence | None)


class Examination(Value):
    """What is to be examined."""

    question: Question
    answer: str


async def examine_apart(question: Question, answer: str, *, wall_s: float = WITHIN_S) -> Evidence | None:
    """Return what executing an answer shows; ``None`` when the question has no checks.

    Raises SandboxError when the process cannot be started, breaks or takes too long: that says nothing about the answer.
    """
    asked = Examination(question=question, answer=answer).model_dump_json().encode()
    command = [sys.executable, "-P", "-m", "judge.checks.apart"]
    try:
        status, found, _ = await run_trusted(command, data=asked, env=server_environment(os.environ), wall_s=wall_s)
    except TimeoutError as error:
        raise SandboxError(f"examining an answer took more than {wall_s:g} s and was given up") from error
    except OSError as error:
        raise SandboxError(f"cannot start a process to examine an answer: {error}") from error
    if status != 0:
        raise SandboxError(f"the process that examined an answer ended with status {status}")
    return _EVIDENCE.validate_json(found)


def main() -> None:
    """Examine what stdin holds."""
    asked = Examination.model_validate_json(sys.stdin.buffer.read())
    sys.stdout.buffer.write(_EVIDENCE.dump_json(asyncio.run(examine_answer(asked.question, asked.answer))))


if __name__ == "__main__":
    main()
