"""A run with answers, evidence and judgements, as the tests of human labels need it. Every name in it is unmistakable."""

from collections.abc import Callable, Collection, Sequence

from examples import answer, arm_record, judge_record, judgement, question, run_record

from judge.checks.checking import Check, Evidence
from judge.pipeline import evidence_of, wanted_scorings
from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.store import Store
from judge.types import Grade, Verdict
from judge.units import AnswerUnit

SECRETS = ("zebrafish", "moe4", "baseline", "umbrella", "parasol", "run-77", "qwen", "Q4_K_M")
"""Names of candidate, configs, judges, run, family and quantisation: a rater must see none of them."""
CHECKS = "checks-hash"
QUESTIONS = tuple(
    question(f"C-{tier}-Q{n}", tier=tier, weights=(70, 30), title=f"Task {n} of {tier}")
    for tier in ("T1", "T2")
    for n in (1, 2)
)
Says = Callable[[str, AnswerUnit, str], Grade | None]
"""(judge, answer, criterion) -> what the judge gives."""


def review_run(id: str = "run-77", *, judges: Sequence[str] = ("umbrella", "parasol"), samples: int = 5) -> RunRecord:
    """A run of one candidate in two configs."""
    return run_record(
        *QUESTIONS,
        id=id,
        samples=samples,
        arms=(arm_record("zebrafish"), arm_record("zebrafish", "moe4")),
        judges=tuple(judge_record(name) for name in judges),
        checks={q.id: CHECKS for q in QUESTIONS},
    )


def answers_of(run: RunRecord) -> list[AnswerUnit]:
    """Return every answer that the run wants."""
    return [unit for record in run.arms for unit in wanted_answers(run, record)]


def add_code(store: Store, run: RunRecord) -> None:
    """Store the run with an answer to everything: code, with a sequence in it that would clear a terminal."""
    store.add_run(run)
    for unit in answers_of(run):
        text = f"Here you are.\n```python\ndef f(n: int) -> int:\n    return n * {unit.sample}  # \x1b[2J\n```\n"
        store.add_answer(run.id, unit, answer(text, prompt_id=unit.question_id, sample=unit.sample))


def add_evidence(
    store: Store, run: RunRecord, *, fails: Callable[[AnswerUnit], bool], of: Collection[str] | None = None
) -> None:
    """Say that executing each answer (or those ``of`` these keys) passed its one check of c0, or failed it on f(-1)."""
    check = Check(id="negative", criteria=("c0",), about="refuses negatives")
    for unit in answers_of(run):
        if of is not None and unit.key not in of:
            continue
        result = check.failed("wrong result", input="f(-1)", got="0") if fails(unit) else check.passed()
        place = {"question_id": unit.question_id, "checks_hash": CHECKS}
        store.add_evidence(run.id, unit.key, Evidence(**place, state="ok", checks=(result,), isolation="bwrap"))


def add_judgements(store: Store, run: RunRecord, says: Says, *, reasoning: str = "since it is so") -> None:
    """Have every judge say something of every answer, with whatever evidence is stored in sight."""
    units = {unit.key: unit for unit in answers_of(run)}
    evidence = evidence_of(run, store)
    for judge in run.judges:
        for task in wanted_scorings(run, judge, evidence):
            verdicts = tuple(
                Verdict(
                    criterion=c.id,
                    score=says(judge.name, units[task.answer_key], c.id),
                    evidence="",
                    reasoning=reasoning,
                )
                for c in task.question.criteria
            )
            store.add_judgement(run.id, judgement(of=task.answer_key, call=task.call, verdicts=verdicts))
