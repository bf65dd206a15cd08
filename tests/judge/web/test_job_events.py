"""What happens in a job is told: briefly, in order, and to whoever asks for the rest."""

import asyncio

from asking_for_jobs import AT_ENDPOINT, PROBLEM, ask, client, job, made, store
from starlette.testclient import TestClient
from waiting import demo_models_only, state_of

from judge.events import Loading, Noticed, Scored
from judge.job_record import Progress
from judge.jobs.telling import INTERVAL_S, Telling
from judge.store import Store
from judge.web.streams import MOST_STREAMS

__all__ = ["client", "demo_models_only", "made", "store"]


def scored(done: int) -> Scored:
    return Scored(judge="j", arm_id="coder/baseline", question_id="C-T1-Q1", score=4.0, done=done, owed=9)


async def test_counts_in_quick_succession_are_told_by_the_last_of_them_and_all_else_word_for_word(store: Store) -> None:
    store.add_job(job(), most_waiting=1)
    telling = Telling(store, "job-1", ["sesame-open"], clock=lambda: 0.0)
    events = [scored(1), scored(2), Noticed(model="m", message="busy: sesame-open\nlog"), scored(3), scored(4)]
    for event in [Loading(model="m", phase="score"), *events]:
        telling.see(event)
    await asyncio.sleep(INTERVAL_S * 1.5)  # nobody tells more, and it is written nevertheless
    told = [event.progress for event in store.job_events("job-1")]
    assert [(one.kind, one.done) for one in told] == [
        ("loading", None),
        ("scored", 2),
        ("noticed", None),
        ("scored", 4),
    ]
    assert told[2].text == "m: busy: [key]"
    assert store.job("job-1").progress == told[-1]


def test_ids_of_events_grow_and_the_rest_after_any_of_them_can_be_asked_for(store: Store) -> None:
    for name in ("one", "other"):
        store.add_job(job(name), most_waiting=9)
    for n in range(4):
        for name in ("one", "other"):
            store.add_job_events(
                name, [Progress(kind="noticed", text=f"{name} {n}"), Progress(kind="noticed", text="x")]
            )
    ids = [event.id for event in store.job_events("one")]
    assert ids == sorted(set(ids)) and len(ids) == 8
    assert [event.id for event in store.job_events("one", after=ids[2])] == ids[3:]
    assert [event.id for event in store.last_job_events("one", 3)] == ids[-3:]


async def test_a_stream_that_nobody_ends_ends_with_the_service_and_only_so_many_are_open(client: TestClient) -> None:
    job_id = ask(client, "/api/v1/runs/latest/score", **AT_ENDPOINT).json()["id"]
    streams, stopping = state_of(client).streams, state_of(client).service.stopping

    async def stays() -> bool:
        return False

    opened = [streams.follow(state_of(client).service.store, job_id, 0, stays) for _ in range(MOST_STREAMS)]
    for stream in opened:
        assert (await anext(stream)).startswith("retry: ")
    full = client.get(f"/api/v1/jobs/{job_id}/events")
    assert (full.status_code, full.headers["content-type"]) == (429, PROBLEM)
    stopping.set()
    for stream in opened:
        assert [text async for text in stream] == []
    assert client.get(f"/api/v1/jobs/{job_id}/events").status_code == 200


def test_the_id_of_an_event_is_a_number_that_a_database_can_hold(client: TestClient) -> None:
    job_id = ask(client, "/api/v1/runs/latest/score", **AT_ENDPOINT).json()["id"]
    for wrong in ("x", "-1", str(2**70)):
        assert client.get(f"/api/v1/jobs/{job_id}/events", headers={"Last-Event-ID": wrong}).status_code == 422
    assert client.get("/api/v1/jobs/nowhere/events").status_code == 404
