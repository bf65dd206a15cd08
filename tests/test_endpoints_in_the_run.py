"""Endpoints of judges through the command line: shared work, keys that are revoked, judges that are not there."""

import asyncio
import logging
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import exam_judges
import pytest
from commands import Run, command, import_answers
from examples import add_answers, judge_record, run_record
from fakes import FakeServer, Handler, Request, Response, ScriptedJudge, error_response, html_response, lenient, serving

from judge.events import Event, Examined, JudgeUnusable, Loaded, Noticed, Scored
from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Machinery, count_owed_scorings
from judge.pipeline.judging import score_all
from judge.records import JudgeRecord, RunRecord
from judge.store import Store
from runner.errors import EndpointError
from runner.retry import RetryPolicy
from runner.types import Endpoint

JUDGE = ScriptedJudge(lenient)
ANSWERS = 60
IN_FLIGHT = 8
NOBODY = Endpoint(base_url="http://127.0.0.1:9/v1", model="m")


def is_scoring(request: Request) -> bool:
    """True for a request that is about an answer, and not of the handshake."""
    return "<<<ANSWER" in str(request.body)


def scorings(server: FakeServer) -> int:
    return sum(map(is_scoring, server.asked()))


def after(seconds: float, response: Response) -> Response:
    """The same response, its body later than its head."""
    return replace(response, steps=(seconds, *response.steps))


def score(judge: Run, place: Path, *servers: FakeServer, at_once: int = IN_FLIGHT):
    named = [part for server in servers for part in ("--judge-url", server.base_url)]
    return judge("score", "latest", *named, "--judge-model", "m", "--no-exam", "-j", str(at_once), cwd=place)


def stored(place: Path) -> int:
    with sqlite3.connect(place / "results" / "judge.db") as base:
        (count,) = base.execute("select count(*) from judgements").fetchone()
    return int(count)


@pytest.fixture(scope="module")
def imported(judge: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the answers in its store."""
    folder = tmp_path_factory.mktemp("imported")
    import_answers(judge, folder, [f"mark-{n}" for n in range(ANSWERS)])
    return folder


@pytest.fixture
def place(imported: Path, tmp_path: Path) -> Path:
    """The same for one test alone."""
    return Path(shutil.copytree(imported, tmp_path / "place"))


# --- one judge ----------------------------------------------------------------------------------------------------------


def test_two_endpoints_of_one_judge_each_do_about_half(judge: Run, place: Path) -> None:
    with serving(lambda r: after(0.03, JUDGE(r))) as one, serving(lambda r: after(0.03, JUDGE(r))) as other:
        done = score(judge, place, one, other)
        assert done.returncode == 0, done.stderr
        assert scorings(one) + scorings(other) == stored(place) == ANSWERS
        assert ANSWERS / 3 <= scorings(one) <= ANSWERS * 2 / 3


class Revoked:
    """A judge whose key is revoked after so many scorings. It is slow to say so: all that it scored has arrived before."""

    def __init__(self, replies: int, status: int) -> None:
        self._left = replies
        self._status = status
        self.given_back = False

    def __call__(self, request: Request) -> Response:
        self._left -= is_scoring(request)
        return (
            JUDGE(request)
            if self._left >= 0 or self.given_back
            else after(0.5, error_response(self._status, "revoked"))
        )


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_revoked_ends_the_run_with_one_line_and_loses_nothing(
    judge: Run, place: Path, status: int
) -> None:
    handler = Revoked(ANSWERS - 10, status)
    with serving(handler) as server:
        done = score(judge, place, server)
        before = scorings(server)
        assert stored(place) == ANSWERS - 10
        handler.given_back = True
        again = score(judge, place, server)
        assert scorings(server) - before == 10, "exactly what is owed"
    assert (done.returncode, again.returncode) == (1, 0), done.stderr + again.stderr
    told = [line for line in done.stderr.splitlines() if f"HTTP {status}" in line or "revoked" in line]
    assert told == [f"error: {server.base_url} (m): the endpoint refused the key (HTTP {status}): revoked"]
    assert "Traceback" not in done.stderr
    assert 0 < before - (ANSWERS - 10) <= IN_FLIGHT, "it stops at once"
    assert stored(place) == ANSWERS


def test_a_key_that_is_refused_from_the_start_ends_with_one_line(judge: Run, place: Path) -> None:
    with serving(lambda _: error_response(403, "not for you")) as server:
        done = score(judge, place, server)
        assert len(server.requests) == 1
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if "HTTP 403" in line]
    assert told == [f"error: {server.base_url}/models: the endpoint refused the key (HTTP 403): not for you"]


# --- endpoints that are away for a while, or of no use ----------------------------------------------------------------------


class Late:
    """An endpoint that is away until the other one has scored so much; that one takes its time then, until there is help."""

    def __init__(self, after: int, late: Handler = JUDGE) -> None:
        self._after = after
        self._late = late
        self._scored, self._helps = 0, False

    def here(self, request: Request) -> Response:
        """The other one."""
        self._scored += is_scoring(request)
        alone = self._scored > self._after and not self._helps
        return after(0.3 if alone else 0.01, JUDGE(request))

    def __call__(self, request: Request) -> Response:
        if self._scored < self._after:
            return error_response(503, "no backend")
        self._helps |= is_scoring(request)
        return after(0.01, self._late(request))


async def test_an_endpoint_that_comes_in_the_middle_is_told_in_one_line_and_does_its_share(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="runner.latecomers")
    events: list[Event] = []
    late, tasks = Late(after=10), asyncio.all_tasks()
    with serving(late.here) as here, serving(late) as there:
        judge = judge_record("j", endpoint=here.endpoint(), more_endpoints=(there.endpoint(),))
        assert await scored(tmp_path, run_record(judges=(judge,), samples=80), events) == {"j": 0}
        assert scorings(here) + scorings(there) == 80
        assert scorings(there) >= 20
    assert asyncio.all_tasks() == tasks
    away, joined = kinds(events, Noticed)
    assert isinstance(away, Noticed) and isinstance(joined, Noticed)
    assert away.message.startswith("left out until it can be asked, the others do its work: ")
    assert joined == Noticed(model="j", message=f"{there.base_url} can be asked now, and does its share of the work")
    told = events.index(joined)
    assert kinds(events[:told], Scored) and kinds(events[told:], Scored), "it is told as it happens"
    (record,) = [record for record in caplog.records if record.name == "runner.latecomers"]
    assert record.__dict__["fields"]["event"] == "joined"


async def test_an_endpoint_that_comes_with_another_model_is_told_once_and_scores_nothing(tmp_path: Path) -> None:
    events: list[Event] = []
    late = Late(after=10, late=ScriptedJudge(lenient, name="another"))
    with serving(late.here) as here, serving(late) as there:
        judge = judge_record("j", endpoint=here.endpoint(), more_endpoints=(there.endpoint(),))
        assert await scored(tmp_path, run_record(judges=(judge,), samples=30), events) == {"j": 0}
        assert (scorings(here), scorings(there)) == (30, 0)
    (_, told) = kinds(events, Noticed)
    assert isinstance(told, Noticed)
    assert told.message.startswith(f"not used, the others do its work: {there.base_url}")
    assert "the endpoint lists 'another'" in told.message


async def test_an_endpoint_that_comes_in_the_middle_of_an_exam_is_told_there(tmp_path: Path) -> None:
    late, store = Late(after=5), Store.open(tmp_path / "judge.db")
    retry = RetryPolicy(attempts=2, base_s=0.001, absent_s=0.02, max_wait_s=0.05)
    machinery = Machinery(folder=tmp_path, exam="small", retry=retry, concurrency=2)
    with serving(late.here) as here, serving(late) as there:
        both = exam_judges.record(here).model_copy(update={"more_endpoints": (there.endpoint(),)})
        run = exam_judges.exam_run(here).model_copy(update={"judges": (both,)})
        events = [event async for event in score_all(run, store, load_judge_prompts().templates, machinery)]
        store.close()
        assert scorings(there) > 0
    told = [type(event) for event in events if isinstance(event, Noticed | Examined)]
    assert told == [Noticed, Noticed, Examined]


def test_an_endpoint_whose_replies_are_pages_costs_no_scoring_while_another_one_judges(judge: Run, place: Path) -> None:
    with (
        serving(lambda r: html_response() if is_scoring(r) else JUDGE(r)) as bad,
        serving(lambda r: after(0.01, JUDGE(r))) as good,
    ):
        done = score(judge, place, bad, good)
        assert done.returncode == 0, done.stderr
        assert scorings(good) == stored(place) == ANSWERS
        assert scorings(bad) < ANSWERS / 4


def test_a_single_endpoint_whose_replies_are_pages_leaves_all_owed(judge: Run, place: Path) -> None:
    with serving(lambda r: html_response() if is_scoring(r) else JUDGE(r)) as bad:
        done = score(judge, place, bad)
        assert done.returncode == 3, done.stderr
        assert (scorings(bad), stored(place)) == (ANSWERS, 0)


ENDINGS = {"ctrl-c": (), "terminated in the background": (), "budget": ("--budget-hours", str(4 / 3600))}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_that_ends_while_an_endpoint_is_away_leaves_nothing_and_warns_of_nothing(
    cli_environment: dict[str, str], place: Path, ending: str
) -> None:
    """In the development mode of Python, which warns of every task, connection and coroutine that is left over."""
    options = ("--no-exam", "-j", "1", *ENDINGS[ending])
    ctrl_c = signal.SIG_IGN if ending == "terminated in the background" else signal.default_int_handler
    with serving(lambda r: after(0.3, JUDGE(r)) if is_scoring(r) else JUDGE(r)) as here:
        named = ("--judge-url", here.base_url, "--judge-url", NOBODY.base_url, "--judge-model", "m")
        environ = {**cli_environment, "PYTHONDEVMODE": "1"}
        process = subprocess.Popen(
            command("score", "latest", *named, *options), cwd=place, env=environ,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, ctrl_c),
        )  # fmt: skip
        try:
            deadline_s = time.monotonic() + 60
            while scorings(here) < 3 and process.poll() is None and time.monotonic() < deadline_s:
                time.sleep(0.02)
            if ending != "budget":
                process.send_signal(signal.SIGINT if ending == "ctrl-c" else signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == (3 if ending == "budget" else 130), said
    assert list(place.glob("results/*/summary.json")), "how far it came is written down"
    assert said.count("left out until it can be asked") == 1
    for trouble in ("Warning", "Traceback", "Task was destroyed", "never awaited", "never retrieved", "Unclosed"):
        assert trouble not in said, said


# --- several judges ------------------------------------------------------------------------------------------------------


def at(name: str, endpoint: Endpoint) -> JudgeRecord:
    return judge_record(name, endpoint=endpoint)


async def scored(folder: Path, run: RunRecord, events: list[Event]) -> dict[str, int]:
    """Have all answers of ``run`` scored, keep what is told, and return what each judge owes at the end."""
    store = Store.open(folder / "judge.db")
    machinery = Machinery(folder=folder, retry=RetryPolicy(attempts=2, base_s=0.001, absent_s=0.02, max_wait_s=0.05))
    try:
        add_answers(store, run)
        try:
            async for event in score_all(run, store, load_judge_prompts().templates, machinery):
                events.append(event)
        finally:
            owed = {judge.name: count_owed_scorings(run, judge, store) for judge in run.judges}
        return owed
    finally:
        store.close()


def kinds(events: Sequence[Event], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_judge_that_is_not_there_is_reported_and_the_others_are_asked(tmp_path: Path, place: int) -> None:
    with serving(JUDGE) as one, serving(JUDGE) as other:
        judges = [at("a", one.endpoint()), at("b", other.endpoint())]
        judges.insert(place, at("gone", NOBODY))
        events: list[Event] = []
        owed = await scored(tmp_path, run_record(judges=tuple(judges)), events)
    assert owed == {"a": 0, "b": 0, "gone": 2}
    assert len(kinds(events, Scored)) == 4
    (told,) = kinds(events, JudgeUnusable)
    assert isinstance(told, JudgeUnusable)
    assert (told.judge, told.owed) == ("gone", 2)
    assert "127.0.0.1:9/v1/models: the connection failed" in told.message


async def test_when_no_judge_can_be_used_that_is_an_error_and_every_one_was_tried(tmp_path: Path) -> None:
    events: list[Event] = []
    with serving(lambda _: error_response(401, "no")) as server:
        judges = (at("refusing", server.endpoint()), at("gone", NOBODY))
        with pytest.raises(EndpointError, match=r"none of the 2 judges could be used; the first: http.*401"):
            await scored(tmp_path, run_record(judges=judges), events)
    assert [event.judge for event in events if isinstance(event, JudgeUnusable)] == ["refusing", "gone"]


async def test_a_single_judge_that_is_not_there_is_only_an_error(tmp_path: Path) -> None:
    events: list[Event] = []
    with pytest.raises(EndpointError):
        await scored(tmp_path, run_record(judges=(at("gone", NOBODY),)), events)
    assert kinds(events, JudgeUnusable) == []


async def test_an_endpoint_that_is_left_out_is_told_before_the_first_score(tmp_path: Path) -> None:
    events: list[Event] = []
    with serving(JUDGE) as server:
        judge = judge_record("j", endpoint=server.endpoint(), more_endpoints=(NOBODY,))
        await scored(tmp_path, run_record(judges=(judge,)), events)
    found = [type(event) for event in events if isinstance(event, Loaded | Noticed | Scored)]
    assert found == [Loaded, Noticed, Scored, Scored]


@pytest.mark.parametrize(("refusing", "code"), [(("a",), 3), (("a", "b"), 1)])
def test_a_judge_that_refuses_the_key_leaves_the_run_incomplete_and_all_of_them_fail_it(
    judge: Run, tmp_path: Path, refusing: Sequence[str], code: int
) -> None:
    (tmp_path / "results").mkdir()
    store = Store.open(tmp_path / "results" / "judge.db")
    with serving(lambda _: error_response(401, "no")) as closed, serving(JUDGE) as server:
        places = {name: closed if name in refusing else server for name in ("a", "b")}
        judges = tuple(at(name, place.endpoint()) for name, place in places.items())
        add_answers(store, run_record(judges=judges))
        store.close()
        done = judge("score", "latest", "--no-exam", cwd=tmp_path)
        assert scorings(server) == 2 * (2 - len(refusing))
    assert done.returncode == code, done.stderr
    assert done.stderr.count("cannot be used, 2 scorings stay owed: ") == len(refusing)
    assert ("error: none of the 2 judges could be used; the first: " in done.stderr) == (code == 1)
    assert stored(tmp_path) == 2 * (2 - len(refusing))
