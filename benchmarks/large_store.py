"""A large store: several runs with answers, evidence, judgements, queues and ratings, written by the store's own code.

Nothing in it was asked of a model. The texts are as long as real ones, and every verdict follows from seeded random numbers.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from judge.checks.checking import CheckResult, Evidence
from judge.checks.modules import load_checks
from judge.library import load_suite
from judge.machine import environment
from judge.pipeline import wanted_scorings
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.request import check_hashes
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now
from judge.types import Grade, JudgeCall, Judgement, ModelEntry, Question, Suite, Verdict
from runner.types import (
    Answer,
    AnswerState,
    Arm,
    Config,
    Endpoint,
    ModelFile,
    Sampling,
    ServerTiming,
    Serving,
    Stamps,
    Usage,
)

CONFIGS = ("baseline", "moe6", "moe4", "moe2")
JUDGES = 10
BATCH = 500
"""Judgements a transaction."""
PER_ARM = 15
"""Units an arm that are drawn for people."""
RATED = 40
"""Items of the largest run that two people have rated."""
GRADES: tuple[Grade, ...] = (1, 2, 3, 4, 5)
PROSE = "The function validates its input first, walks over it once, and keeps what it has seen in a dictionary. "
CODE = '''Here is the function:

```python
def solve(values: list[int], limit: int = {number}) -> list[int]:
    """Return the values up to a limit, each once, in the order in which they came."""
    if limit < 0:
        raise ValueError("a limit is not negative")
    seen: dict[int, int] = {{}}
    for place, value in enumerate(values):
        if value <= limit and value not in seen:
            seen[value] = place  # {number}
    return list(seen)
```

'''


@dataclass(frozen=True)
class Shape:
    """How large one run is: it asks all questions of the suite."""

    arms: int
    samples: int
    judges: int = JUDGES


def shapes(answers: int) -> tuple[Shape, ...]:
    """Return runs with about that many answers together: one with four fifths of them, and two smaller ones."""
    questions = len(load_suite().ids)
    return (
        Shape(arms=2, samples=max(1, answers // 10 // questions // 2)),
        Shape(arms=5, samples=max(1, answers // 10 // questions // 5)),
        Shape(arms=10, samples=max(1, answers * 8 // 10 // questions // 10)),
    )


def fill(store: Store, answers: int) -> list[RunRecord]:
    """Store runs with about ``answers`` answers and ten judgements each, and return them, the largest last."""
    suite, runs = load_suite(), []
    for number, shape in enumerate(shapes(answers)):
        run = large_run(suite, number, shape)
        _fill_run(store, run, random.Random(number))
        runs.append(run)
    return runs


def large_run(suite: Suite, number: int, shape: Shape) -> RunRecord:
    """Return a run of that shape whose arms and judges no other has."""
    return RunRecord(
        id=f"20261{number}01-120000-00{number:02}",
        created_at=f"2026-1{number}-01T12:00:00.000000+00:00",
        command=("judge", "run", "--candidate", "large"),
        suite=suite,
        question_ids=suite.ids,
        samples=shape.samples,
        arms=tuple(_arm(number, index, suite) for index in range(shape.arms)),
        judges=tuple(_judge(number, index) for index in range(shape.judges)),
        checks=check_hashes(suite, suite.ids),
        environment=environment(),
    )


def _arm(run: int, index: int, suite: Suite) -> ArmRecord:
    name, config = f"candidate_{run}_{index // len(CONFIGS)}", CONFIGS[index % len(CONFIGS)]
    model = ModelFile(
        path=f"/models/{name}.gguf",
        parts=1,
        size_bytes=18_000_000_000,
        architecture="qwen3moe",
        name=name,
        quantisation="Q4_K_M",
        parameters=30_000_000_000,
        context_length=262_144,
        expert_count=128,
        expert_used_count=8,
        fingerprint=f"file of {name}",
    )
    entry = ModelEntry(
        id=name,
        model=f"{name}-30B",
        status="ready",
        arch="qwen3moe",
        family="qwen",
        configs=CONFIGS,
        role=suite.roles[0].id if index == 0 else None,
    )
    arm = Arm(
        candidate=name,
        config=Config.parse(config),
        model_fingerprint=model.fingerprint,
        serving=Serving(n_threads=8),
    )
    return ArmRecord(arm=arm, model=model, entry=entry, sampling=Sampling())


def _judge(run: int, index: int) -> JudgeRecord:
    name = f"judge_{run}_{index}"
    return JudgeRecord(
        name=name,
        family=("mistral", "llama", "qwen")[index % 3],
        fingerprint=f"print of {name}",
        endpoint=Endpoint(base_url="http://127.0.0.1:1/v1", model=name),
        model=None,
        sampling=Sampling(temperature=0),
        prompt_hash="prompts",
    )


# --- what is stored of a run ----------------------------------------------------------------------------------------


def _fill_run(store: Store, run: RunRecord, chance: random.Random) -> None:
    store.add_run(run)
    evidence: dict[str, Evidence] = {}
    for record in run.arms:
        for unit in wanted_answers(run, record):
            store.add_answer(run.id, unit, _answer(unit.question_id, unit.sample, unit.sampling, chance))
            evidence[unit.key] = _evidence(run.suite.question(unit.question_id), run, chance)
            store.add_evidence(run.id, unit.key, evidence[unit.key])
    for batch in _batches(_judgements(run, evidence, chance)):
        store.add_outcomes(run.id, batch)
    store.set_run_state(run.id, "complete")


def queue_and_rate(store: Store, run: RunRecord) -> None:
    """Have the queues of a run made, and some of it rated by two people."""
    make_queues(run, store, per_arm=PER_ARM, seed=1)
    chance = random.Random(run.id)
    for item in queues_of(run, store).items[:RATED]:
        for rater in ("ann", "bob"):
            say(store, item, rater, utc_now(), score=chance.choice(GRADES), comment="as it seems to me")


def _answer(question: str, sample: int, sampling: Sampling, chance: random.Random) -> Answer:
    tokens = chance.randrange(300, 900)
    eval_s = tokens / chance.uniform(28, 36)
    stamps = Stamps(sent_s=1.0, first_token_s=1.4, last_token_s=1.4 + eval_s, ended_s=1.5 + eval_s)
    text = CODE.format(number=chance.randrange(1000)) + PROSE * chance.randrange(4, 12)
    return Answer(
        prompt_id=question,
        sample=sample,
        sampling=sampling,
        state=AnswerState.LENGTH if chance.random() < 0.03 else AnswerState.OK,
        text=text,
        finish_reason="stop",
        stamps=stamps,
        usage=Usage(prompt_tokens=180, completion_tokens=tokens, source="usage"),
        server_timing=ServerTiming(
            prompt_ms=350.0, prompt_tokens=180, reused_tokens=0, eval_ms=eval_s * 980, eval_steps=tokens - 1
        ),
    )


@cache
def _checks(question: Question) -> tuple[tuple[CheckResult, CheckResult], ...]:
    module = load_checks(question)
    assert module is not None, f"{question.id} has no checks"
    return tuple(
        (check.passed(), check.failed("wrong result", input="solve([1, 1], 2)", expected="[1]", got="[1, 1]"))
        for check in module.checks
    )


def _evidence(question: Question, run: RunRecord, chance: random.Random) -> Evidence:
    failing = chance.choice((0.0, 0.0, 0.1, 0.4))
    return Evidence(
        question_id=question.id,
        state="ok",
        entry_point="solve(values)",
        checks=tuple(both[chance.random() < failing] for both in _checks(question)),
        checks_hash=run.checks[question.id],
        isolation="bwrap",
        surroundings="bwrap, Python 3.11",
    )


def _judgements(run: RunRecord, evidence: dict[str, Evidence], chance: random.Random) -> Iterator[Judgement]:
    for index, judge in enumerate(run.judges):
        weights = (2 + index % 3, 2, 4, 8, 12 - index)
        for task in wanted_scorings(run, judge, evidence):
            yield _judgement(task.question, task.answer_key, task.call, weights, chance)


def _judgement(
    question: Question, answer: str, call: JudgeCall, weights: tuple[int, ...], chance: random.Random
) -> Judgement:
    verdicts = tuple(
        Verdict(
            criterion=criterion.id,
            score=grade if chance.random() > 0.002 else None,
            evidence="if limit < 0: raise ValueError",
            reasoning=f"{PROSE}So far as {criterion.name.lower()} goes, that deserves {grade}.",
        )
        for criterion in question.criteria
        for grade in chance.choices(GRADES, weights)
    )
    return Judgement(
        answer_unit=answer,
        call=call,
        verdicts=verdicts,
        replies=(f'{{"verdicts": "{PROSE * 6}"}}',),
        repaired=False,
        latency_s=2.5,
        prompt_tokens=1500,
        completion_tokens=300,
        reused_tokens=900,
    )


def _batches(judgements: Iterator[Judgement]) -> Iterator[list[Judgement]]:
    batch: list[Judgement] = []
    for one in judgements:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
