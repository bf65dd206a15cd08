"""Which of several endpoints of one model gets the next request: the one with the most room, and one that fails only now and then.

An endpoint that refuses or fails at once always has the fewest requests: without this it would be given all of them. Pure; the
clock is the caller's.

Decision: a reply that is of no use (a page, an empty body, JSON that breaks off, no finish reason) may be the doing of what was asked,
or of a single hiccup, so one is held against nobody. ``USELESS_IN_A_ROW`` of them without a good one between are: the endpoint is then
left alone, and tried again with one request, as one that refuses connections is. Cost: its first requests, which others answer. Two in
a row would often be one request that is asked again; where every endpoint does it, none is better, and nothing changes.
``tests/runner/test_balance.py`` has such endpoints.
"""

from collections.abc import Sequence
from typing import NamedTuple

from runner.errors import BadReply, ContextExceeded, EndpointError
from runner.types import Value

FIRST_COOLING_S = 1.0
LONGEST_COOLING_S = 60.0
"""An endpoint that is back gets work again within this time, or within that for which it kept a request waiting in vain."""
USELESS_IN_A_ROW = 3
"""Replies that are of no use, with no good one between them, that are no accident."""
AWAY = frozenset({429, 502, 503, 504})
"""HTTP statuses that are about the endpoint and not about the request."""
OF_THE_REQUEST = frozenset({400, 422})
"""HTTP statuses that are about the request: any endpoint would refuse it."""
ELSEWHERE = frozenset({404, 405, 410, 501})
"""HTTP statuses for good that are about the endpoint: what it does not have, another one of the same model may have."""


class Standing(Value):
    """How one endpoint has done lately."""

    failures: int = 0
    """In a row; 0 is an endpoint that nothing is known against."""
    useless: int = 0
    """Replies of no use in a row, while they do not count as failures yet."""
    failed_s: float = float("-inf")
    """When the newest of them was counted: what was sent before it says nothing of the time since."""
    avoided_until_s: float = float("-inf")
    """Before this it gets nothing while others can be asked, and after it one request at a time until one succeeds."""


class Lane(NamedTuple):
    """One endpoint as the choice sees it."""

    standing: Standing
    allowed: int
    """Requests that its pace allows, at least 1."""
    in_flight: int


def is_away(error: EndpointError) -> bool:
    """True when the endpoint could not be reached, or said that it cannot be asked now."""
    silent = error.status is None and error.transient and not isinstance(error, BadReply)
    return error.status in AWAY or silent


def is_useless(error: EndpointError) -> bool:
    """True when a reply arrived that is none, whatever was asked: a page, an empty body, half of an object, one that was broken off.

    What a filter withheld is a matter of the request: there the endpoint did what it is for.
    """
    is_cut = isinstance(error, BadReply) and error.transient
    return error.status is None and (is_cut or _is_unreadable(error))


def may_be_had_elsewhere(error: EndpointError) -> bool:
    """True when asking the same endpoint again is known not to help, and another one of the same model may have what is asked for."""
    return error.status in ELSEWHERE or _is_unreadable(error)


def _is_unreadable(error: EndpointError) -> bool:
    """True for something else than a completion, such as a page."""
    return error.status is None and not error.transient and not isinstance(error, BadReply)


def counts_against(error: EndpointError) -> bool:
    """True when the next request had better go to another endpoint: for all that may be about this one, down or not.

    A fault of 500 may be that of a single request, and an endpoint that has nothing else to say answers faster than all others
    and would be given everything. Of a request that is refused by what is in it (500 for good is how llama-cpp-python says so)
    another endpoint would say the same. Replies that are of no use count when they come in a row (``replied_uselessly``).
    """
    refused = error.status in OF_THE_REQUEST or (error.status == 500 and not error.transient)
    return not (refused or is_useless(error) or isinstance(error, ContextExceeded | BadReply))


def failed(
    standing: Standing, *, sent_s: float, now_s: float, asked_s: float | None = None, silent_s: float = 0.0
) -> Standing:
    """Return the standing after a request of ``sent_s`` failed; ``asked_s``: how long the endpoint asked to be left alone.

    ``silent_s``: how long it kept the request waiting for nothing. It is left alone for as long: the one that finds out whether
    it is back may be kept as long again, and take the only turn that there is.
    Requests that were on their way together fail together, and count once.
    """
    if sent_s < standing.failed_s:
        return standing
    # The exponent is bounded because an endpoint may be down for a night.
    growing_s = FIRST_COOLING_S * 2 ** min(standing.failures, 16)
    cooling_s = max(silent_s, min(LONGEST_COOLING_S, max(growing_s, asked_s or 0.0)))
    return Standing(failures=standing.failures + 1, failed_s=now_s, avoided_until_s=now_s + cooling_s)


def replied_uselessly(standing: Standing, *, sent_s: float, now_s: float) -> Standing:
    """Return the standing after a request of ``sent_s`` got a reply of no use: of one that is being tried again it is one too many."""
    if standing.failures or standing.useless + 1 >= USELESS_IN_A_ROW:
        return failed(standing, sent_s=sent_s, now_s=now_s)
    return standing.model_copy(update={"useless": standing.useless + 1})


def succeeded(standing: Standing, *, sent_s: float) -> Standing:
    """Return the standing after a request of ``sent_s`` got its reply."""
    if not (standing.failures or standing.useless) or sent_s < standing.failed_s:
        return standing
    return Standing()


def rooms(lanes: Sequence[Lane], now_s: float) -> list[int]:
    """Return how many requests each endpoint may have: where all have failed none is better, and all may have what they could."""
    if all(lane.standing.failures for lane in lanes):
        return [lane.allowed for lane in lanes]
    return [_room(lane, now_s) for lane in lanes]


def chosen(lanes: Sequence[Lane], now_s: float) -> int:
    """Return the place of the endpoint that gets the next request; where all are avoided, of the one that is so for the shortest."""

    def preference(place: int) -> tuple[bool, float, float]:
        lane = lanes[place]
        open_now = lane.standing.failures == 0 or lane.in_flight < _room(lane, now_s)
        until_s = float("-inf") if open_now else lane.standing.avoided_until_s
        return not open_now, until_s, lane.in_flight / lane.allowed

    return min(range(len(lanes)), key=preference)


def _room(lane: Lane, now_s: float) -> int:
    if lane.standing.failures == 0:
        return lane.allowed
    return 1 if now_s >= lane.standing.avoided_until_s else 0
