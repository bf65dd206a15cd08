"""One answer outside of any run, scored by a judge that is open: the way of the pipeline, and nothing is stored."""

from collections.abc import Sequence

from judge.checks.checking import Evidence
from judge.grounding import findings, shown_hash
from judge.pipeline.bench import OpenJudge
from judge.prefilter import is_no_answer, no_answer_verdicts
from judge.records import JudgeRecord
from judge.types import JudgeCall, JudgeFailure, Judgement, Question
from runner.identity import digest
from runner.types import Value


class AdHoc(Value):
    """What is to be scored."""

    question: Question
    rubric_hash: str
    """Of what a judge is told to score the question by."""
    answer: str
    shown: Evidence | None
    """What the judge is told of the execution; ``None``: nothing."""

    @property
    def needs_judge(self) -> bool:
        """False for a text that is no answer: that is the lowest score without asking anybody."""
        return not is_no_answer(self.answer)

    @property
    def key(self) -> str:
        """Identity of the answer: the same text to the same question."""
        return digest(["ad hoc", self.question.prompt_hash, self.answer])


def without_judge(asked: AdHoc, judge: JudgeRecord) -> Judgement:
    """Return the lowest score on everything, as every run gives it to a text that is no answer."""
    verdicts = no_answer_verdicts(asked.question)
    call = _call(asked, judge, 0)
    return Judgement(
        answer_unit=asked.key, call=call, verdicts=verdicts, replies=(), repaired=False, latency_s=0.0
    )  # fmt: skip


async def scored(
    asked: AdHoc, judge: JudgeRecord, bench: OpenJudge, replicates: int
) -> Sequence[Judgement | JudgeFailure]:
    """Return one outcome a replicate, asked for one after the other. Raises AccessDenied."""
    told = findings(asked.shown, asked.question)
    calls = [_call(asked, judge, replicate) for replicate in range(replicates)]
    return [await bench.grade(asked.question, asked.key, asked.answer, call, told) for call in calls]


def _call(asked: AdHoc, judge: JudgeRecord, replicate: int) -> JudgeCall:
    return JudgeCall(
        judge=judge.name,
        judge_fingerprint=judge.fingerprint,
        prompt_hash=judge.prompt_hash,
        rubric_hash=asked.rubric_hash,
        mode=judge.mode,
        replicate=replicate,
        evidence=shown_hash(asked.shown, asked.question),
    )
