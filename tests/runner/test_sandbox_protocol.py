"""What goes through the pipe: values round trip exactly, and nothing dishonest gets through."""

import contextlib
import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.inside.codec import MAX_DEPTH, MAX_HEX_DIGITS, SMALL_INT, TooLarge, encode
from runner.protocol import (
    Call,
    Handle,
    Opaque,
    Return,
    Scripted,
    encode_value,
)
from runner.replies import Frames, Reply, Tampered, decode_value, frames

NONCE = "0123456789abcdef"
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary())
hashables = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=4), max_leaves=8
)
values = st.recursive(
    scalars | hashables | st.sets(hashables, max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(hashables, inner, max_size=4),
    max_leaves=20,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def through_json(data: Any) -> Any:
    return json.loads(json.dumps(data))


def same(left: Any, right: Any) -> bool:
    """Equal, of the same types all the way down: 1, 1.0 and True are three values."""
    if type(left) is not type(right) or left != right:
        return False
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    if isinstance(left, (list, tuple)):
        return all(map(same, left, right))
    if isinstance(left, (set, frozenset)):
        return {(type(item), item) for item in left} == {(type(item), item) for item in right}
    return math.copysign(1, left) == math.copysign(1, right) if isinstance(left, float) else True


def reply(**fields: Any) -> bytes:
    return json.dumps({"id": NONCE, "state": "returned", "value": None, **fields}).encode()


@given(values)
def test_a_value_comes_back_exactly_as_it_went(value: Any) -> None:
    assert same(decode_value(through_json(encode_value(value))), value)


LARGE_INTS = (SMALL_INT, SMALL_INT + 1, -SMALL_INT, -SMALL_INT - 1, 2**4000, -1)


@pytest.mark.parametrize(
    "value", [float("inf"), float("-inf"), -0.0, 5e-324, "\ud800", "\0", *LARGE_INTS, True, b"", {}, ()]
)
def test_awkward_values_come_back_exactly(value: Any) -> None:
    assert same(decode_value(through_json(encode_value(value))), value)


def test_not_a_number_comes_back() -> None:
    assert math.isnan(decode_value(through_json(encode_value(float("nan")))))


class AlwaysEqual(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __index__(self) -> int:
        return 42

    __hash__ = int.__hash__


class LyingText(str):
    def __str__(self) -> str:
        return "lie"


def test_a_subclass_arrives_as_what_its_builtin_base_holds() -> None:
    assert same(decode_value(encode_value([AlwaysEqual(-1), LyingText("truth")])), [-1, "truth"])


def test_an_opaque_object_equals_nothing_but_itself() -> None:
    first, second = decode_value(["opaque", "Thing"]), decode_value(["opaque", "Thing"])
    assert first == first
    assert first != second
    assert first.type_name == "Thing"
    assert isinstance(decode_value(["handle", "h1", "Stack"]), Handle)


@given(anything)
def test_arbitrary_data_is_a_value_or_tampering_and_never_an_error(data: Any) -> None:
    with contextlib.suppress(Tampered):
        decode_value(data)


@pytest.mark.parametrize(
    "data",
    [
        *(SMALL_INT + 1, -(10**30), 1.5, [], {"a": 1}, ["x", 1], [["i"], 1]),
        *(["i"], ["i", 5], ["i", "0xzz"], ["i", "0x" + "f" * MAX_HEX_DIGITS], ["i", "0x1", 2]),
        *(["f", "no"], ["f", "0x1p99999"], ["b", "0"], ["b", "\ud800"]),
        *(["l", {}], ["s", [["l", []]]], ["d", [[["l", []], None]]], ["d", [[None]]]),
        *(["opaque"], ["opaque", 5], ["handle", "a"], ["scripted", {}]),
    ],
)
def test_malformed_data_is_tampering(data: Any) -> None:
    with pytest.raises(Tampered):
        decode_value(data)


def test_keys_made_to_collide_are_tampering_and_cost_no_time() -> None:
    prime = 2**61 - 1
    keys = [["i", hex(number * prime)] for number in range(20_000)]
    with pytest.raises(Tampered, match="one hash"):
        decode_value(["s", keys])
    with pytest.raises(Tampered, match="one hash"):
        decode_value(["d", [[key, None] for key in keys]])


def test_nesting_beyond_the_limit_is_neither_sent_nor_taken() -> None:
    nested: Any = None
    for _ in range(MAX_DEPTH + 2):
        nested = [nested]
    with pytest.raises(TooLarge):
        encode(nested, lambda value: value)
    with pytest.raises(UsageError, match="too large"):
        encode_value(nested)
    data: Any = None
    for _ in range(MAX_DEPTH + 2):
        data = ["l", [data]]
    with pytest.raises(Tampered):
        decode_value(data)


def test_a_value_at_the_limit_of_depth_survives_the_reply() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH - 1):
        value = {0: value}
    assert Reply.parse(reply(value=encode_value(value)), NONCE).value() == value


def test_an_argument_that_cannot_go_in_is_named() -> None:
    with pytest.raises(UsageError, match="a object cannot go into the sandbox"):
        Call(target="f", args=(object(),)).request()


def test_a_scripted_callable_is_sent_as_a_description() -> None:
    scripted = Scripted(name="f", script=(Return(value=(1,)),))
    tag, spec = encode_value(scripted)
    assert tag == "scripted"
    assert spec["script"] == [["return", ["t", [1]]]]


# --- frames -------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 9))
def test_frames_are_cut_at_their_lengths_however_they_arrive(bodies: list[bytes], step: int) -> None:
    stream = b"".join(struct.pack(">I", len(body)) + body for body in bodies)
    frames = Frames(100)
    cut = [body for start in range(0, len(stream), step) for body in frames.feed(stream[start : start + step])]
    assert cut == bodies


def test_small_requests_share_one_frame_and_large_ones_have_one_each() -> None:
    assert [json.loads(body) for body in Frames(1000).feed(frames([{"op": "x"}, {"op": "y"}]))] == [
        [{"op": "x"}, {"op": "y"}]
    ]
    large = [{"op": "load", "code": letter * (1 << 18)} for letter in "ab"]
    assert [json.loads(body) for body in Frames(1 << 20).feed(frames(large))] == [[large[0]], [large[1]]]


def test_a_length_over_the_limit_is_tampering_before_it_has_arrived() -> None:
    with pytest.raises(Tampered, match="4294967295 bytes, the limit is 100"):
        Frames(100).feed(b"\xff\xff\xff\xff")


# --- replies ------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_never_a_reply(body: bytes) -> None:
    with pytest.raises(Tampered):
        Reply.parse(body, NONCE)


@pytest.mark.parametrize(
    "body",
    [
        reply(id="0" * 16),
        reply(id=5),
        reply(state="passed"),
        reply(state="timeout"),
        reply(state="died"),
        reply(state="tampered"),
        reply(state="raised"),
        reply(error={"type": "E", "bases": [], "message": "", "line": None}),
        reply(passed=True),
        reply(awaited="yes"),
        reply(work={"instructions": "1", "c_calls": 0, "touched": 0}),
        b"[" * 100_000,
        b'{"id":' * 50_000,
        b"9" * 1_000_000,
        b"null",
        b"",
        json.dumps({"id": NONCE, "state": "returned", "value": {"a": float("nan")}}).encode() + b"x",
    ],
)
def test_a_dishonest_reply_is_tampering(body: bytes) -> None:
    with pytest.raises(Tampered):
        Reply.parse(body, NONCE)


def test_changed_arguments_replace_the_ones_that_were_passed() -> None:
    parsed = Reply.parse(reply(after={"1": encode_value([1, 2])}), NONCE)
    assert parsed.args_after(("a", [2, 1], "c")) == ("a", [1, 2], "c")
    assert Reply.parse(reply(), NONCE).args_after(("a",)) is None


@pytest.mark.parametrize("index", ["1", "-1", "x", "01"])
def test_a_change_to_an_argument_that_was_not_passed_is_tampering(index: str) -> None:
    with pytest.raises(Tampered):
        Reply.parse(reply(after={index: None}), NONCE).args_after(("a",))


def test_a_nested_object_is_opaque() -> None:
    assert isinstance(Reply.parse(reply(value=["l", [["opaque", "T"]]]), NONCE).value()[0], Opaque)
