"""How many requests an endpoint gets: against simulated servers, on a simulated clock."""

import heapq

import pytest

from runner.pace import CEILING, START, Pace, refused, replied

Limits = list[int]


def simulated(seconds: float, *, slots: int, service_s: float = 1.0, refuses: bool = False) -> tuple[Limits, int]:
    """Ask a server that works on ``slots`` requests at a time and queues, or refuses, the others. Returns limits and replies."""
    pace, now_s, limits, replies = Pace(), 0.0, [], 0
    free_at_s = [0.0] * slots
    on_their_way: list[tuple[float, float, bool]] = []  # when it comes back, when it was sent, whether it was refused
    while now_s < seconds:
        while len(on_their_way) < pace.allowed:
            busy = sum(at_s > now_s for at_s in free_at_s)
            if refuses and busy >= slots:
                heapq.heappush(on_their_way, (now_s + 0.05, now_s, True))
                continue
            begins_s = max(now_s, heapq.heappop(free_at_s))
            heapq.heappush(free_at_s, begins_s + service_s)
            heapq.heappush(on_their_way, (begins_s + service_s, now_s, False))
        in_flight = len(on_their_way)
        now_s, sent_s, was_refused = heapq.heappop(on_their_way)
        if was_refused:
            pace = refused(pace, sent_s=sent_s, now_s=now_s)
        else:
            pace = replied(pace, sent_s=sent_s, now_s=now_s, in_flight=in_flight)
            replies += 1
        limits.append(pace.allowed)
    return limits, replies


@pytest.mark.parametrize("slots", [1, 8, 40])
def test_a_server_that_queues_is_kept_busy_and_not_buried(slots: int) -> None:
    limits, replies = simulated(200, slots=slots)
    assert replies >= 0.9 * 200 * slots
    assert max(limits[len(limits) // 2 :]) <= 4 * slots + START


@pytest.mark.parametrize("slots", [4, 40])
def test_a_server_that_refuses_is_asked_for_about_what_it_takes(slots: int) -> None:
    limits, replies = simulated(200, slots=slots, refuses=True)
    settled = limits[len(limits) // 2 :]
    assert replies >= 0.6 * 200 * slots
    assert max(settled) <= slots + 1
    assert min(settled) >= slots // 2 - 1


def test_a_fast_server_gets_twice_as_much_every_round_trip() -> None:
    limits, _ = simulated(5, slots=1000)
    assert limits[-1] >= START * 2**4


def test_the_limit_ends_at_the_ceiling() -> None:
    limits, _ = simulated(12, slots=1000)
    assert max(limits) == CEILING


def test_a_burst_of_refusals_of_one_round_trip_cuts_once() -> None:
    pace = Pace(limit=32)
    for _ in range(20):
        pace = refused(pace, sent_s=1.0, now_s=2.0)
    assert pace.allowed == 16
    assert refused(pace, sent_s=3.0, now_s=3.1).allowed == 8


def test_the_limit_never_falls_below_one_request() -> None:
    pace = Pace()
    for second in range(10):
        pace = refused(pace, sent_s=float(second), now_s=second + 0.5)
    assert pace.allowed == 1


def test_a_limit_that_is_not_made_use_of_does_not_grow() -> None:
    pace = replied(Pace(), sent_s=0.0, now_s=1.0, in_flight=2)
    assert pace.limit == START


def test_replies_that_get_slower_while_more_of_them_come_are_a_server_that_batches() -> None:
    pace, now_s = Pace(), 0.0
    for _ in range(400):
        latency_s = 1.0 + pace.allowed / 16  # 64 at a time take 5 s each: 13 a second, where 4 at a time gave 3
        pace = replied(pace, sent_s=now_s, now_s=now_s + latency_s, in_flight=pace.allowed)
        now_s += latency_s / pace.allowed
    assert pace.allowed >= 64
