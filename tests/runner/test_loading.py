"""Waiting for an endpoint that loads its model, on a clock that is a number."""

import pytest

from runner.errors import EndpointError
from runner.loading import POLL_S, is_loading, when_loaded

LOADING = EndpointError("http://h/v1/models: HTTP 503: Loading model 503", status=503, transient=True)


class Server:
    """Loads for so many seconds of its own clock."""

    def __init__(self, loads_s: float) -> None:
        self.now_s, self.asked = 0.0, 0
        self._loads_s = loads_s

    async def ask(self) -> str:
        self.asked += 1
        if self.now_s < self._loads_s:
            raise LOADING
        return "there"

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def waited_for(self, within_s: float) -> str:
        return await when_loaded(self.ask, within_s=within_s, sleep=self.sleep, clock=lambda: self.now_s)


async def test_a_model_that_takes_a_minute_to_load_is_waited_for_and_asked_soon_after(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(loads_s=60)
    assert await server.waited_for(3600) == "there"
    assert 60 <= server.now_s <= 60 + POLL_S
    assert [record.message for record in caplog.records] == [f"{LOADING}; waiting for it, 3600 s at most"]


async def test_it_is_waited_for_no_longer_than_was_said() -> None:
    server = Server(loads_s=60)
    with pytest.raises(EndpointError, match="still so after 30 s") as caught:
        await server.waited_for(30.2)
    assert (server.now_s, caught.value.transient, caught.value.status) == (30.2, False, 503)


async def test_it_is_waited_for_no_longer_than_it_is_needed() -> None:
    server = Server(loads_s=60)
    with pytest.raises(EndpointError, match="Loading model 503; not waited for") as caught:
        await when_loaded(
            server.ask, within_s=3600, needed=lambda: server.now_s < 5, sleep=server.sleep, clock=lambda: server.now_s
        )
    assert (server.now_s, caught.value.transient, caught.value.status) == (5.0, False, 503)


async def test_where_nobody_is_to_wait_it_is_a_failure_like_any_other() -> None:
    server = Server(loads_s=60)
    with pytest.raises(EndpointError) as caught:
        await server.waited_for(0)
    assert caught.value is LOADING and server.asked == 1


@pytest.mark.parametrize(
    "error",
    [
        EndpointError("http://h/v1: HTTP 503: no backend", status=503, transient=True),
        EndpointError("http://loading.example/v1: HTTP 503: busy", status=503, transient=True),
        EndpointError("http://h/v1: HTTP 500: error while loading the template", status=500, transient=True),
        EndpointError("http://h/v1: the connection failed", transient=True),
    ],
    ids=["another 503", "a name", "another status", "refused"],
)
def test_nothing_else_is_taken_for_loading(error: EndpointError) -> None:
    assert is_loading(LOADING) and not is_loading(error)
