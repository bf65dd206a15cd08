"""What a check can do with an answer: load it, call it, watch the clock, count its work, hammer it from threads."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from runner.errors import SandboxError, UsageError
from runner.outcomes import Limits
from runner.protocol import Builtin, Call, Counted, Counting, Global, Handle, Opaque, Raise, Return, Scripted, Threads
from runner.sandbox import Sandbox

behind_every_wall = pytest.mark.usefixtures("each_wall")
QUICK = Limits(call_wall_s=1.0, cpu_s=3)


async def load_one(code: str, **options: Any) -> Any:
    async with Sandbox(**options) as sandbox:
        return await sandbox.load(code)


# --- loading ------------------------------------------------------------------------------------------------------

SURROUNDINGS = """
import posix, sys
def modules():
    return sorted(sys.modules)
def finders():
    return [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path]
def descriptors():
    return [fd for fd in range(64) if _is_open(fd)]
def _is_open(fd):
    try:
        posix.fstat(fd)
        return True
    except OSError:
        return False
def import_ours():
    import inside.server
"""
COSTLY = {"asyncio", "collections", "ctypes", "enum", "functools", "inspect", "json", "os", "re", "threading", "typing"}


async def test_a_start_imports_nothing_costly_and_leaves_nothing_of_ours_in_sight() -> None:
    async with Sandbox() as sandbox:
        assert (await sandbox.load(SURROUNDINGS)).ok
        modules = set((await sandbox.call("modules")).value)
        assert not modules & COSTLY
        assert not [name for name in modules if name.partition(".")[0] == "inside"]
        assert (await sandbox.call("finders")).value == ["BuiltinImporter", "FrozenImporter", "PathFinder"]
        assert (await sandbox.call("import_ours")).error.type == "ModuleNotFoundError"


async def test_an_answer_finds_collections_abc_as_in_a_program_that_has_imported_more() -> None:
    loaded = await load_one("import collections\ndef f(x: collections.abc.Iterable): ...\n")
    assert loaded.ok, loaded.error


@behind_every_wall
async def test_only_the_standard_streams_and_two_pipes_are_open_inside() -> None:
    async with Sandbox() as sandbox:
        assert (await sandbox.load(SURROUNDINGS)).ok
        found = (await sandbox.call("descriptors")).value
        assert found[:3] == [0, 1, 2]
        assert len(found) == 5


INVENTORY = '''
"""A module."""
import functools
from dataclasses import dataclass
from os.path import join

def plain(a, /, b: int, *rest: str, c: float = 1.5, **more) -> "list[int]":
    """Do it."""

async def waiting(): ...

def generating():
    yield 1

@functools.lru_cache(maxsize=None)
def cached(n: int | None) -> int: ...

anonymous = lambda x: x

class Base:
    def inherited(self): ...

class Stack(Base, dict):
    """Last in, first out."""
    def __init__(self, capacity: int = 3): ...
    def push(self, item): ...
    @property
    def size(self) -> int: return 0
    @classmethod
    def of(cls, *items): ...
    @staticmethod
    def helper(x): ...

@dataclass
class Point:
    x: int
    y: int = 0
'''


async def test_the_inventory_lists_what_the_answer_defines_in_order() -> None:
    inventory = (await load_one(INVENTORY)).inventory
    assert [function.name for function in inventory.functions] == [
        "plain",
        "waiting",
        "generating",
        "cached",
        "anonymous",
    ]
    assert [cls.name for cls in inventory.classes] == ["Base", "Stack", "Point"]


async def test_the_inventory_describes_parameters_as_they_were_written() -> None:
    plain, waiting, generating, cached, _ = (await load_one(INVENTORY)).inventory.functions
    assert [(p.name, p.kind, p.default, p.annotation) for p in plain.parameters] == [
        ("a", "positional_only", None, None),
        ("b", "positional_or_keyword", None, "int"),
        ("rest", "var_positional", None, "str"),
        ("c", "keyword_only", "1.5", "float"),
        ("more", "var_keyword", None, None),
    ]
    assert (plain.returns, plain.doc, plain.line) == ("list[int]", "Do it.", 7)
    assert (waiting.is_async, waiting.is_generator) == (True, False)
    assert (generating.is_async, generating.is_generator) == (False, True)
    assert [(p.name, p.annotation) for p in cached.parameters] == [("n", "int | None")]


async def test_the_inventory_describes_methods_properties_and_inherited_ones() -> None:
    _, stack, point = (await load_one(INVENTORY)).inventory.classes
    assert (stack.bases, stack.doc) == (("Base", "dict"), "Last in, first out.")
    assert {method.name: method.kind for method in stack.methods} == {
        "inherited": "method",
        "__init__": "method",
        "push": "method",
        "size": "property",
        "of": "classmethod",
        "helper": "staticmethod",
    }
    assert [p.name for p in stack.method("push").parameters] == ["item"]
    assert [p.name for p in point.method("__init__").parameters] == ["x", "y"]
    assert stack.method("pop") is None


async def test_code_for_the_command_line_does_not_run() -> None:
    loaded = await load_one("if __name__ == '__main__':\n    raise SystemExit('ran')\n")
    assert loaded.ok


@pytest.mark.parametrize(
    ("code", "kind", "line"),
    [
        ("def f(:\n", "SyntaxError", 1),
        ("x = 1\nimport numpy_that_is_not_there\n", "ModuleNotFoundError", 2),
        ("\n\nx = 1 / 0\n", "ZeroDivisionError", 3),
        ("import sys\nsys.exit(0)\n", "SystemExit", 2),
        ("name = input('? ')\n", "EOFError", 1),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
        ("x = '\\ud800' + \udc80\n", "UnicodeEncodeError", None),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E\n", "E", 3),
    ],
)
async def test_an_answer_that_does_not_load_says_why_and_where(code: str, kind: str, line: int | None) -> None:
    loaded = await load_one(code)
    assert (loaded.state, loaded.error.type, loaded.error.line) == ("error", kind, line)


async def test_loading_that_never_ends_is_a_timeout_and_prints_are_kept() -> None:
    loaded = await load_one("print('before')\nwhile True: pass\n", limits=QUICK)
    assert (loaded.state, loaded.stdout) == ("timeout", "before\n")
    assert loaded.message == "no result within 1 s"


@behind_every_wall
async def test_loading_that_kills_the_process_is_a_death_with_its_signal() -> None:
    loaded = await load_one("import ctypes\nctypes.string_at(1)\n")
    assert (loaded.state, loaded.message) == ("died", "ended by SIGSEGV")


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


# --- scripted callables and the clock -----------------------------------------------------------------------------

RETRY = """
import asyncio, functools, time

def retry(max_attempts=3, delay=1.0, backoff=2.0):
    def decorate(function):
        if asyncio.iscoroutinefunction(function):
            @functools.wraps(function)
            async def again(*args, **kwargs):
                wait = delay
                for attempt in range(max_attempts):
                    try:
                        return await function(*args, **kwargs)
                    except Exception:
                        if attempt == max_attempts - 1:
                            raise
                        await asyncio.sleep(wait)
                        wait *= backoff
        else:
            @functools.wraps(function)
            def again(*args, **kwargs):
                wait = delay
                for attempt in range(max_attempts):
                    try:
                        return function(*args, **kwargs)
                    except Exception:
                        if attempt == max_attempts - 1:
                            raise
                        time.sleep(wait)
                        wait *= backoff
        return again
    return decorate
"""


@behind_every_wall
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_decorator_is_applied_to_a_scripted_function_on_the_fake_clock(is_async: bool) -> None:
    steps = (Raise(type="ValueError", message="x"), Raise(type="Custom"), Return(value={"ok": 1}))
    function = Scripted(name="fetch", is_async=is_async, docstring="Fetch it.", script=steps)
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(RETRY)
        decorate = (await sandbox.call("retry", max_attempts=3, delay=1.0, backoff=2.0)).value
        wrapped = (await sandbox.call(decorate, function)).value
        started = time.monotonic()
        result = await sandbox.call(wrapped, 1, key="two")
        names = [(await sandbox.get(wrapped, name)).value for name in ("__name__", "__doc__")]
        original = (await sandbox.get(wrapped, "__wrapped__")).value
        calls = await sandbox.calls_of(function)
        sleeps = await sandbox.sleeps()
        assert await sandbox.elapsed_s() == pytest.approx(3.0)
    assert (result.value, result.awaited) == ({"ok": 1}, is_async)
    assert names == ["fetch", "Fetch it."]
    assert original.type_name == "function"
    assert [(call.args, call.kwargs) for call in calls] == [((1,), {"key": "two"})] * 3
    assert [call.at_s for call in calls] == pytest.approx([0.0, 1.0, 3.0])
    assert [sleep.seconds for sleep in sleeps] == [1.0, 2.0]
    assert {sleep.by for sleep in sleeps} == {"asyncio.sleep" if is_async else "time.sleep"}
    assert time.monotonic() - started < 2


async def test_the_last_exception_of_a_script_comes_through() -> None:
    failing = Scripted(script=(Raise(type="KeyError", message="a"), Raise(type="OSError", message="last")))
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(RETRY)
        decorate = (await sandbox.call("retry", 4, 0.5)).value
        result = await sandbox.call((await sandbox.call(decorate, failing)).value)
        assert len(await sandbox.calls_of(failing)) == 4
    assert (result.error.type, result.error.message) == ("OSError", "last")


async def test_a_scripted_function_that_was_never_passed_has_no_calls() -> None:
    async with Sandbox() as sandbox:
        assert await sandbox.calls_of(Scripted(script=(Return(),))) == ()


CLOCKS = """
import asyncio, datetime, threading, time
from time import monotonic, sleep, time as now
from asyncio import sleep as nap

def readings():
    return [time.time(), now(), time.time_ns() / 1e9, datetime.datetime.now(datetime.timezone.utc).timestamp(),
            time.mktime(time.localtime())], [monotonic(), time.perf_counter(), time.perf_counter_ns() / 1e9]
def doze(): sleep(30)
def wait(): return threading.Event().wait(7.5)
def timer():
    rang = []
    alarm = threading.Timer(3600, rang.append, [1])
    alarm.start()
    alarm.join()
    return rang
async def gathered():
    await asyncio.gather(nap(5), asyncio.sleep(3), asyncio.sleep(10))
async def timed_out():
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 60)
    except asyncio.TimeoutError:
        return "timeout"
async def blocking(): time.sleep(2)
def is_datetime(): return isinstance(datetime.datetime.now(), datetime.datetime)
def negative(): time.sleep(-1)
"""


async def fake_call(name: str) -> tuple[Any, float, tuple[Any, ...]]:
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(CLOCKS)
        result = await sandbox.call(name)
        return result, await sandbox.elapsed_s(), await sandbox.sleeps()


@pytest.mark.parametrize(
    ("name", "elapsed", "value", "by"),
    [
        ("doze", 30, None, ["time.sleep"]),
        ("wait", 7.5, False, ["threading.wait"]),
        ("timer", 3600, [1], ["threading.wait"]),
        ("gathered", 10, None, ["asyncio.sleep"] * 3),
        ("timed_out", 60, "timeout", []),
        ("blocking", 2, None, ["time.sleep"]),
        ("is_datetime", 0, True, []),
    ],
)
async def test_waiting_takes_no_time_and_moves_the_clock(name: str, elapsed: float, value: Any, by: list[str]) -> None:
    result, elapsed_s, sleeps = await fake_call(name)
    assert result.value == value, result
    assert elapsed_s == pytest.approx(elapsed)
    assert [sleep.by for sleep in sleeps] == by


async def test_a_blocking_sleep_in_a_coroutine_is_seen() -> None:
    assert [sleep.in_event_loop for sleep in (await fake_call("blocking"))[2]] == [True]
    assert [sleep.in_event_loop for sleep in (await fake_call("doze"))[2]] == [False]


async def test_a_negative_sleep_is_refused_as_by_the_real_clock() -> None:
    assert (await fake_call("negative"))[0].error.type == "ValueError"


async def test_all_clocks_stand_still_together_and_move_when_told() -> None:
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(CLOCKS)
        wall, monotonic = (await sandbox.call("readings")).value
        await asyncio.sleep(0.05)
        assert (await sandbox.call("readings")).value == (wall, monotonic)
        await sandbox.advance(90)
        later_wall, later_monotonic = (await sandbox.call("readings")).value
    assert wall == pytest.approx([wall[0]] * 5)
    assert [after - before for before, after in zip(wall, later_wall, strict=True)] == pytest.approx([90] * 5)
    assert [after - before for before, after in zip(monotonic, later_monotonic, strict=True)] == pytest.approx([90] * 3)


async def test_the_real_clock_cannot_be_moved() -> None:
    async with Sandbox() as sandbox:
        with pytest.raises(UsageError, match="clock='fake'"):
            await sandbox.advance(1)


# --- counting -----------------------------------------------------------------------------------------------------

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
