"""The check modules: trusted Python files ``rubrics/checks/<test>.py``, one a question, that say what is looked at.

A module defines ``QUESTION`` (the id), ``CHECKS`` (a tuple of ``Check``), ``examine`` (``async def examine(subject)``),
and where needed ``CLOCK``, ``NETWORK`` and ``CALL_WALL_S``. Expected values, comparison and verdict live here, outside
of the sandbox.
"""

import importlib.util
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import as_file
from importlib.resources.abc import Traversable
from types import ModuleType
from typing import cast

from judge.checks.checking import Check
from judge.checks.subject import Subject
from judge.checks.version import checks_version
from judge.errors import UserError
from judge.library import shipped
from judge.types import Question
from runner.protocol import Clock
from runner.sandbox import Network

Examine = Callable[[Subject], Awaitable[None]]


@dataclass(frozen=True)
class CheckModule:
    """The checks of one question."""

    test: str
    checks: tuple[Check, ...]
    examine: Examine
    hash: str
    """Version of the checks: see ``judge.checks.version``."""
    clock: Clock = "real"
    network: Network = "none"
    call_wall_s: float = 2.0
    """Wall-clock limit of one call."""


def load_checks(question: Question, folder: Traversable | None = None) -> CheckModule | None:
    """Return the checks of a question, ``None`` when it has none; ``folder`` None takes the project's own.

    Raises UserError when the file is not what a check module is.
    """
    file = (folder or shipped("rubrics") / "checks").joinpath(f"{question.test}.py")
    if not file.is_file():
        return None
    module = _imported(file, question.test)
    checks = cast(tuple[Check, ...], _defined(module, "CHECKS"))
    _validate(file.name, question, module, checks)
    return CheckModule(
        test=question.test,
        checks=checks,
        examine=cast(Examine, _defined(module, "examine")),
        hash=checks_version(file.read_text(encoding="utf-8")),
        clock=getattr(module, "CLOCK", "real"),
        network=getattr(module, "NETWORK", "none"),
        call_wall_s=getattr(module, "CALL_WALL_S", 2.0),
    )


def _imported(file: Traversable, test: str) -> ModuleType:
    with as_file(file) as path:
        spec = importlib.util.spec_from_file_location(f"judge_checks_{test}", path)
        if spec is None or spec.loader is None:
            raise UserError(f"{path} cannot be loaded as Python: is it a .py file?")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def _defined(module: ModuleType, name: str) -> object:
    if not hasattr(module, name):
        raise UserError(f"{module.__file__} defines no {name}: see the other files in its folder")
    return getattr(module, name)


def _validate(file: str, question: Question, module: ModuleType, checks: tuple[Check, ...]) -> None:
    if _defined(module, "QUESTION") != question.id:
        raise UserError(f"{file} is for {module.QUESTION!r}, but stands at the place of {question.id!r}")
    known = {criterion.id for criterion in question.criteria}
    unknown = {name for check in checks for name in check.criteria} - known
    if unknown:
        raise UserError(f"{file} names criteria that {question.id} does not have: {', '.join(sorted(unknown))}")
    ids = [check.id for check in checks]
    if len(ids) != len(set(ids)):
        raise UserError(f"{file} has two checks with one id among {', '.join(ids)}")
