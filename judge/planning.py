"""The plan of a run: what it owes, and how long that may take by what is stored, else by models.yaml. Reads the store only."""

import itertools
from collections.abc import Mapping, Sequence

from judge.exam.result import ExamSize
from judge.pipeline import count_owed_answers, count_owed_exam, count_owed_scorings, has_scorings, judged_arms
from judge.plan import CHARS_PER_TOKEN, Estimate, Seen, each_wanted_key, estimate, judge_estimate
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.store import Store
from runner.timing import timing

LOOKED_AT = 200
"""Answers or scorings of a model that an estimate is made from: more would not make it better."""
ExpectedTps = Mapping[str, Mapping[str, float]]
"""Model of models.yaml -> config -> decode tokens per second."""


def plan_run(
    run: RunRecord, store: Store, expected: ExpectedTps, *, in_flight: int | None = None, exam: ExamSize | None = None
) -> tuple[Estimate, ...]:
    """Return one estimate a model, in the order in which they work: every arm, then every judge, its exam before its scorings.

    ``in_flight``: requests at a time at the endpoints of a judge; ``None``: they find that out, and one at each is assumed:
    a llama-cpp-python server takes no more, so the estimate may be too long, and is not too short for that reason.
    ``exam``: what a judge takes before its first scores; ``None``: none.
    """
    arms = {record.arm.id: _arm_estimate(run, record, store) for record in run.arms if record.model}
    later = {name: part.owed for name, part in arms.items()}
    judges = [_judge_estimates(run, judge, store, later, expected, in_flight, exam) for judge in run.judges]
    return (*arms.values(), *itertools.chain.from_iterable(judges))


def _arm_estimate(run: RunRecord, record: ArmRecord, store: Store) -> Estimate:
    speculative = record.arm.config.draft_tokens is not None
    keys = [one.key for one in itertools.islice(each_wanted_key(run, record), LOOKED_AT)]
    found = [timing(answer, speculative=speculative) for _, answer in store.answers(keys) if answer.scorable]
    tps = [one.decode_tps for one in found if one.decode_tps is not None]
    lengths = [one.completion_tokens for one in found if one.completion_tokens is not None]
    return estimate(
        record.arm,
        count_owed_answers(run, record, store),
        tps,
        lengths,
        record.entry.expected_tps.get(record.arm.config.name),
    )


def _judge_estimates(
    run: RunRecord,
    judge: JudgeRecord,
    store: Store,
    later: Mapping[str, int],
    expected: ExpectedTps,
    in_flight: int | None,
    exam: ExamSize | None,
) -> list[Estimate]:
    """Return the estimate of its exam, where one is owed, and of its scorings; ``later``: answers that each arm still owes."""
    views = 2 if judge.also_blind and run.checks else 1
    answers = sum(later.get(record.arm.id, 0) for record in judged_arms(run, judge))
    owed = count_owed_scorings(run, judge, store) + answers * judge.replicates * views
    is_examined = exam is not None and (owed > 0 or has_scorings(run, judge, store))
    examined = count_owed_exam(run, judge, store, exam) if exam is not None and is_examined else 0
    scored = _judge_estimate(judge, store, owed, expected, in_flight)
    if not examined:
        return [scored]
    first = _judge_estimate(judge, store, examined, expected, in_flight).model_copy(update={"phase": "exam"})
    return [first, scored.model_copy(update={"loads": False})]


def _judge_estimate(
    judge: JudgeRecord, store: Store, owed: int, expected: ExpectedTps, in_flight: int | None
) -> Estimate:
    local = judge.model is not None
    tps = expected.get(judge.name, {}).get(judge.config)
    assumed = not local and in_flight is None
    at_once = len(judge.endpoints) if assumed else in_flight or 1
    seen = _seen(judge, store)
    return judge_estimate(judge.name, owed, seen, tps, local=local, in_flight=1 if local else at_once, assumed=assumed)


def _seen(judge: JudgeRecord, store: Store) -> Seen:
    told = [one for one in store.newest_judgements(judge.fingerprint, LOOKED_AT) if one.replies]
    return Seen(
        tokens=tuple(float(one.completion_tokens or _length(one.replies)) for one in told),
        seconds=tuple(one.latency_s for one in told),
    )


def _length(replies: Sequence[str]) -> float:
    return sum(map(len, replies)) / CHARS_PER_TOKEN
