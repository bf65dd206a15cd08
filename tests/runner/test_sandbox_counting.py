"""How the work of a call is counted, and how a cap on it ends the call."""

from typing import Any

import pytest

from runner.protocol import Call, Counted, Counting
from runner.sandbox import Sandbox

SEARCHES = """
def linear(items, wanted):
    for item in items:
        if item == wanted:
            return True
    return False
def in_c(items, wanted): return wanted in items
def quadratic(text):
    return sum(text[i:j] == text[i:j][::-1] for i in range(len(text)) for j in range(i, len(text)))
def forever():
    while True:
        try:
            while True: pass
        except BaseException: pass
"""


async def counted(name: str, *args: Any, cap: int | None = None) -> Any:
    async with Sandbox() as sandbox:
        await sandbox.load(SEARCHES)
        return (await sandbox.run([Call(target=name, args=args, count=Counting(cap=cap))]))[0]


async def test_work_grows_with_the_input_as_the_algorithm_says() -> None:
    small, large = [(await counted("linear", list(range(n)), -1)).work for n in (100, 1000)]
    assert large.instructions / small.instructions == pytest.approx(10, rel=0.2)


async def test_the_same_call_counts_the_same_every_time() -> None:
    assert (await counted("linear", [1, 2], 2)).work == (await counted("linear", [1, 2], 2)).work


async def test_work_hidden_in_c_shows_in_counted_arguments() -> None:
    plain = (await counted("in_c", list(range(1000)), -1)).work
    seen = (await counted("in_c", Counted(value=list(range(1000))), -1)).work
    assert plain.touched == 0
    assert seen.touched == 1000
    by_key = (await counted("in_c", list(range(1000)), Counted(value=-1))).work
    assert by_key.touched == 1000


async def test_slices_of_a_counted_text_count_their_characters() -> None:
    small, large = [(await counted("quadratic", Counted(value="a" * n))).work.touched for n in (10, 20)]
    assert large / small == pytest.approx(8, rel=0.25), "cubic in the length"


@pytest.mark.parametrize("name", ["linear", "forever"])
async def test_a_cap_ends_the_call_though_the_answer_catches_everything(name: str) -> None:
    args = (list(range(100_000)), -1) if name == "linear" else ()
    result = await counted(name, *args, cap=5_000)
    assert result.state in ("aborted", "timeout")
    assert result.value is None


async def test_an_aborted_call_leaves_the_sandbox_usable() -> None:
    async with Sandbox() as sandbox:
        await sandbox.load(SEARCHES)
        calls = [Call(target="linear", args=(list(range(9_999)), -1), count=Counting(cap=100))]
        calls += [Call(target="linear", args=([1], 1))]
        assert [result.state for result in await sandbox.run(calls)] == ["aborted", "returned"]
