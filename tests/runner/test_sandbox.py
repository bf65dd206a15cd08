"""What a check can do with an answer: call it, within limits, keep its objects and use them, and hammer it from threads."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from sandboxes import QUICK, behind_every_wall

from runner.errors import SandboxError, UsageError
from runner.outcomes import Limits
from runner.protocol import Builtin, Call, Global, Handle, Opaque, Threads
from runner.sandbox import Sandbox

# --- calling ------------------------------------------------------------------------------------------------------


async def call(code: str, target: str, *args: Any, **options: Any) -> Any:
    async with Sandbox(**options) as sandbox:
        loaded = await sandbox.load(code)
        assert loaded.ok, loaded
        return await sandbox.call(target, *args)


async def test_a_call_returns_exact_builtin_values() -> None:
    code = "import collections\ndef f(*a, **k): return a, k, {1: {2.5}, 'b': b'x', None: frozenset([True])}\n"
    async with Sandbox() as sandbox:
        await sandbox.load(code)
        result = await sandbox.call("f", [1], x=("y",))
    assert result.value == (([1],), {"x": ("y",)}, {1: {2.5}, "b": b"x", None: frozenset([True])})


async def test_an_exception_is_an_outcome_with_type_bases_message_and_line() -> None:
    result = await call("class Empty(IndexError): pass\ndef f():\n    raise Empty('nothing here')\n", "f")
    assert result.state == "raised"
    assert (result.error.type, result.error.message, result.error.line) == ("Empty", "nothing here", 3)
    assert result.error.is_a("LookupError")
    assert not result.error.is_a("KeyError")


async def test_what_the_answer_does_not_have_is_missing_and_not_an_error_of_the_answer() -> None:
    async with Sandbox() as sandbox:
        await sandbox.load("class A: pass\n")
        missing = await sandbox.call("f")
        handle = (await sandbox.call("A")).value
        method = await sandbox.call(handle.method("push"), 1)
        never = await sandbox.call(Handle().method("push"), 1)
    assert (missing.state, missing.message) == ("missing", "the answer defines no 'f'")
    assert (method.state, method.message) == ("missing", "A has no attribute 'push'")
    assert never.state == "missing"


async def test_arguments_changed_in_place_come_back() -> None:
    code = "def f(a, b, c):\n    a.sort()\n    c['x'] = 1\n"
    assert (await call(code, "f", [3, 1], [5], {})).args_after == ([1, 3], [5], {"x": 1})
    assert (await call(code, "f", [1, 3], [5], {"x": 1})).args_after is None


@behind_every_wall
async def test_coroutines_are_awaited() -> None:
    code = "import asyncio\nasync def f(x):\n    await asyncio.sleep(0.01)\n    return x\ndef g(x): return f(x)\n"
    assert [((r := await call(code, name, 4)).value, r.awaited) for name in ("f", "g")] == [(4, True), (4, True)]


@behind_every_wall
async def test_output_of_a_call_is_kept_apart_and_cut_to_its_end() -> None:
    async with Sandbox(limits=Limits(stdout_bytes=100)) as sandbox:
        await sandbox.load("import sys\nprint('loading')\ndef f(n): print('x' * n, 'end', file=sys.stderr)\n")
        short, long = [await sandbox.call("f", n) for n in (1, 100_000)]
    assert short.stdout == "x end\n"
    assert long.stdout == "x" * 95 + " end\n"


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("def f(): return [object()]", "object"),
        ("def f():\n    a = []\n    a.append(a)\n    return [a]", "list with more than"),
        ("def f(): return [0] * 300_000", "list with more than"),
        ("def f(): return ['x' * 3_000_000]", "a reply of"),
        ("def f(): return [1 << 200_000]", "list with an integer"),
    ],
)
async def test_what_cannot_be_sent_comes_back_opaque(code: str, note: str) -> None:
    value = (await call(code, "f")).value
    opaque = value[0] if isinstance(value, list) else value
    assert isinstance(opaque, Opaque)
    assert note in opaque.type_name


@behind_every_wall
async def test_running_out_of_memory_is_an_exception_of_the_answer_and_leaves_it_usable() -> None:
    async with Sandbox(limits=Limits(memory_bytes=256 << 20)) as sandbox:
        await sandbox.load("def f(n): return len(bytearray(n))\n")
        assert (await sandbox.call("f", 1 << 30)).error.type == "MemoryError"
        assert (await sandbox.call("f", 5)).value == 5


async def test_endless_recursion_is_an_exception_of_the_answer() -> None:
    assert (await call("def f(): return f()\n", "f")).error.type == "RecursionError"


@behind_every_wall
async def test_processor_time_is_limited_over_all_calls() -> None:
    async with Sandbox(limits=Limits(cpu_s=1, call_wall_s=5.0)) as sandbox:
        await sandbox.load("def f():\n    while True: pass\n")
        result = await sandbox.call("f")
    assert (result.state, result.message) == ("died", "killed: out of processor time or memory, or by its own hand")


async def test_the_whole_answer_has_a_wall_clock_limit() -> None:
    async with Sandbox(limits=Limits(answer_wall_s=1.0)) as sandbox:
        await sandbox.load("import time\ndef f(): time.sleep(0.4)\n")
        states = [(await sandbox.call("f")).state for _ in range(4)]
    assert states[0] == "returned"
    assert states[-1] == "timeout"


@behind_every_wall
async def test_after_its_end_a_sandbox_says_the_same_of_every_further_call() -> None:
    async with Sandbox(limits=QUICK) as sandbox:
        await sandbox.load("import time\ndef f(): time.sleep(60)\n")
        started = time.monotonic()
        results = await sandbox.run([Call(target="f")] * 3)
    assert [result.state for result in results] == ["timeout"] * 3
    assert time.monotonic() - started < 3
    assert sandbox.end == ("timeout", "no result within 1 s")


async def test_a_sandbox_that_was_not_entered_says_how_to_use_it() -> None:
    with pytest.raises(UsageError, match="async with"):
        await Sandbox().call("f")


async def test_a_limit_under_which_python_cannot_run_is_our_error_and_not_the_answers() -> None:
    with pytest.raises(SandboxError, match="did not start"):
        async with Sandbox(limits=Limits(answer_wall_s=0.001)):
            pytest.fail("started within a millisecond")


DESCRIPTORS = """
import os
def is_open(fd):
    try:
        return bool(os.fstat(fd))
    except OSError:
        return False
def f(): return sum(map(is_open, range(1024)))
"""


@behind_every_wall
async def test_inside_there_are_only_three_streams_and_two_pipes() -> None:
    assert (await call(DESCRIPTORS, "f")).value == 5


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@behind_every_wall
async def test_nothing_is_left_open_outside() -> None:
    await call("def f(): return 1\n", "f")
    before = open_descriptors()
    for _ in range(3):
        await call("def f(): return 1\n", "f")
    assert open_descriptors() == before


@behind_every_wall
async def test_many_sandboxes_run_at_once() -> None:
    code = "def f(n): return n * n\n"
    results = await asyncio.gather(*(call(code, "f", n) for n in range(12)))
    assert [result.value for result in results] == [n * n for n in range(12)]


# --- objects ------------------------------------------------------------------------------------------------------

STACK = """
class Stack(list):
    limit = 3
    def push(self, item): self.append(item)
    @property
    def size(self): return len(self)
    def merged(self, other): return Stack(list(self) + list(other))
def count():
    n = 0
    while True:
        n += 1
        yield n
def total(stack): return sum(stack)
"""


async def test_an_object_is_used_through_its_handle_in_one_round_trip() -> None:
    stack = Handle()
    async with Sandbox() as sandbox:
        await sandbox.load(STACK)
        results = await sandbox.run(
            [
                Call(target="Stack", keep=stack),
                Call(target=stack.method("push"), args=(5,)),
                Call(target=stack.method("push"), args=(7,)),
                Call(target=Builtin(name="getattr"), args=(stack, "size")),
                Call(target="total", args=(stack,)),
                Call(target=Builtin(name="list"), args=(stack,)),
            ]
        )
    assert [result.value for result in results[1:]] == [None, None, 2, 12, [5, 7]]
    assert results[0].value.type_name == "Stack", "an instance of a class of the answer is kept, though it is a list"


async def test_a_result_that_is_an_object_becomes_a_handle() -> None:
    async with Sandbox() as sandbox:
        await sandbox.load(STACK)
        counter = (await sandbox.call("count")).value
        assert counter.type_name == "generator"
        assert [(await sandbox.call(Builtin(name="next"), counter)).value for _ in range(3)] == [1, 2, 3]
        kept = (await sandbox.run([Call(target="Stack", args=([1],), keep=Handle())]))[0].value
        assert (await sandbox.get(kept, "limit")).value == 3
        assert (await sandbox.get(kept, "nothing")).error.type == "AttributeError"
        assert (await sandbox.call(Builtin(name="isinstance"), kept, Global(name="Stack"))).value is True
        assert (await sandbox.call("Stack.push", kept, 2)).value is None
        assert (await sandbox.call(Builtin(name="list"), kept)).value == [1, 2]


async def test_replacing_builtins_does_not_change_what_a_check_calls() -> None:
    code = "import builtins\nbuiltins.sorted = lambda x: 99\n"
    async with Sandbox() as sandbox:
        await sandbox.load(code)
        assert (await sandbox.call(Builtin(name="sorted"), [2, 1])).value == [1, 2]


# --- threads ------------------------------------------------------------------------------------------------------

LIMITER = """
import threading, time
class Racy:
    def __init__(self, n): self.left = n
    def allow_request(self):
        if self.left >= 1:
            self.left -= 1
            return True
        return False
class Locked(Racy):
    def __init__(self, n):
        super().__init__(n)
        self.lock = threading.Lock()
    def allow_request(self):
        with self.lock:
            return super().allow_request()
def fail(): raise RuntimeError("in a thread")
"""


async def allowed(name: str, seed: int) -> int:
    limiter = Handle()
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(LIMITER)
        hammer = Call(target=limiter.method("allow_request"), threads=Threads(threads=8, calls=20, seed=seed))
        results = await sandbox.run([Call(target=name, args=(50,), keep=limiter), hammer])
    assert [len(answers) for answers in results[1].value] == [20] * 8, results[1]
    return sum(answer for answers in results[1].value for answer in answers)


async def test_hammering_shows_a_missing_lock_and_leaves_a_lock_in_peace() -> None:
    assert max([await allowed("Racy", seed) for seed in range(3)]) > 50
    assert [await allowed("Locked", seed) for seed in range(3)] == [50] * 3


@behind_every_wall
async def test_an_exception_in_a_thread_is_the_outcome_of_the_call() -> None:
    async with Sandbox() as sandbox:
        await sandbox.load(LIMITER)
        result = (await sandbox.run([Call(target="fail", threads=Threads(threads=4, calls=2))]))[0]
    assert (result.state, result.error.message) == ("raised", "in a thread")
