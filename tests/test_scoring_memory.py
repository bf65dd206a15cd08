"""What a scoring holds in memory: what is in flight and one batch from the store, however much there was to score."""

import gc
import tracemalloc
from pathlib import Path

import pytest
from examples import answer, judge_record, run_record

from judge.events import Scored
from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Machinery, score_run, scorings
from judge.plan import wanted_answers
from judge.store import Store
from runner.types import Endpoint

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
LONG = "def f(value):\n    return [value]  # " + "x" * 6000
MOST_BYTES = 100
"""Of one more answer that was scored: a sixtieth of its text. About 30 are seen."""


async def held_bytes(folder: Path, url: str, samples: int) -> int:
    """Score so many answers of one question; return what is held when all but a batch of them have been."""
    judge = judge_record(endpoint=Endpoint(base_url=url, model="mock"))
    run = run_record(samples=samples, judges=(judge,))
    store = Store.open(folder / f"{samples}.db")
    store.add_run(run)
    for unit in wanted_answers(run, run.arms[0]):
        store.add_answer(run.id, unit, answer(LONG, prompt_id=unit.question_id, sample=unit.sample))
    tracemalloc.start()
    try:
        held, scored = 0, 0
        async for event in score_run(
            run, judge, store, load_judge_prompts().templates, Machinery(folder=folder, concurrency=8)
        ):
            scored += isinstance(event, Scored)
            if scored == samples - scorings.BATCH and not held:
                gc.collect()
                held = tracemalloc.get_traced_memory()[0]
        assert scored == samples
        return held
    finally:
        tracemalloc.stop()
        store.close()


async def test_one_more_answer_that_was_scored_adds_next_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorings, "BATCH", 16)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import scoring

    with scoring.endpoint(1) as url:
        await held_bytes(tmp_path, url, 48)  # what is made once
        few, many = [await held_bytes(tmp_path, url, samples) for samples in (96, 608)]
    assert (many - few) / (608 - 96) < MOST_BYTES
