"""One judge behind several endpoints: each request goes to the one that has the fewest, and each has its own pace."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from runner.client import Clock, Messages, ModelClient
from runner.errors import EndpointError, ServerError
from runner.pace import OVERLOADED, Pace, refused, replied
from runner.probe import NO_LISTING, Capabilities, check_model, probe
from runner.retry import RetryPolicy
from runner.turns import Turns
from runner.types import Endpoint, Reply, Sampling

T = TypeVar("T")
IDENTIFYING = ("root", "parent", "max_model_len", "meta", "quantization")
"""What servers say of a model under ``/v1/models`` that differs between models, and not between two servers of one."""


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
    """Several clients of one model as one. ``fixed``: requests at a time, all together; ``None``: as many as they take.

    Whoever asks beyond that waits for a turn.
    """

    def __init__(self, clients: Sequence[ModelClient], *, fixed: int | None, clock: Clock | None = None) -> None:
        self._lanes = [_Lane(client) for client in clients]
        self._fixed = fixed
        self._clock = clock or clients[0].clock
        self._turns = Turns(self.limit)

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
        return await self._turns.take(lambda: self._send(call))

    async def _send(self, call: Callable[[ModelClient], Awaitable[T]]) -> T:
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


async def same_model(clients: Sequence[ModelClient], *, retry: RetryPolicy | None = None) -> Capabilities:
    """Return what all of these endpoints were seen to do. Raises ServerError when they do not seem to serve one model.

    They must list the name that is asked for, say the same of it as far as they say anything, and enforce the same way of
    asking for JSON. More cannot be seen from outside.
    """
    described, found = [], []
    for client in clients:
        await check_model(client)
        described.append(await _description(client))
        found.append(await probe(client, retry=retry))
    for client, told, capabilities in zip(clients, described, found, strict=True):
        if (told, capabilities) != (described[0], found[0]):
            raise ServerError(
                f"{client.endpoint.base_url} does not serve {client.endpoint.model!r} as {clients[0].endpoint.base_url} does: "
                f"found {told or 'nothing said'}, {capabilities.dialect} instead of {described[0] or 'nothing said'}, "
                f"{found[0].dialect}; name endpoints of one model only"
            )
    return found[0]


async def _description(client: ModelClient) -> dict[str, Any]:
    """Return what the endpoint lists about the model, as far as it identifies the model."""
    try:
        entries = await client.listing()
    except EndpointError as error:
        if error.status in NO_LISTING:
            return {}
        raise
    mine = next((entry for entry in entries if entry.get("id") == client.endpoint.model), {})
    return {name: mine[name] for name in IDENTIFYING if mine.get(name) is not None}
