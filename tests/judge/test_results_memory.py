"""What computing and writing a report holds in memory: numbers, whatever was written by models and judges."""

import tracemalloc
from pathlib import Path

import pytest
from examples import answer, judge_record, judgement, question, run_record

from judge import report
from judge.pipeline import scorings, wanted_scorings
from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.results import build_results, judged
from judge.store import Store

LONG = "x" * 4000
QUESTIONS = tuple(question(f"Q{number}") for number in range(6))
MOST_BYTES = 1500
"""Of one more answer: a tenth of what the answer and its judgement take in the store."""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that a test run fills many of."""
    monkeypatch.setattr(judged, "BATCH", 8)
    monkeypatch.setattr(scorings, "BATCH", 8)


def scored_run(store: Store, samples: int) -> RunRecord:
    """A run whose every answer, reply and reasoning is long."""
    judge = judge_record()
    run = run_record(*QUESTIONS, id=f"run-{samples}", samples=samples, judges=(judge,))
    store.add_run(run)
    for unit in wanted_answers(run, run.arms[0]):
        store.add_answer(run.id, unit, answer(LONG, prompt_id=unit.question_id, sample=unit.sample))
    said = [
        judgement(4, 4, of=task.answer_key, call=task.call, replies=(LONG, LONG))
        for task in wanted_scorings(run, judge, {})
    ]
    store.add_outcomes(run.id, said)
    return run


def peak_bytes(run: RunRecord, store: Store, folder: Path) -> int:
    tracemalloc.start()
    try:
        results = build_results(run, "running", store)
        report.write_files(run, results, store, folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("small_batches")
def test_one_more_answer_adds_numbers_and_no_text_to_the_memory_of_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("judge.report.files.LOOKUP_BATCH", 8)
    store = Store.open(tmp_path / "judge.db")
    few, many = scored_run(store, 8), scored_run(store, 64)
    peak_bytes(few, store, tmp_path / "warm")
    grown = peak_bytes(many, store, tmp_path / "many") - peak_bytes(few, store, tmp_path / "few")
    store.close()
    assert grown / (len(QUESTIONS) * (64 - 8)) < MOST_BYTES
    assert len(list((tmp_path / "many").glob("*.txt"))) == len(QUESTIONS) * 64
