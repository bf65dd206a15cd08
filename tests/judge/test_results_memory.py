"""What computing and writing a report holds in memory: numbers, whatever was written by models and judges."""

import gc
import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import answer, arm_record, judge_record, judgement, question, run_record

from judge import report
from judge.pipeline import scorings, wanted_scorings
from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.results import build_results, judged
from judge.stats import intervals, paired
from judge.store import Store
from judge.types import Grade

LONG = "x" * 4000
QUESTIONS = tuple(question(f"Q{number}") for number in range(6))
MOST_BYTES = 1000
"""Of one more answer: a tenth of what the answer and its judgement take in the store. Alone it is about 400."""
MOST_BYTES_COMPARED = 1300
"""Of one more judgement where several judges score arms that are compared, so that every answer of each is looked at.
Alone it is about 900."""
JUDGES = tuple(judge_record(name, family=family) for name, family in (("a", "mistral"), ("b", "llama"), ("c", "gemma")))
ARMS = (arm_record(), arm_record(config="moe4"))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that a test run fills many of, and few random draws."""
    monkeypatch.setattr(judged, "BATCH", 8)
    monkeypatch.setattr(scorings, "BATCH", 8)
    monkeypatch.setattr("judge.report.files.LOOKUP_BATCH", 8)
    monkeypatch.setattr(intervals, "DRAWS", 512)  # as many for few answers as for many: they only hide what grows
    monkeypatch.setattr(paired, "DRAWS", 512)


def scored_run(store: Store, samples: int, **fields: Any) -> RunRecord:
    """A run whose every answer, reply and reasoning is long, and whose scores differ."""
    run = run_record(*QUESTIONS, id=f"run-{samples}", samples=samples, **fields)
    store.add_run(run)
    grades: Iterator[tuple[Grade, Grade]] = itertools.cycle(((4, 4), (5, 3), (2, 5), (4, 1), (3, 3)))
    for record in run.arms:
        for unit in wanted_answers(run, record):
            store.add_answer(run.id, unit, answer(LONG, prompt_id=unit.question_id, sample=unit.sample))
    for judge in run.judges:
        tasks = wanted_scorings(run, judge, {})
        said = [judgement(*next(grades), of=task.answer_key, call=task.call, replies=(LONG, LONG)) for task in tasks]
        store.add_outcomes(run.id, said)
    return run


def peak_bytes(run: RunRecord, store: Store, folder: Path) -> int:
    gc.collect()  # or what others left is taken for ours
    tracemalloc.start()
    try:
        results = build_results(run, "running", store)
        report.write_files(run, results, store, folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def grown_bytes(folder: Path, few: int, many: int, **fields: Any) -> int:
    """How much more a report of ``many`` answers a question takes than one of ``few``."""
    store = Store.open(folder / "judge.db")
    runs = {samples: scored_run(store, samples, **fields) for samples in (few, many)}
    peak_bytes(runs[few], store, folder / "warm")
    peaks = {samples: peak_bytes(run, store, folder / str(samples)) for samples, run in runs.items()}
    store.close()
    return peaks[many] - peaks[few]


@pytest.mark.usefixtures("small_batches")
def test_one_more_answer_adds_numbers_and_no_text_to_the_memory_of_a_report(tmp_path: Path) -> None:
    grown = grown_bytes(tmp_path, 8, 64)
    assert grown / (len(QUESTIONS) * (64 - 8)) < MOST_BYTES
    assert len(list((tmp_path / "64").glob("*.txt"))) == len(QUESTIONS) * 64


@pytest.mark.usefixtures("small_batches")
def test_one_more_judgement_of_compared_arms_adds_a_few_numbers(tmp_path: Path) -> None:
    grown = grown_bytes(tmp_path, 16, 64, judges=JUDGES, arms=ARMS)
    assert grown / (len(QUESTIONS) * len(ARMS) * len(JUDGES) * (64 - 16)) < MOST_BYTES_COMPARED
