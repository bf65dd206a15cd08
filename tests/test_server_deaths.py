"""Servers that die in a run, by a program in their place: what arrives, what is asked twice, and what the next run owes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import fake_llama
import pytest
from examples import add_answers, judge_record, model_file, run_record
from rankings import add_texts, by_name, contest, ranked_run

from judge.events import Answered, ArmFailed, Compared, Event, Noticed, Scored
from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Machinery, collect_run, count_owed_pairings, owed_scorings, rank_run, score_run, work_of
from judge.records import RunRecord
from judge.report import launch_line
from judge.store import Store
from runner.errors import ServerError
from runner.retry import RetryPolicy
from runner.serve import ServeOptions
from runner.types import Serving

JUDGE = judge_record(endpoint=None, model=model_file(), serving=Serving(n_threads=1))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "judge.db")
    yield opened
    opened.close()


@pytest.fixture
def machinery(tmp_path: Path) -> Machinery:
    """Serves by the program in the place of a server."""
    retry = RetryPolicy(attempts=2, base_s=0.01)
    return Machinery(folder=tmp_path, serve=ServeOptions(python=str(fake_llama.program(tmp_path))), retry=retry)


def scoring(run: RunRecord, store: Store, machinery: Machinery) -> AsyncIterator[Event]:
    return score_run(run, run.judges[0], store, load_judge_prompts().templates, machinery)


async def told(events: AsyncIterator[Event], into: list[Event]) -> None:
    async for event in events:
        into.append(event)


def asked(folder: Path) -> int:
    return len((folder / "asked").read_text().splitlines())


async def test_an_arm_whose_server_dies_goes_on_and_asks_again_only_what_was_in_flight(
    store: Store, machinery: Machinery, tmp_path: Path
) -> None:
    run = run_record(samples=3)
    store.add_run(run)
    (tmp_path / "deaths").write_text("1")
    events: list[Event] = []
    await told(collect_run(run, store, machinery), events)
    answered = [event for event in events if isinstance(event, Answered)]
    assert [(event.answer.sample, event.answer.state, event.done) for event in answered] == [
        (0, "ok", 1), (1, "ok", 2), (2, "ok", 3),
    ]  # fmt: skip
    (noticed,) = [event for event in events if isinstance(event, Noticed) and "started again" in event.message]
    assert noticed.message.startswith(
        "started again, with the same proof, because the server ended with code -9; log: "
    )
    assert asked(tmp_path) == 3 + 1
    assert not work_of(run, store)[0].owed
    launches = store.launches(run.arms[0].arm)
    assert len(launches) == 2
    assert launches[0].busy_cores is not None
    assert f"other programs used {launches[0].busy_cores:.1f} cores before" in launch_line(launches[0])


async def test_a_judge_whose_server_dies_goes_on_and_its_death_is_no_score(
    store: Store, machinery: Machinery, tmp_path: Path
) -> None:
    run = run_record(samples=3, judges=(JUDGE,))
    add_answers(store, run)
    (tmp_path / "deaths").write_text("1")
    events: list[Event] = []
    await told(scoring(run, store, machinery), events)
    assert [event.score for event in events if isinstance(event, Scored)] == [5.0] * 3
    assert [event.model for event in events if isinstance(event, Noticed)] == ["j/baseline"]
    assert asked(tmp_path) == 3 + 1
    assert list(owed_scorings(run, JUDGE, store)) == []


async def test_a_judge_that_dies_too_often_stops_the_scoring_and_the_next_run_owes_exactly_the_rest(
    store: Store, machinery: Machinery, tmp_path: Path
) -> None:
    run = run_record(samples=6, judges=(JUDGE,))
    add_answers(store, run)
    (tmp_path / "deaths").write_text("4")
    events: list[Event] = []
    with pytest.raises(ServerError, match="j/baseline: the server died 4 times and is not started again"):
        await told(scoring(run, store, machinery), events)
    assert sum(isinstance(event, Scored) for event in events) == 4
    assert len(list(owed_scorings(run, JUDGE, store))) == 2

    before = asked(tmp_path)
    await told(scoring(run, store, machinery), events)
    assert asked(tmp_path) == before + 2
    assert list(owed_scorings(run, JUDGE, store)) == []
    assert not any(isinstance(event, ArmFailed) for event in events)


async def test_a_judge_whose_server_dies_of_a_comparison_goes_on(
    store: Store, machinery: Machinery, tmp_path: Path
) -> None:
    run = ranked_run("good", "poor", judges=(JUDGE,))
    add_texts(store, run, by_name({"good": 2, "poor": 1}))
    wanted = contest(run, ("good", "poor"))
    (tmp_path / "deaths").write_text("1")
    events: list[Event] = []
    await told(rank_run(wanted, store, load_judge_prompts().templates, machinery), events)
    assert [event.winner for event in events if isinstance(event, Compared)] == ["first"] * 10
    assert [event.model for event in events if isinstance(event, Noticed)] == ["j/baseline"]
    assert asked(tmp_path) == 10 + 1
    assert count_owed_pairings(wanted, store) == 0
