"""What is wanted, what of it is owed, and in which order, so that every model is loaded once. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from judge.records import ArmRecord, RunRecord
from judge.types import Question
from judge.units import AnswerUnit, answer_keys, answer_unit
from runner.types import Arm, Value

CHARS_PER_TOKEN = 3.5
"""Rough, for estimates only."""
EXPECTED_ANSWER_TOKENS = 600
"""Of a coding answer, until answers of the arm have been measured."""
EXPECTED_SCORING_TOKENS = 500
"""Of all verdicts about an answer, until scorings of the judge have been measured."""
PRIOR_UNITS = 2.0
"""How much an estimate weighs against units that were seen."""


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
    return tuple(each_wanted_answer(run, record, questions))


def each_wanted_answer(
    run: RunRecord, record: ArmRecord, questions: Sequence[Question] | None = None
) -> Iterator[AnswerUnit]:
    """Yield ``wanted_answers`` one by one: a unit takes kilobytes, and there may be a hundred thousand."""
    asked = [(q, run.samples_of(record, q)) for q in (questions_of(run) if questions is None else questions)]
    for sample in range(max((samples for _, samples in asked), default=0)):
        for question, samples in asked:
            if sample < samples:
                yield answer_unit(record.arm, question, record.sampling, sample)


class WantedKey(NamedTuple):
    """The identity of one unit that is wanted, where nothing else of it is."""

    key: str
    question: Question
    sample: int


def each_wanted_key(
    run: RunRecord, record: ArmRecord, questions: Sequence[Question] | None = None
) -> Iterator[WantedKey]:
    """Yield the keys of ``wanted_answers`` in their order, at a tenth of the time."""
    asked = [
        (question, run.samples_of(record, question), answer_keys(record.arm, question, record.sampling))
        for question in (questions_of(run) if questions is None else questions)
    ]
    for sample in range(max((samples for _, samples, _ in asked), default=0)):
        for question, samples, key_of in asked:
            if sample < samples:
                yield WantedKey(key_of(sample), question, sample)


def arm_work(arm: Arm, wanted: Sequence[AnswerUnit], stored: Collection[str]) -> ArmWork:
    """Return the set difference wanted - stored, in order."""
    return ArmWork(arm=arm, wanted=tuple(wanted), owed=tuple(unit for unit in wanted if unit.key not in stored))


class Estimate(Value):
    """How long one model's part of a run may take: the answers of an arm, the exam of a judge, or its scorings."""

    arm: str
    """The arm, or the judge."""
    phase: Literal["collect", "exam", "score"] = "collect"
    loads: bool = True
    """True when a server has to be loaded for it; of a judge that is examined and then scores, it is loaded for the exam."""
    owed: int
    """Answers, or scorings: those that are owed now and those of answers that are still to be collected. Of an exam, those that
    it takes at most: it ends as soon as it cannot be passed any more."""
    decode_tps: float | None
    """Measured, else expected by models.yaml; ``None``: unknown, or not what the time is computed from."""
    source: str
    """``measured``, ``models.yaml`` or ``unknown``."""
    tokens: int
    """To be generated."""
    seconds: float | None
    """``None`` when no speed is known. Loading is not in it."""
    in_flight: int = 1
    """Requests at a time that are reckoned with."""
    in_flight_assumed: bool = False
    """True where an endpoint may take more at a time, and that is found out only when it is asked."""


class Seen(Value):
    """What the stored work of one model says about the rest of it; empty when there is none."""

    tps: tuple[float, ...] = ()
    """Decode speeds, tokens per second."""
    tokens: tuple[float, ...] = ()
    """Generated per answer or scoring."""
    seconds: tuple[float, ...] = ()
    """Per scoring, over all its requests."""


def estimate(
    arm: Arm, owed: int, measured_tps: Sequence[float], lengths: Sequence[float], expected_tps: float | None
) -> Estimate:
    """Estimate from measured decode speeds and answer lengths (tokens) of this arm where there are any."""
    tps, source = _speed(measured_tps, expected_tps)
    tokens = _tokens(owed, lengths, EXPECTED_ANSWER_TOKENS)
    return Estimate(
        arm=arm.id,
        loads=owed > 0,
        owed=owed,
        decode_tps=tps,
        source=source,
        tokens=tokens,
        seconds=tokens / tps if tps else None,
    )


def judge_estimate(
    judge: str, owed: int, seen: Seen, expected_tps: float | None, *, local: bool, in_flight: int, assumed: bool = False
) -> Estimate:
    """Estimate from the seconds that this judge's scorings took, else from its expected speed; ``in_flight`` run at a time.

    ``assumed``: nobody said so, and what its endpoints take is found out when they are asked.
    """
    tokens = _tokens(owed, seen.tokens, EXPECTED_SCORING_TOKENS)
    seconds: float | None
    if seen.seconds:
        seconds, source = owed * sum(seen.seconds) / len(seen.seconds) / in_flight, "measured"
    else:
        seconds, source = (tokens / expected_tps, "models.yaml") if expected_tps else (None, "unknown")
    return Estimate(
        arm=judge,
        phase="score",
        loads=local and owed > 0,
        owed=owed,
        decode_tps=None if seen.seconds else expected_tps,
        source=source,
        tokens=tokens,
        seconds=seconds,
        in_flight=in_flight,
        in_flight_assumed=assumed,
    )


def _tokens(owed: int, lengths: Sequence[float], expected: int) -> int:
    return round(owed * (sum(lengths) / len(lengths) if lengths else expected))


def _speed(measured: Sequence[float], expected: float | None) -> tuple[float | None, str]:
    if measured:
        return sorted(measured)[len(measured) // 2], "measured"
    return (expected, "models.yaml") if expected else (None, "unknown")


def total_seconds(estimates: Iterable[Estimate]) -> float | None:
    """Sum of all estimates; ``None`` as soon as one of them is unknown."""
    seconds = [estimate.seconds for estimate in estimates if estimate.owed]
    return sum(s for s in seconds if s is not None) if all(s is not None for s in seconds) else None


def seconds_left(expected_s: float | None, owed: int, done: int, elapsed_s: float) -> float | None:
    """Return how long the rest of ``owed`` units takes after ``done`` of them took ``elapsed_s``; ``None``: nothing is known.

    The estimate counts as much as PRIOR_UNITS units that were seen, so it gives way to what happens.
    """
    if done >= owed:
        return 0.0
    if expected_s is None:
        return (owed - done) * elapsed_s / done if done else None
    each_s = (PRIOR_UNITS * expected_s / owed + elapsed_s) / (PRIOR_UNITS + done) if done else expected_s / owed
    return (owed - done) * each_s
