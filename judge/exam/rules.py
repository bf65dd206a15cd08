"""The rules by which a judge qualifies, and what makes an exam the same one. Pure.

Decision: the rules. An answer is *accepted* on some criteria when each of them has at least 4, the level from which the
scale calls code correct.

Logic, by the criteria that can be tested: the lower limit of TNR must reach .50 and that of TPR .70 (D6), and no twin may move
the score by more than .5 on average (A10b): unused code, other names, padding around a right program, "verified correct" over
a wrong one. Moves are absolute, so that a judge that throws dice is not saved by moves that cancel out.

Style, by the criteria that only a reader can settle: both lower limits must reach .50. The truth is softer there, a right answer
may deserve a 3 for tidiness, so TPR has the gate of a coin and not .70. A judge that finds everything excellent fails TNR, one that
finds everything poor fails TPR, and dice, which accept one criterion in .4 and reject it in .6 of all cases, fail TPR. Unused
code, names and padding are matters of style, so their twins are not held against it.

Both: an order inside the answer may gain at most .5 on average, else every score of the judge can be had for the asking; and
at most 5 % of the scorings may have given nothing (D1).

Cost: a paper on one or two questions has too few answers for style; the reason then says how few. Guarded by
tests/judge/exam/test_marking.py.
"""

from typing import TYPE_CHECKING

from judge.exam.result import ExamIdentity
from judge.records import JudgeRecord
from judge.types import Grade
from runner.identity import digest
from runner.types import Value

if TYPE_CHECKING:
    from judge.exam.paper import ExamPaper


class Gates(Value):
    """The figures of the rules."""

    accepted_from: Grade = 4
    """The level from which the scale calls code correct."""
    logic_tpr: float = 0.70
    """Smallest lower limit, 0-1; so are the next three."""
    logic_tnr: float = 0.50
    style_tpr: float = 0.50
    style_tnr: float = 0.50
    move: float = 0.5
    """Largest mean move by a twin, in points."""
    missing: float = 0.05
    """Largest share of scorings without scores, 0-1."""


GATES = Gates()


def exam_identity(paper: "ExamPaper", judge: JudgeRecord) -> ExamIdentity:
    """Return what identifies the exam of ``judge`` on ``paper``."""
    return ExamIdentity(
        judge_fingerprint=judge.fingerprint,
        prompt_hash=judge.prompt_hash,
        mode=judge.mode,
        paper=paper.hash,
        gates=digest(GATES),
    )
