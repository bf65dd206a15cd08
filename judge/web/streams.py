"""Server-sent events: what happens in a job, as long as somebody follows it. No stream holds the thread that answers pages."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.responses import StreamingResponse

from judge.job_record import Job
from judge.store import Store
from judge.web.problems import Refusal

MOST_STREAMS = 32
"""At once; a browser opens one a page."""
POLL_S = 0.25
HEARTBEAT_S = 15.0
"""So often something is sent, or what lies between takes the connection for dead."""
READERS = 2
"""Threads that read the store for all streams together. They parse no Python, so they may run beside the one of the pages."""
T = TypeVar("T")


class EventStream(StreamingResponse):
    """A reply of server-sent events."""

    media_type = "text/event-stream"


class Streams:
    """All streams of one service."""

    def __init__(self, stopping: threading.Event, *, most: int = MOST_STREAMS) -> None:
        self._stopping = stopping
        self._most = most
        self._open = 0
        self._readers = CapacityLimiter(READERS)

    def admit(self) -> None:
        """Raise Refusal when so many are open that no other is opened."""
        if self._open >= self._most:
            raise Refusal(
                429, f"{self._most} streams are open, which is the limit; try again later", {"Retry-After": "5"}
            )

    async def read(self, reader: Callable[[], T]) -> T:
        """Return what is read of the store, without making the loop or the thread of the pages wait."""
        return await to_thread.run_sync(reader, limiter=self._readers)

    async def follow(
        self, store: Store, job_id: str, after: int, is_gone: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        """Yield what happened in a job after an event, then what happens, until it has ended or nobody listens any more."""
        self._open += 1
        try:
            shown: Job | None = None
            sent_s = anyio.current_time()
            yield "retry: 2000\n\n"
            while not self._stopping.is_set() and not await is_gone():
                # Read before its events: when it has ended, they are all there.
                job = await self.read(lambda: store.job(job_id))
                at = after
                for event in await self.read(lambda: store.job_events(job_id, after=at)):  # noqa: B023 - awaited at once
                    after = event.id
                    yield message("progress", event.model_dump_json(), event.id)
                if after == at:  # nothing is left behind
                    if not job.unfinished:
                        yield message("end", job.model_dump_json())
                        return
                    if _differs(job, shown):
                        shown = job
                        yield message("job", job.model_dump_json())
                    elif anyio.current_time() - sent_s > HEARTBEAT_S:
                        yield ": still there\n\n"
                    else:
                        await anyio.sleep(POLL_S)
                        continue
                sent_s = anyio.current_time()
        finally:
            self._open -= 1


def _differs(job: Job, shown: Job | None) -> bool:
    return shown is None or (job.state, job.run_id) != (shown.state, shown.run_id)


def message(kind: str, data: str, id: int | None = None) -> str:
    """Return one event as it is sent; ``data`` is JSON on one line."""
    numbered = "" if id is None else f"id: {id}\n"
    return f"{numbered}event: {kind}\ndata: {data}\n\n"
