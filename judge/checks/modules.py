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
from typing import cast, get_args

from judge.checks.checking import Check
from judge.checks.subject import Subject
from judge.checks.version import checks_version
from judge.errors import UserError
from judge.shipped import shipped
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
    unavailable: str | None = None
    """What the checks ask for and no sandbox offers, one line: no answer can be executed. ``None``: nothing."""


_NOT_OFFERED = {"ALLOW_PROCESSES": "answers that start processes", "WRITABLE_MB": "files that answers write"}
"""Limits hold for each process and not for all, and a writable file system takes memory that no limit counts."""


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
        unavailable=_unavailable(module),
    )


def _unavailable(module: ModuleType) -> str | None:
    network, offered = getattr(module, "NETWORK", "none"), get_args(Network)
    asked = [what for name, what in _NOT_OFFERED.items() if getattr(module, name, None)]
    if network not in offered:
        asked.append(f"the network {network!r} (there is {' and '.join(map(repr, offered))})")
    return f"the checks ask for what no sandbox offers: {', '.join(asked)}" if asked else None


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
