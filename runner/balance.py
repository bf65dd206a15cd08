"""One judge behind several endpoints: each request goes to the one that has the most room, and each has its own pace."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from runner.client import Clock, Messages, ModelClient
from runner.errors import EndpointError, NoReply
from runner.pace import OVERLOADED, Pace, refused, replied
from runner.standing import (
    Lane,
    Standing,
    chosen,
    counts_against,
    failed,
    is_useless,
    may_be_had_elsewhere,
    replied_uselessly,
    rooms,
    succeeded,
)
from runner.turns import Turns
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
    """One endpoint with its pace, its standing and the requests that it has."""

    def __init__(self, client: ModelClient) -> None:
        self.client = client
        self.pace = Pace()
        self.standing = Standing()
        self.in_flight = 0

    def seen(self) -> Lane:
        return Lane(self.standing, self.pace.allowed, self.in_flight)


class Balanced:
    """Several clients of one model as one. ``fixed``: requests at a time, all together; ``each``: so many for each
    of them, in all, where nothing is fixed; neither: as many as they take.

    A number that is fixed falls on the endpoints that are left when one is lost: it is how much the user wants at a time. Whoever asks
    beyond that waits for a turn. A request that failed raises; asked again, it goes to another endpoint while one can be asked.
    """

    def __init__(
        self, clients: Sequence[ModelClient], *, fixed: int | None, each: int | None = None, clock: Clock | None = None
    ) -> None:
        self._lanes = [_Lane(client) for client in clients]
        self._each = each if fixed is None else None
        self._fixed = len(clients) * each if fixed is None and each is not None else fixed
        self._clock = clock or clients[0].clock
        self._turns = Turns(self.limit)

    @property
    def endpoint(self) -> Endpoint:
        """The first endpoint: the one that the judge is known by."""
        return self._lanes[0].client.endpoint

    def limit(self) -> int:
        """Requests that may be in flight now."""
        return self._fixed or sum(rooms(self._seen(), self._clock()))

    def admit(self, client: ModelClient) -> None:
        """Give a further endpoint its share from now on."""
        self._lanes.append(_Lane(client))
        if self._each is not None:
            self._fixed = len(self._lanes) * self._each
        self._turns.look_again()

    async def stream(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply as a stream, at the endpoint that has the most room."""
        return await self._ask(lambda client: client.stream(messages, sampling, **fields))

    async def complete(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply in one piece, at the endpoint that has the most room."""
        return await self._ask(lambda client: client.complete(messages, sampling, **fields))

    def _seen(self) -> list[Lane]:
        return [lane.seen() for lane in self._lanes]

    async def _ask(self, call: Callable[[ModelClient], Awaitable[T]]) -> T:
        return await self._turns.take(lambda: self._send(call))

    async def _send(self, call: Callable[[ModelClient], Awaitable[T]]) -> T:
        """Ask the endpoint with the most room; one that does not have what is asked for passes it on while another one does well."""
        if len(self._lanes) == 1:
            return await self._send_to(self._lanes[0], call)
        left = list(self._lanes)
        while True:
            lane = left.pop(chosen([lane.seen() for lane in left], self._clock()))
            try:
                return await self._send_to(lane, call)
            except EndpointError as error:
                if not may_be_had_elsewhere(error) or all(other.standing.failures for other in left):
                    raise

    async def _send_to(self, lane: _Lane, call: Callable[[ModelClient], Awaitable[T]]) -> T:
        sent_s = self._clock()
        lane.in_flight += 1
        try:
            reply = await call(lane.client)
        except EndpointError as error:
            self._count_failure(lane, error, sent_s)
            raise
        else:
            lane.standing = succeeded(lane.standing, sent_s=sent_s)
            if self._fixed is None:
                lane.pace = replied(lane.pace, sent_s=sent_s, now_s=self._clock(), in_flight=lane.in_flight)
            return reply
        finally:
            lane.in_flight -= 1

    def _count_failure(self, lane: _Lane, error: EndpointError, sent_s: float) -> None:
        now_s = self._clock()
        if self._fixed is None and error.status in OVERLOADED:
            lane.pace = refused(lane.pace, sent_s=sent_s, now_s=now_s)
        if is_useless(error):
            lane.standing = replied_uselessly(lane.standing, sent_s=sent_s, now_s=now_s)
        if not counts_against(error):
            return
        silent_s = now_s - sent_s if isinstance(error, NoReply) else 0.0
        lane.standing = failed(
            lane.standing, sent_s=sent_s, now_s=now_s, asked_s=error.retry_after_s, silent_s=silent_s
        )
        if not all(other.standing.failures for other in self._lanes):
            error.retry_after_s = (
                None  # it was this endpoint that asked to be left alone, and another one will be asked
            )
