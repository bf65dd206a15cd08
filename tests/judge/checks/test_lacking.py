"""Exceptions that say something about this machine, and exceptions that say something about the answer."""

import pytest

from judge.checks.lacking import absent_module, lacking, lacking_while_loading
from runner.outcomes import Raised


def raised(error: BaseException) -> Raised:
    bases = tuple(base.__name__ for base in type(error).__mro__)
    return Raised(type=bases[0], bases=bases, message=str(error), line=1)


OURS = [
    ModuleNotFoundError("No module named 'sympy'"),
    ModuleNotFoundError("No module named 'sklearn.metrics'"),
    ModuleNotFoundError("No module named 'annotationlib'"),
    ImportError("cannot import name 'override' from 'typing' (/usr/lib/python3.11/typing.py)"),
    AttributeError("module 'itertools' has no attribute 'batched'"),
    OSError("[Errno 30] Read-only file system: '/work/a.log'"),
    BlockingIOError("[Errno 11] Resource temporarily unavailable"),
    FileNotFoundError("[Errno 2] No usable temporary directory found in ['/tmp', '/work']"),
    NameError("name 'np' is not defined"),
]
ITS_OWN = [
    ModuleNotFoundError("No module named 'nosuchmodule'"),
    ImportError("cannot import name 'memoize' from 'functools' (/usr/lib/python3.11/functools.py)"),
    AttributeError("module 'math' has no attribute 'factorials'"),
    AttributeError("'Stack' object has no attribute 'items'"),
    FileNotFoundError("[Errno 2] No such file or directory: 'config.json'"),
    NameError("name 'Optional' is not defined"),
    ValueError("No module named 'sympy'"),
    EOFError("EOF when reading a line"),
]


@pytest.mark.parametrize("error", OURS, ids=str)
def test_what_this_machine_lacks_is_named(error: BaseException) -> None:
    reason = lacking(raised(error), frozenset({"np"}))
    assert reason is not None and "\n" not in reason


@pytest.mark.parametrize("error", ITS_OWN, ids=str)
def test_a_mistake_of_the_answer_stays_one(error: BaseException) -> None:
    assert lacking(raised(error), frozenset({"np"})) is None


@pytest.mark.parametrize(
    ("error", "is_ours"),
    [
        (EOFError("EOF when reading a line"), True),
        (FileNotFoundError("[Errno 2] No such file or directory: '/work/logs/app.log'"), True),
        (FileNotFoundError("[Errno 2] No such file or directory"), True),
        (FileNotFoundError("[Errno 2] No such file or directory: 'config.json'"), False),
        (NameError("name 'Optional' is not defined"), False),
    ],
    ids=str,
)
def test_while_an_answer_is_loaded_nobody_types_and_no_folder_can_be_made(error: BaseException, is_ours: bool) -> None:
    assert (lacking_while_loading(raised(error)) is not None) is is_ours


def test_an_import_that_failed_names_what_it_wanted() -> None:
    assert absent_module(raised(OURS[0])) == "sympy"
    assert absent_module(raised(OURS[3])) == "override"
    assert absent_module(raised(NameError("name 'x' is not defined"))) is None
