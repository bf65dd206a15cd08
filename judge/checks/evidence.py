"""An answer -> what executing it showed. Our own trouble is never a failed check."""

import asyncio
from collections.abc import Mapping

from judge.checks.checking import UNKNOWN_STATES, Check, CheckResult, Evidence, EvidenceState, all_not_run
from judge.checks.lacking import needs_newer_syntax
from judge.checks.lanes import Lanes
from judge.checks.modules import CheckModule, load_checks
from judge.checks.quoting import quoted
from judge.checks.subject import CannotExamine, Place, Subject
from judge.extract.answer import extract
from judge.extract.newer import is_newer
from judge.extract.program import runnable
from judge.extract.source import MAX_PARSED_CHARS
from judge.types import Question
from runner.answer_env import find_answer_env
from runner.errors import SandboxError
from runner.identity import digest
from runner.isolation import Isolation, Level, isolation
from runner.outcomes import Limits

MAX_EXAMINED_CHARS = 60_000
"""Longest answer that is looked at: some fifteen thousand tokens. Reading one takes a second at most, and holds up the others."""


async def examine_answer(
    question: Question,
    answer: str,
    *,
    checks: CheckModule | None = None,
    isolated: Isolation | None = None,
    lanes: Lanes | None = None,
) -> Evidence | None:
    """Run the checks of a question on one answer; ``None`` when the question has no checks.

    ``checks`` None loads the question's own, ``isolated`` None takes what the machine has. Answers that are examined at
    the same time should share ``lanes``.
    """
    module = checks or load_checks(question)
    if module is None:
        return None
    found = isolated or await isolation()
    if found.level == "none":
        return _unable(question, module, "none", f"no isolation: {found.reason}")
    try:
        return await _examine(question, answer, module, found, lanes or Lanes())
    except SandboxError as error:
        return _unable(question, module, found.level, str(error))


async def _examine(question: Question, answer: str, module: CheckModule, found: Isolation, lanes: Lanes) -> Evidence:
    if len(answer) > MAX_EXAMINED_CHARS:
        too_long = f"the answer has {len(answer)} characters; more than {MAX_EXAMINED_CHARS} are not looked at"
        return _unusable(question, module, found, "not_run", too_long)
    # Not in a thread, though it holds up the clocks of other answers: two threads that parse Python at once make CPython 3.11
    # raise SystemError ("AST constructor recursion depth mismatch"). The limit above keeps it short.
    extraction = extract(answer, prompt=question.prompt)
    if extraction.state == "no_code":
        return _unusable(question, module, found, "no_code", extraction.reason)
    evidence = await _examine_code(question, answer, extraction.code, module, found, lanes)
    if extraction.earlier and (evidence.failures or evidence.state not in UNKNOWN_STATES | {"ok"}):
        before = await _examine_code(question, answer, extraction.earlier, module, found, lanes)
        if before.state == "ok" and not before.failures:
            message = "an earlier version in the answer passes, the last one does not, and no words say which counts"
            return _unusable(question, module, found, "ambiguous", message)
    return evidence


async def _examine_code(
    question: Question, answer: str, code: str, module: CheckModule, found: Isolation, lanes: Lanes
) -> Evidence:
    program = runnable(code)
    if len(code) > MAX_PARSED_CHARS:
        return _unusable(question, module, found, "not_run", f"a program of {len(code)} characters is not run")
    if not program.parses and is_newer(program.code):
        return _unusable(question, module, found, "not_run", needs_newer_syntax())
    if not program.parses:
        return _unusable(question, module, found, "syntax_error", program.syntax_error or "it does not compile")
    subject = Subject(question, answer, code, program, _place(module, found), lanes)
    try:
        try:
            await subject.start()
            await module.examine(subject)
        finally:
            await subject.close()
    except CannotExamine as error:
        # A part that could not be loaded is why nothing, or something else, was found.
        reason = subject.reduced if subject.reduced is not None and error.state == "no_entry_point" else error
        return _unusable(question, module, found, reason.state, str(reason), subject)
    return Evidence(
        question_id=question.id,
        state="ok",
        entry_point=_quoted(subject.entry_point),
        notes=tuple(map(quoted, subject.notes)),
        checks=tuple(_result(subject, check) for check in module.checks),
        checks_hash=module.hash,
        isolation=found.level,
        surroundings=surroundings(found),
    )


def _place(module: CheckModule, found: Isolation) -> Place:
    if module.unavailable is not None:
        raise SandboxError(module.unavailable)
    env = find_answer_env(found.jail) if found.jail is not None else None
    # Waiting costs no processor time, so slow calls are no reason for much more of it; imports of theirs are.
    limits = Limits(call_wall_s=module.call_wall_s, cpu_s=max(Limits().cpu_s, round(2 * module.call_wall_s)))
    return Place(found, env, clock=module.clock, network=module.network, limits=limits)


def _result(subject: Subject, check: Check) -> CheckResult:
    return subject.results.get(check.id) or check.not_run("it does not apply to this answer")


def _unusable(
    question: Question,
    module: CheckModule,
    found: Isolation,
    state: EvidenceState,
    message: str,
    subject: Subject | None = None,
) -> Evidence:
    unknown = state in UNKNOWN_STATES
    known = subject.results if subject is not None and not unknown else {}
    return Evidence(
        question_id=question.id,
        state=state,
        message=quoted(message),
        entry_point=_quoted(subject.entry_point) if subject is not None else None,
        notes=tuple(map(quoted, subject.notes)) if subject is not None else (),
        checks=all_not_run(module.checks, message)
        if unknown
        else tuple(_without_a_run(check, state, message, known) for check in module.checks),
        checks_hash=module.hash,
        isolation=found.level,
        surroundings=surroundings(found),
    )


_NOTHING_TO_LOOK_AT: frozenset[EvidenceState] = frozenset({"no_code", "syntax_error", "no_entry_point", "tampered"})
"""States in which there is no source that could be looked at, or none that is to be believed."""


def _without_a_run(check: Check, state: EvidenceState, message: str, known: Mapping[str, CheckResult]) -> CheckResult:
    """What cannot be run fails every check that runs it; what was read off its source stands."""
    if not check.static or state in _NOTHING_TO_LOOK_AT:
        return check.failed(message)
    return known.get(check.id) or check.not_run(message)


def _unable(question: Question, module: CheckModule, level: Level, message: str) -> Evidence:
    return Evidence(
        question_id=question.id,
        state="not_run",
        message=quoted(message),
        checks=all_not_run(module.checks, message),
        checks_hash=module.hash,
        isolation=level,
    )


def surroundings(found: Isolation) -> str | None:
    """Return what an answer has that is executed now: wall, Python, packages; ``None`` when nothing can be executed."""
    if found.jail is None:
        return None
    env = find_answer_env(found.jail)
    packages = sorted(folder.name for folder in env.glob("*.dist-info")) if env is not None else []
    python = ".".join(found.jail.interpreter.version.split(".")[:2])
    return f"{found.level}, Python {python}, packages {digest(packages) if packages else 'none'}"


def is_outdated(evidence: Evidence, found: Isolation) -> bool:
    """True when the answer should be executed again here: in a sandbox at last, or with what it lacked the last time."""
    if found.jail is None:
        return False
    if evidence.state == "not_run":
        return evidence.surroundings != surroundings(found)
    return evidence.isolation == "unsafe" and found.level != "unsafe"


def _quoted(text: str | None) -> str | None:
    return None if text is None else quoted(text)


async def examine_all(
    question: Question, answers: list[str], *, at_once: int = 4, isolated: Isolation | None = None
) -> list[Evidence | None]:
    """Examine many answers to one question, ``at_once`` at a time; results in the order of the answers."""
    lanes = Lanes()
    turn = asyncio.Semaphore(at_once)
    module = load_checks(question)
    found = isolated or await isolation()

    async def one(answer: str) -> Evidence | None:
        async with turn:
            return await examine_answer(question, answer, checks=module, isolated=found, lanes=lanes)

    return list(await asyncio.gather(*map(one, answers)))
