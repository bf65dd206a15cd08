"""Texts that are no answer get the lowest score without a judge, whatever becomes of the judge."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import answer, judge_record, run_record
from fakes import FakeServer, ScriptedJudge, lenient, serving

from judge.events import Event
from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Budget, Machinery, owed_scorings, score_run
from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.store import Store
from runner.errors import EndpointError
from runner.retry import RetryPolicy
from runner.types import Endpoint

CODE = "def f(value):\n    total = 0\n    return total + value"
NOTHING = ":"
ENDLESS, SPENT = Budget(), Budget(ends_s=0.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "judge.db")
    yield opened
    opened.close()


def stored_run(store: Store, base_url: str, *texts: str) -> RunRecord:
    run = run_record(samples=len(texts), judges=(judge_record(endpoint=Endpoint(base_url=base_url, model="m")),))
    store.add_run(run)
    for unit, text in zip(wanted_answers(run, run.arms[0]), texts, strict=True):
        store.add_answer(run.id, unit, answer(text, prompt_id=unit.question_id, sample=unit.sample))
    return run


async def scored(run: RunRecord, store: Store, folder: Path, *, budget: Budget = ENDLESS) -> list[Event]:
    machinery = Machinery(folder=folder, budget=budget, retry=RetryPolicy(attempts=1), concurrency=1)
    events = score_run(run, run.judges[0], store, load_judge_prompts().templates, machinery)
    return [event async for event in events]


def gradings(server: FakeServer) -> int:
    """How often the judge was asked for verdicts."""
    return sum("in this order" in str(request.body) for request in server.requests)


def left(run: RunRecord, store: Store) -> list[str]:
    return [one.text for one in owed_scorings(run, run.judges[0], store)]


async def test_only_what_is_an_answer_is_shown_to_the_judge(store: Store, tmp_path: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        run = stored_run(store, server.base_url, NOTHING, CODE, NOTHING, NOTHING)
        await scored(run, store, tmp_path)
        assert (gradings(server), left(run, store)) == (1, [])


async def test_a_judge_is_not_even_reached_where_there_is_no_answer(store: Store, tmp_path: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        run = stored_run(store, server.base_url, NOTHING, NOTHING)
        await scored(run, store, tmp_path)
        assert (len(server.requests), left(run, store)) == (0, [])


async def test_they_are_scored_when_the_budget_is_spent(store: Store, tmp_path: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        run = stored_run(store, server.base_url, NOTHING, CODE, NOTHING)
        await scored(run, store, tmp_path, budget=SPENT)
        assert (len(server.requests), left(run, store)) == (0, [CODE])


async def test_they_are_scored_when_the_judge_is_down(store: Store, tmp_path: Path) -> None:
    run = stored_run(store, "http://127.0.0.1:1/v1", NOTHING, CODE, NOTHING)
    with pytest.raises(EndpointError):
        await scored(run, store, tmp_path)
    assert left(run, store) == [CODE]
