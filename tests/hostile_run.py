"""A run in which everybody is hostile: candidates, judges, what executing an answer showed, and whoever rates it."""

from collections.abc import Sequence

from browsing import HOSTILE
from examples import answer, arm_record, judge_record, judgement, question, run_record, verdicts

from judge.checks.checking import Check, Evidence
from judge.pipeline import wanted_scorings
from judge.plan import wanted_answers
from judge.ratings import LONGEST_NAME
from judge.records import RunRecord
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now
from judge.types import Verdict
from judge.units import AnswerUnit

EVIL = " ".join(HOSTILE)


def hostile_run(*, samples: int) -> RunRecord:
    """A run of two arms and two judges whose names are hostile."""
    return run_record(
        question("C-T1-Q1"),
        question("C-T2-Q1", tier="T2"),
        samples=samples,
        arms=(arm_record(f"coder {EVIL}"), arm_record(f"other {EVIL}")),
        judges=(judge_record(f"judge {EVIL}"), judge_record(f"second {EVIL}")),
    )


def add_hostile_run(store: Store, run: RunRecord, texts: Sequence[str]) -> None:
    """Store the run with answers, evidence and judgements that say these texts, and both queues."""
    store.add_run(run)
    units = [unit for record in run.arms for unit in wanted_answers(run, record)]
    for number, unit in enumerate(units):
        first, second, third = (texts[(number + shift) % len(texts)] for shift in range(3))
        text = f"{first}\n```python\ndef f(n):\n    return '{second}'  # {EVIL}\n```\n{third}"
        said = answer(text, prompt_id=unit.question_id, sample=unit.sample, reasoning=" ".join(texts))
        store.add_answer(run.id, unit, said)
        store.add_evidence(run.id, unit.key, _evidence(unit, first, second, third))
    _judge(store, run, " ".join(texts))
    make_queues(run, store, per_arm=15, seed=1)


def _evidence(unit: AnswerUnit, first: str, second: str, third: str) -> Evidence:
    check = Check(id="negative", criteria=("c0",), about="refuses negatives")
    failed = check.failed(f"wrong {third}", input=first, got=second)
    said = {"state": "ok", "checks": (failed,), "isolation": "bwrap", "entry_point": HOSTILE[2]}
    return Evidence.model_validate({"question_id": unit.question_id, "checks_hash": "h", **said})


def _judge(store: Store, run: RunRecord, text: str) -> None:
    for judge in run.judges:
        for task in wanted_scorings(run, judge, {}):
            said = tuple(
                Verdict(criterion=one.criterion, score=one.score, evidence=text, reasoning=text)
                for one in verdicts(4, None)
            )
            call = task.call.model_copy(update={"judge": judge.name})
            store.add_judgement(run.id, judgement(of=task.answer_key, call=call, verdicts=said))


def rate_by(store: Store, run: RunRecord, raters: Sequence[str]) -> None:
    """Have everybody whose name can be a rater's rate the first item, with the name as a comment."""
    first = queues_of(run, store).items[0]
    for name in raters:
        if name.isprintable() and len(name) <= LONGEST_NAME:
            say(store, first, name, utc_now(), score=4, comment=name)
