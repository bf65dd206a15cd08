"""The first words with the endpoints of one judge: who is there, do they serve one model, and what do they do?

One that is loading its model is waited for. Of several, those that cannot be reached, fail, or are not ready when another one is,
are left out, and said; ``runner.latecomers`` has the same words with them later.
"""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

from runner.client import ModelClient
from runner.errors import EndpointError, ServerError
from runner.loading import when_loaded
from runner.probe import NO_LISTING, Capabilities, check_listed, probe
from runner.retry import RetryPolicy, retried
from runner.standing import is_away

IDENTIFYING = ("root", "parent", "max_model_len", "meta", "quantization")
"""What servers say of a model under ``/v1/models`` that differs between models, and not between two servers of one."""
NOT_WAITED_FOR_S = 1.0
"""For ``load_timeout_s`` where nobody is needed, and so nobody waited for: unlike 0, an endpoint that loads is told from a busy one."""


class Greeted(NamedTuple):
    """What one endpoint was found to be."""

    client: ModelClient
    told: dict[str, Any]
    """What it lists about the model, as far as that identifies the model."""
    capabilities: Capabilities


class Absent(NamedTuple):
    """One of several endpoints that cannot be asked now."""

    client: ModelClient
    error: EndpointError
    """What came of the first words with it."""


class Met(NamedTuple):
    """The endpoints of one judge."""

    greeted: tuple[Greeted, ...]
    """Those that can be asked, at least one."""
    capabilities: Capabilities
    """Of all of these."""
    absent: tuple[Absent, ...]

    @property
    def clients(self) -> tuple[ModelClient, ...]:
        """The endpoints that can be asked."""
        return tuple(one.client for one in self.greeted)

    @property
    def left_out(self) -> tuple[str, ...]:
        """One line for each endpoint that cannot be asked now."""
        return tuple(f"left out until it can be asked, the others do its work: {one.error}" for one in self.absent)


async def meet(clients: Sequence[ModelClient], *, retry: RetryPolicy | None = None, load_timeout_s: float = 0.0) -> Met:
    """Return which of these endpoints can be asked, and what all of them do.

    Endpoints that load are waited for until one is there. Of several, each has ``Timeouts.probe_s`` for its first replies.

    They must list the name that is asked for, say the same of it as far as they say anything, and enforce the same way of
    asking for JSON. More cannot be seen from outside. Raises ServerError when they do not seem to serve one model, AccessDenied
    when one refuses the key, and EndpointError when one cannot be used or none can be reached.
    """
    greeting = _Greeting(retry or RetryPolicy(), load_timeout_s, several=len(clients) > 1)
    outcomes = await asyncio.gather(*(greeting.greet(client) for client in clients), return_exceptions=True)
    pairs = list(zip(clients, outcomes, strict=True))
    absent = tuple(Absent(client, outcome) for client, outcome in pairs if _can_be_left_out(outcome))
    broken = [one for one in outcomes if isinstance(one, BaseException) and not _can_be_left_out(one)]
    greeted = tuple(outcome for outcome in outcomes if not isinstance(outcome, BaseException))
    if broken:
        raise broken[0]
    if not greeted:
        raise _unreached(absent[0].error)
    _check_same(greeted)
    return Met(greeted, _common(greeted), absent)


async def meet_again(client: ModelClient, greeted: Sequence[Greeted]) -> Greeted:
    """Return what an endpoint is that was left out, once it does as those that were greeted do; nothing is waited for, or tried twice.

    Raises as ``meet`` does, and EndpointError while it still cannot be asked.
    """
    greeting = _Greeting(RetryPolicy(attempts=1), NOT_WAITED_FOR_S, several=True)
    greeting.settle()
    late = await greeting.greet(client)
    _check_same([*greeted, late])
    return late


def _can_be_left_out(outcome: object) -> TypeGuard[EndpointError]:
    """True for what others can make up for: the endpoint is away, or fails whatever it is asked."""
    return isinstance(outcome, EndpointError) and (is_away(outcome) or outcome.status == 500)


def _common(greeted: Sequence[Greeted]) -> Capabilities:
    """Return what is known of all of them."""
    unknown = any(one.capabilities.counts_tokens is None for one in greeted)
    first = greeted[0].capabilities
    return first.model_copy(update={"counts_tokens": None}) if unknown else first


def _unreached(error: EndpointError) -> EndpointError:
    if error.status is not None:
        return error  # something there answered, and said what is wrong
    advice = "see whether the server there is up, and whether the URL is right"
    return EndpointError(f"{error}; {advice}", transient=error.transient)


def _check_same(greeted: Sequence[Greeted]) -> None:
    for first, other in itertools.combinations(greeted, 2):
        if _differ(first, other):
            raise ServerError(
                f"{other.client.endpoint.base_url} does not serve {other.client.endpoint.model!r} as "
                f"{first.client.endpoint.base_url} does: found {_described(other)} instead of {_described(first)}; "
                "name endpoints of one model only"
            )


def _differ(one: Greeted, other: Greeted) -> bool:
    """True when they do not say or do the same; where one could not say whether it counts tokens, that is no difference."""
    counting = {one.capabilities.counts_tokens, other.capabilities.counts_tokens} - {None}
    return (one.told, one.capabilities.dialect) != (other.told, other.capabilities.dialect) or len(counting) > 1


def _described(one: Greeted) -> str:
    counting = {True: ", a llama-cpp-python server", False: "", None: ", a server that does not say what it is"}
    return f"{one.told or 'nothing said'}, {one.capabilities.dialect}{counting[one.capabilities.counts_tokens]}"


class _Greeting:
    """The first words with all endpoints at once."""

    def __init__(self, policy: RetryPolicy, load_timeout_s: float, *, several: bool) -> None:
        self._policy = policy
        self._load_timeout_s = load_timeout_s
        self._several = several
        self._settled = False
        """True once an endpoint is there, or one is wrong: from then on nobody is waited for who loads."""

    async def greet(self, client: ModelClient) -> Greeted:
        """Return what an endpoint is. Raises ServerError and EndpointError."""
        try:
            return await self._greet(client)
        except EndpointError as error:
            if not _can_be_left_out(error):
                self.settle()
            raise
        except ServerError:
            self.settle()
            raise

    def settle(self) -> None:
        """From now on nobody is waited for who loads."""
        self._settled = True

    async def _greet(self, client: ModelClient) -> Greeted:
        entries = await self._listed(client)
        if entries is None:
            told = {}
        else:
            check_listed(client.endpoint, [str(entry.get("id")) for entry in entries])
            mine = next(entry for entry in entries if str(entry.get("id")) == client.endpoint.model)
            told = {name: mine[name] for name in IDENTIFYING if mine.get(name) is not None}
        capabilities = await self._probed(client)
        self.settle()
        return Greeted(client, told, capabilities)

    async def _listed(self, client: ModelClient) -> list[dict[str, Any]] | None:
        """Return what the endpoint lists; ``None`` where there is no listing: there the request itself refuses an unknown name."""

        async def listing() -> list[dict[str, Any]]:
            return await when_loaded(client.listing, within_s=self._load_timeout_s, needed=self._needed)

        try:
            return await retried(listing, self._policy)
        except EndpointError as error:
            if error.status in NO_LISTING:
                return None
            raise

    async def _probed(self, client: ModelClient) -> Capabilities:
        """Return what the endpoint does; one of several that is silent is not asked twice."""
        return await probe(
            client,
            retry=self._policy.model_copy(update={"silences": 1}) if self._several else self._policy,
            load_timeout_s=self._load_timeout_s,
            needed=self._needed,
            reply_s=client.timeouts.probe_s if self._several else None,
        )

    def _needed(self) -> bool:
        return not self._settled
