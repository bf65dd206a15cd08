"""What is wanted, what of it is owed, and in which order, so that every model is loaded once. Pure."""

from collections.abc import Collection, Iterable, Sequence

from judge.records import ArmRecord, RunRecord
from judge.types import Question
from judge.units import AnswerUnit, answer_unit
from runner.types import Arm, Value

CHARS_PER_TOKEN = 3.5
"""Rough, for estimates only."""
EXPECTED_ANSWER_TOKENS = 600
"""Of a coding answer, until answers of the arm have been measured."""


class ArmWork(Value):
    """Everything that is wanted of one arm, and what of it is still owed."""

    arm: Arm
    wanted: tuple[AnswerUnit, ...]
    owed: tuple[AnswerUnit, ...]


def questions_of(run: RunRecord) -> list[Question]:
    """Return the questions of the run in the order of the suite."""
    return [question for question in run.suite.questions if question.id in run.question_ids]


def wanted_answers(
    run: RunRecord, record: ArmRecord, questions: Sequence[Question] | None = None
) -> tuple[AnswerUnit, ...]:
    """Return the units that the run wants of an arm, of all its questions or of some, in the order in which they are asked:
    all questions of sample 0, then of sample 1 ...

    Asking the same question twice in a row would let the server reuse the whole prompt, and the time to first token would
    be that of an empty prefill.
    """
    asked = [(q, run.samples_of(record, q)) for q in (questions_of(run) if questions is None else questions)]
    return tuple(
        answer_unit(record.arm, question, record.sampling, sample)
        for sample in range(max((samples for _, samples in asked), default=0))
        for question, samples in asked
        if sample < samples
    )


def arm_work(arm: Arm, wanted: Sequence[AnswerUnit], stored: Collection[str]) -> ArmWork:
    """Return the set difference wanted - stored, in order."""
    return ArmWork(arm=arm, wanted=tuple(wanted), owed=tuple(unit for unit in wanted if unit.key not in stored))


class Estimate(Value):
    """How long the collection of one arm may take."""

    arm: str
    owed: int
    decode_tps: float | None
    """Measured, else expected by models.yaml; ``None``: unknown."""
    source: str
    """``measured``, ``models.yaml`` or ``unknown``."""
    tokens: int
    seconds: float | None
    """``None`` when no speed is known."""


def estimate(
    work: ArmWork, measured_tps: Sequence[float], lengths: Sequence[int], expected_tps: float | None
) -> Estimate:
    """Estimate from measured decode speeds and answer lengths (tokens) of this arm where there are any."""
    tps, source = _speed(measured_tps, expected_tps)
    mean_tokens = sum(lengths) / len(lengths) if lengths else EXPECTED_ANSWER_TOKENS
    tokens = round(len(work.owed) * mean_tokens)
    return Estimate(
        arm=work.arm.id,
        owed=len(work.owed),
        decode_tps=tps,
        source=source,
        tokens=tokens,
        seconds=tokens / tps if tps else None,
    )


def _speed(measured: Sequence[float], expected: float | None) -> tuple[float | None, str]:
    if measured:
        return sorted(measured)[len(measured) // 2], "measured"
    return (expected, "models.yaml") if expected else (None, "unknown")


def total_seconds(estimates: Iterable[Estimate]) -> float | None:
    """Sum of all estimates; ``None`` as soon as one of them is unknown."""
    seconds = [estimate.seconds for estimate in estimates if estimate.owed]
    return sum(s for s in seconds if s is not None) if all(s is not None for s in seconds) else None
