"""The choice among endpoints, as a function: nothing is asked, and the clock is a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import AccessDenied, BadReply, ContextExceeded, EndpointError, NoReply
from runner.standing import (
    FIRST_COOLING_S,
    LONGEST_COOLING_S,
    USELESS_IN_A_ROW,
    Lane,
    Standing,
    chosen,
    counts_against,
    failed,
    is_away,
    is_useless,
    may_be_had_elsewhere,
    replied_uselessly,
    rooms,
    succeeded,
)

GOOD = Standing()
times = st.floats(0, 1e4)
standings = st.builds(
    Standing, failures=st.integers(0, 40), useless=st.integers(0, 2), failed_s=times, avoided_until_s=times
)
lanes = st.builds(Lane, standings, allowed=st.integers(1, 256), in_flight=st.integers(0, 300))


def after(failures: int, *, at_s: float = 0.0, asked_s: float | None = None) -> Standing:
    """An endpoint that failed so often in a row, each time as soon as it was asked again."""
    standing, now_s = GOOD, at_s
    for _ in range(failures):
        standing = failed(standing, sent_s=now_s, now_s=now_s, asked_s=asked_s)
        now_s = standing.avoided_until_s
    return standing


def test_the_time_in_which_it_is_avoided_doubles_and_is_bounded() -> None:
    waits = [(standing := after(n)).avoided_until_s - standing.failed_s for n in (1, 2, 3, 4, 40, 10_000)]
    assert waits == [FIRST_COOLING_S * n for n in (1, 2, 4, 8)] + [LONGEST_COOLING_S] * 2


@pytest.mark.parametrize(("asked_s", "wait_s"), [(None, 1.0), (0.2, 1.0), (30.0, 30.0), (7200.0, LONGEST_COOLING_S)])
def test_it_is_left_alone_for_as_long_as_it_asks_within_bounds(asked_s: float | None, wait_s: float) -> None:
    assert after(1, asked_s=asked_s).avoided_until_s == wait_s


@pytest.mark.parametrize(("silent_s", "wait_s"), [(0.3, 1.0), (900.0, 900.0)])
def test_it_is_left_alone_for_as_long_as_it_kept_a_request_waiting(silent_s: float, wait_s: float) -> None:
    assert failed(GOOD, sent_s=0.0, now_s=silent_s, silent_s=silent_s).avoided_until_s == silent_s + wait_s


def test_requests_that_were_on_their_way_together_fail_once() -> None:
    one = failed(GOOD, sent_s=0.0, now_s=5.0)
    assert failed(one, sent_s=1.0, now_s=5.1) == one
    assert failed(one, sent_s=6.0, now_s=6.1).failures == 2


def test_only_a_reply_to_what_was_sent_after_the_failure_redeems_it() -> None:
    one = failed(GOOD, sent_s=0.0, now_s=5.0)
    assert succeeded(one, sent_s=4.0) == one
    assert succeeded(one, sent_s=6.0) == GOOD


def useless(replies: int, standing: Standing = GOOD, *, at_s: float = 0.0) -> Standing:
    """An endpoint that gave so many replies of no use, one after the other."""
    for _ in range(replies):
        standing = replied_uselessly(standing, sent_s=at_s, now_s=at_s)
    return standing


def test_replies_of_no_use_are_a_failure_once_they_come_in_a_row() -> None:
    assert [useless(n).failures for n in range(1, USELESS_IN_A_ROW + 1)] == [0] * (USELESS_IN_A_ROW - 1) + [1]
    assert useless(USELESS_IN_A_ROW).avoided_until_s == FIRST_COOLING_S


def test_a_good_reply_between_those_of_no_use_begins_the_row_anew() -> None:
    redeemed = succeeded(useless(USELESS_IN_A_ROW - 1), sent_s=0.0)
    assert redeemed == GOOD
    assert useless(USELESS_IN_A_ROW - 1, redeemed).failures == 0


def test_one_that_is_tried_again_and_is_still_of_no_use_is_left_alone_for_longer() -> None:
    bad = useless(USELESS_IN_A_ROW)
    again = useless(1, bad, at_s=bad.avoided_until_s)
    assert again.avoided_until_s - again.failed_s == 2 * FIRST_COOLING_S
    assert useless(1, bad, at_s=bad.failed_s - 0.1) == bad, "it was on its way before"


def test_one_that_is_avoided_gets_nothing_then_one_request_then_what_it_takes() -> None:
    bad, full = after(1), Lane(GOOD, 4, 4)
    assert rooms([Lane(bad, 4, 0), full], 0.5) == [0, 4]
    assert chosen([Lane(bad, 4, 0), full], 0.5) == 1
    assert rooms([Lane(bad, 4, 0), full], 1.0) == [1, 4]
    assert chosen([Lane(bad, 4, 0), full], 1.0) == 0
    assert chosen([Lane(bad, 4, 1), full], 1.0) == 1, "one request finds out whether it is back"
    assert chosen([Lane(succeeded(bad, sent_s=1.0), 4, 1), full], 1.5) == 0


def test_where_all_are_avoided_the_one_that_failed_once_is_asked_before_the_one_that_is_down() -> None:
    down, stumbled = after(9), after(1, at_s=200.0)
    now_s = 200.5
    assert down.avoided_until_s > stumbled.avoided_until_s > now_s
    assert chosen([Lane(down, 4, 0), Lane(stumbled, 4, 60)], now_s) == 1


@given(lanes, times)
def test_a_single_endpoint_is_always_chosen_with_all_that_its_pace_allows(lane: Lane, now_s: float) -> None:
    assert chosen([lane], now_s) == 0
    assert rooms([lane], now_s) == [lane.allowed]


@given(st.lists(lanes, min_size=2, max_size=5), times)
def test_nobody_who_is_avoided_is_chosen_while_one_that_never_failed_is_there(found: list[Lane], now_s: float) -> None:
    lane = found[chosen(found, now_s)]
    if any(other.standing.failures == 0 for other in found):
        assert lane.standing.failures == 0 or (lane.standing.avoided_until_s <= now_s and lane.in_flight == 0)
    assert sum(rooms(found, now_s)) >= 1


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (EndpointError("refused", transient=True), True),
        (EndpointError("proxy", status=502, transient=True), True),
        (EndpointError("slow down", status=429, transient=True), True),
        (EndpointError("a fault of this request", status=500, transient=True), False),
        (EndpointError("no such field", status=400), False),
        (EndpointError("no chat completion"), False),
        (BadReply("no finish reason", transient=True), False),
        (AccessDenied("no", status=401), False),
    ],
)
def test_what_is_about_the_endpoint_and_not_about_the_request(error: EndpointError, away: bool) -> None:
    assert is_away(error) is away


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (EndpointError("refused", transient=True), True),
        (NoReply("silent"), True),
        (EndpointError("proxy", status=502, transient=True), True),
        (EndpointError("engine dead", status=500, transient=True), True),
        (EndpointError("no such path", status=404), True),
        (EndpointError("a page and no completion"), False),
        (AccessDenied("no", status=401), True),
        (EndpointError("no such field", status=400), False),
        (EndpointError("no such field", status=422), False),
        (EndpointError("validation error", status=500), False),
        (ContextExceeded("too long", status=400), False),
        (ContextExceeded("too long", status=500), False),
        (BadReply("no finish reason", transient=True), False),
        (BadReply("withheld"), False),
    ],
)
def test_what_counts_against_an_endpoint_when_the_next_request_is_sent(error: EndpointError, counts: bool) -> None:
    assert counts_against(error) is counts


@pytest.mark.parametrize(
    ("error", "useless", "elsewhere"),
    [
        (EndpointError("a page and no completion"), True, True),
        (EndpointError("no such path", status=404), False, True),
        (BadReply("an empty body", transient=True), True, False),
        (BadReply("no finish reason", transient=True), True, False),
        (BadReply("withheld"), False, False),
        (EndpointError("refused", transient=True), False, False),
        (NoReply("silent"), False, False),
        (EndpointError("no such field", status=400), False, False),
        (ContextExceeded("too long", status=500), False, False),
    ],
)
def test_what_is_a_reply_of_no_use_and_what_another_endpoint_may_have(
    error: EndpointError, useless: bool, elsewhere: bool
) -> None:
    assert (is_useless(error), may_be_had_elsewhere(error)) == (useless, elsewhere)
