"""How many requests an endpoint is given at a time: additive increase, multiplicative decrease. Pure; the clock is the caller's.

As in TCP (Chiu and Jain 1989; RFC 5681): the limit doubles every round trip until the first sign of too much, is then cut, and
grows by one a round trip from there. Signs are 429, 503, and waiting: replies that take more than twice as long as they could
while no more of them come per second. Slower replies alone are no sign: a server that batches gives more of them in all.
"""

from runner.types import Value

START = 4.0
CEILING = 256.0
"""More open connections than this are a load by themselves."""
OVERLOAD_CUT = 0.5
QUEUE_CUT = 0.8
SLOWER = 2.0
"""Times the fastest latency that counts as waiting."""
WEIGHT = 0.1
"""Of the newest latency in the smoothed one: about the last twenty replies count."""
FADING = 0.998
"""What the best rate loses with every reply, so that an endpoint may become slower for good."""
OVERLOADED = frozenset({429, 503})
"""HTTP statuses that ask for fewer requests."""


class Pace(Value):
    """What is known about how much an endpoint takes."""

    limit: float = START
    """Requests at a time; what is used is the whole part."""
    doubling: bool = True
    """True until the first sign of too much."""
    latency_s: float | None = None
    """Smoothed; ``None`` before the first reply."""
    fastest_s: float | None = None
    """Lowest smoothed latency."""
    best_rate: float = 0.0
    """Highest limit / latency, replies per second; fades."""
    cut_s: float = float("-inf")
    """When the limit was cut last: requests that were sent before it say nothing about the limit of today."""

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now, at least 1."""
        return max(1, int(self.limit))


def replied(pace: Pace, *, sent_s: float, now_s: float, in_flight: int) -> Pace:
    """Return the pace after a reply that came at ``now_s`` to a request of ``sent_s``, while ``in_flight`` were on their way."""
    latency_s = _smoothed(pace.latency_s, max(now_s - sent_s, 1e-6))
    rate = pace.limit / latency_s
    known = pace.model_copy(
        update={
            "latency_s": latency_s,
            "fastest_s": min(latency_s, pace.fastest_s or latency_s),
            "best_rate": max(rate, pace.best_rate * FADING),
        }
    )
    if sent_s < pace.cut_s or in_flight < pace.allowed:  # an old limit, or one that was not made use of
        return known
    if _queues(known, rate):
        return _cut(known, QUEUE_CUT, now_s)
    step = 1.0 if pace.doubling else 1.0 / pace.limit
    return known.model_copy(update={"limit": min(CEILING, pace.limit + step)})


def refused(pace: Pace, *, sent_s: float, now_s: float) -> Pace:
    """Return the pace after an endpoint said that this was too much; all that it says about one limit counts once."""
    return pace if sent_s < pace.cut_s else _cut(pace, OVERLOAD_CUT, now_s)


def _smoothed(before_s: float | None, newest_s: float) -> float:
    return newest_s if before_s is None else before_s + WEIGHT * (newest_s - before_s)


def _queues(pace: Pace, rate: float) -> bool:
    assert pace.latency_s is not None and pace.fastest_s is not None
    return pace.latency_s > SLOWER * pace.fastest_s and rate < pace.best_rate


def _cut(pace: Pace, factor: float, now_s: float) -> Pace:
    return pace.model_copy(update={"limit": max(1.0, pace.limit * factor), "doubling": False, "cut_s": now_s})
