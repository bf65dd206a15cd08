"""Code that is examined as the answer to a question of the shipped suite."""

from textwrap import dedent

from judge.checks.checking import Evidence
from judge.checks.evidence import examine_answer
from judge.library import load_suite
from runner.isolation import isolation

SUITE = load_suite()


async def examined(question_id: str, code: str) -> Evidence:
    """Return what executing the code showed."""
    found = await isolation()
    found.required()
    evidence = await examine_answer(SUITE.question(question_id), f"```python\n{dedent(code)}\n```")
    assert evidence is not None
    return evidence


async def failures(question_id: str, code: str) -> dict[str, str]:
    """Return the failed checks with what came."""
    evidence = await examined(question_id, code)
    assert evidence.state == "ok", evidence.message
    return {check.id: str(check.got or check.reason) for check in evidence.failures}
