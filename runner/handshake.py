"""The first words with the endpoints of one judge: who is there, do they serve one model, and what do they do?

One that is loading its model is waited for. Of several, those that cannot be reached are left out, and said.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from runner.client import ModelClient
from runner.errors import EndpointError, ServerError
from runner.loading import when_loaded
from runner.probe import NO_LISTING, Capabilities, check_listed, probe
from runner.retry import RetryPolicy, retried
from runner.standing import is_away

IDENTIFYING = ("root", "parent", "max_model_len", "meta", "quantization")
"""What servers say of a model under ``/v1/models`` that differs between models, and not between two servers of one."""


class Greeted(NamedTuple):
    """What one endpoint was found to be."""

    client: ModelClient
    told: dict[str, Any]
    """What it lists about the model, as far as that identifies the model."""
    capabilities: Capabilities


class Met(NamedTuple):
    """The endpoints of one judge that can be asked."""

    clients: tuple[ModelClient, ...]
    capabilities: Capabilities
    """Of all of them."""
    left_out: tuple[str, ...]
    """One line for each endpoint that could not be reached."""


async def meet(clients: Sequence[ModelClient], *, retry: RetryPolicy | None = None, load_timeout_s: float = 0.0) -> Met:
    """Return which of these endpoints can be asked, and what all of them do. Endpoints that load are waited for.

    They must list the name that is asked for, say the same of it as far as they say anything, and enforce the same way of
    asking for JSON. More cannot be seen from outside. Raises ServerError when they do not seem to serve one model, AccessDenied
    when one refuses the key, and EndpointError when one cannot be used or none can be reached.
    """
    policy = retry or RetryPolicy()
    outcomes = await asyncio.gather(
        *(_greet(client, policy, load_timeout_s) for client in clients), return_exceptions=True
    )
    away = [outcome for outcome in outcomes if isinstance(outcome, EndpointError) and is_away(outcome)]
    broken = [outcome for outcome in outcomes if isinstance(outcome, BaseException) and outcome not in away]
    greeted = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    if broken:
        raise broken[0]
    if not greeted:
        raise _unreached(away[0])
    _check_same(greeted)
    left_out = tuple(f"not used in this run, the others do its work: {error}" for error in away)
    return Met(tuple(one.client for one in greeted), greeted[0].capabilities, left_out)


def _unreached(error: EndpointError) -> EndpointError:
    if error.status is not None:
        return error  # something there answered, and said what is wrong
    advice = "see whether the server there is up, and whether the URL is right"
    return EndpointError(f"{error}; {advice}", transient=error.transient)


def _check_same(greeted: Sequence[Greeted]) -> None:
    first, *others = greeted
    for other in others:
        if (other.told, other.capabilities) != (first.told, first.capabilities):
            raise ServerError(
                f"{other.client.endpoint.base_url} does not serve {other.client.endpoint.model!r} as "
                f"{first.client.endpoint.base_url} does: found {_described(other)} instead of {_described(first)}; "
                "name endpoints of one model only"
            )


def _described(one: Greeted) -> str:
    counting = {True: ", a llama-cpp-python server", False: "", None: ", a server that does not say what it is"}
    return f"{one.told or 'nothing said'}, {one.capabilities.dialect}{counting[one.capabilities.counts_tokens]}"


async def _greet(client: ModelClient, policy: RetryPolicy, load_timeout_s: float) -> Greeted:
    entries = await _listed(client, policy, load_timeout_s)
    if entries is None:
        told = {}
    else:
        check_listed(client.endpoint, [str(entry.get("id")) for entry in entries])
        mine = next(entry for entry in entries if str(entry.get("id")) == client.endpoint.model)
        told = {name: mine[name] for name in IDENTIFYING if mine.get(name) is not None}
    return Greeted(client, told, await probe(client, retry=policy, load_timeout_s=load_timeout_s))


async def _listed(client: ModelClient, policy: RetryPolicy, load_timeout_s: float) -> list[dict[str, Any]] | None:
    """Return what the endpoint lists; ``None`` where there is no listing: there an unknown name is refused by the request itself."""
    try:
        return await retried(lambda: when_loaded(client.listing, within_s=load_timeout_s), policy)
    except EndpointError as error:
        if error.status in NO_LISTING:
            return None
        raise
