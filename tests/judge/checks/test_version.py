"""Which changes of our code make stored evidence owed again, and which do not."""

import sys
from pathlib import Path

import pytest

import judge.checks
from judge.checks.modules import load_checks
from judge.checks.version import checks_version, code_identity, modules_behind
from judge.library import load_suite
from judge.shipped import shipped

SUITE = load_suite()
SOURCES = {
    q.id: (shipped("rubrics") / "checks" / f"{q.test}.py").read_text(encoding="utf-8")
    for q in SUITE.questions
}  # fmt: skip
FACTORIAL = SOURCES["C-T1-Q1"]
PROGRAM = """
class Case:
    '''One.'''
    n: int
    '''Unit.'''
    def check(self, x):
        '''Says.'''
        return x in {1, "a", (2, None)} and x > 1.5
"""


@pytest.mark.parametrize(
    "same",
    [
        "# about\n" + PROGRAM,
        PROGRAM.replace("return x", "\n\n        return (  # why\n            x").replace("1.5", "1.5\n        )"),
        PROGRAM.replace("One.", "Another, in\n    two lines."),
        PROGRAM.replace("Says.", "Returns."),
        PROGRAM.replace("Unit.", "Its unit."),
    ],
)
def test_comments_layout_and_docstrings_change_nothing(same: str) -> None:
    assert code_identity(same) == code_identity(PROGRAM)


@pytest.mark.parametrize(
    ("old", "new"), [("1.5", "1.6"), ("x >", "x >="), ('"a"', '"b"'), ("self, x", "self, x=1"), ("None", "0")]
)
def test_what_changes_behaviour_changes_the_version(old: str, new: str) -> None:
    assert code_identity(PROGRAM.replace(old, new)) != code_identity(PROGRAM)


def test_the_version_counts_everything_that_an_examination_runs_through_and_nothing_else() -> None:
    behind = modules_behind(FACTORIAL)
    assert {"judge.checks.evidence", "judge.checks.entry", "judge.checks.hints", "judge.checks.subject"} <= behind
    assert {
        "judge.extract",
        "judge.extract.choice",
        "judge.extract.program",
        "runner.sandbox",
        "runner.protocol",
    } <= behind
    others = ("judge.checks.mutation", "judge.checks.limiter_entry", "runner.serve", "runner.types", "judge.grounding")
    assert behind.isdisjoint(others)
    assert "judge.checks.limiter_entry" in modules_behind(SOURCES["C-T3-Q2"])
    every = frozenset().union(*map(modules_behind, SOURCES.values()))
    files = {f"judge.checks.{file.stem}" for file in Path(judge.checks.__file__).parent.glob("[!_]*.py")}
    around = {"judge.checks.apart", "judge.checks.mutation"}
    assert files - every == around, "a file that finds out about answers is part of the version"


def test_a_check_file_has_the_same_version_after_a_comment_and_another_after_a_change() -> None:
    version = load_checks(SUITE.question("C-T1-Q1")).hash
    assert version == checks_version(FACTORIAL) == checks_version(f"# a comment\n{FACTORIAL}\n# another\n")
    assert version != checks_version(FACTORIAL.replace("_SEED = 20", "_SEED = 21"))


def test_the_python_that_reads_answers_is_part_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    version = checks_version(FACTORIAL)
    checks_version.cache_clear()
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    assert checks_version(FACTORIAL) != version
    checks_version.cache_clear()
