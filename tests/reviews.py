"""A run with answers, evidence and judgements, as the tests of human labels need it. Every name in it is unmistakable."""

from collections.abc import Callable, Sequence

from examples import answer, arm, judgement, question, suite

from judge.checks.checking import Check, Evidence
from judge.pipeline import wanted_scorings
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.store import Store
from judge.types import Grade, ModelEntry, Verdict
from judge.units import AnswerUnit
from runner.types import Endpoint, Sampling

SECRETS = ("zebra", "Zebrafish", "moe4", "baseline", "umbrella", "run-77")
"""Names of candidate, model, configs, judge and run: a rater must see none of them."""
CHECKS = "checks-hash"
QUESTIONS = tuple(
    question(f"C-{tier}-Q{n}", tier=tier, weights=(70, 30), title=f"Task {n} of {tier}")
    for tier in ("T1", "T2")
    for n in (1, 2)
)
JUDGE = JudgeRecord(
    name="umbrella",
    family="x",
    fingerprint="jf",
    endpoint=Endpoint(base_url="http://127.0.0.1:1/v1", model="umbrella"),
    model=None,
    sampling=Sampling(temperature=0),
    prompt_hash="ph",
)
Says = Callable[[AnswerUnit, str], Grade | None]
"""What the judge gives a criterion of an answer."""


def run_record(
    id: str = "run-77", *, samples: int = 5, configs: Sequence[str] = ("baseline", "moe4"), replicates: int = 1
) -> RunRecord:
    """A run of one candidate in some configs, with one judge."""
    entry = ModelEntry(
        id="zebra", model="Zebrafish-30B", status="ready", arch="qwen3moe", family=None, configs=("baseline", "moe4")
    )
    arms = [arm(config, candidate="zebra") for config in configs]
    return RunRecord(
        id=id,
        created_at=f"2026-01-01T00:00:00.000000+00:00 {id}",
        command=("judge", "run"),
        suite=suite(*QUESTIONS),
        question_ids=tuple(q.id for q in QUESTIONS),
        samples=samples,
        arms=tuple(ArmRecord(arm=one, model=None, entry=entry, sampling=Sampling()) for one in arms),
        checks={q.id: CHECKS for q in QUESTIONS},
        judge=JUDGE.model_copy(update={"replicates": replicates}),
        environment={},
    )


def add_answers(store: Store, run: RunRecord) -> None:
    """Store the run with an answer to everything."""
    store.add_run(run)
    for record in run.arms:
        for unit in wanted_answers(record.arm, QUESTIONS, record.sampling, run.samples):
            text = f"Here you are.\n```python\ndef f(n: int) -> int:\n    return n * {unit.sample}  # \x1b[2J\n```\n"
            store.add_answer(run.id, unit, answer(text, prompt_id=unit.question_id, sample=unit.sample))


def add_evidence(store: Store, run: RunRecord, *, fails: Callable[[AnswerUnit], bool]) -> None:
    """Say that executing each answer passed its one check of c0, or failed it on f(-1)."""
    check = Check(id="negative", criteria=("c0",), about="refuses negatives")
    for record in run.arms:
        for unit in wanted_answers(record.arm, QUESTIONS, record.sampling, run.samples):
            result = check.failed("wrong result", input="f(-1)", got="0") if fails(unit) else check.passed()
            evidence = Evidence(
                question_id=unit.question_id, state="ok", checks=(result,), checks_hash=CHECKS, isolation="bwrap"
            )
            store.add_evidence(run.id, unit.key, evidence)


def add_judgements(
    store: Store, run: RunRecord, says: Says, *, evidence: str = "quote", reasoning: str = "since"
) -> None:
    """Have the judge say something of every answer, with whatever evidence is stored in sight."""
    from judge.pipeline import evidence_of

    units = {
        unit.key: unit
        for record in run.arms
        for unit in wanted_answers(record.arm, QUESTIONS, record.sampling, run.samples)
    }
    assert run.judge is not None
    for task in wanted_scorings(run, run.judge, evidence_of(run, store)):
        verdicts = tuple(
            Verdict(criterion=c.id, score=says(units[task.answer_key], c.id), evidence=evidence, reasoning=reasoning)
            for c in task.question.criteria
        )
        store.add_judgement(run.id, judgement(of=task.answer_key, call=task.call, verdicts=verdicts))
