"""One judge behind several endpoints: each request goes to the one that has the fewest, and each has its own pace."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from runner.client import Clock, Messages, ModelClient
from runner.errors import EndpointError
from runner.pace import OVERLOADED, Pace, refused, replied
from runner.types import Endpoint, Reply, Sampling

T = TypeVar("T")


class Asks(Protocol):
    """Whatever a model can be asked through: a client, or several as one."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the model is asked, for messages and for how it is to be asked."""
        ...

    async def stream(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply as a stream."""
        ...

    async def complete(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply in one piece."""
        ...


class _Lane:
    """One endpoint with its pace and the requests that it has."""

    def __init__(self, client: ModelClient) -> None:
        self.client = client
        self.pace = Pace()
        self.in_flight = 0


class Balanced:
    """Several clients of one model as one. ``fixed``: requests at a time, all together; ``None``: as many as they take."""

    def __init__(self, clients: Sequence[ModelClient], *, fixed: int | None, clock: Clock | None = None) -> None:
        self._lanes = [_Lane(client) for client in clients]
        self._fixed = fixed
        self._clock = clock or clients[0].clock

    @property
    def endpoint(self) -> Endpoint:
        """The first endpoint: the one that the judge is known by."""
        return self._lanes[0].client.endpoint

    def limit(self) -> int:
        """Requests that may be in flight now."""
        return self._fixed or sum(lane.pace.allowed for lane in self._lanes)

    async def stream(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply as a stream, at the endpoint that has the fewest requests."""
        return await self._ask(lambda client: client.stream(messages, sampling, **fields))

    async def complete(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply in one piece, at the endpoint that has the fewest requests."""
        return await self._ask(lambda client: client.complete(messages, sampling, **fields))

    async def _ask(self, call: Callable[[ModelClient], Awaitable[T]]) -> T:
        lane = min(self._lanes, key=lambda lane: lane.in_flight / lane.pace.allowed)
        sent_s = self._clock()
        lane.in_flight += 1
        try:
            reply = await call(lane.client)
        except EndpointError as error:
            if error.status in OVERLOADED:
                lane.pace = refused(lane.pace, sent_s=sent_s, now_s=self._clock())
            raise
        else:
            if self._fixed is None:
                lane.pace = replied(lane.pace, sent_s=sent_s, now_s=self._clock(), in_flight=lane.in_flight)
            return reply
        finally:
            lane.in_flight -= 1
