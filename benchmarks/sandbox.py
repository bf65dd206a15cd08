"""What a sandbox costs behind each wall: milliseconds per start, against a bare interpreter, and whole answers per second.

python benchmarks/sandbox.py [answers] [at once]
"""

import asyncio
import statistics
import sys
import time

from runner.isolation import Isolation, bubblewrap, examine, landlock
from runner.sandbox import Sandbox
from runner.spawn import run_trusted

ANSWER = """
def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)
"""
CALLS = 10
STARTS = 20


async def bare_start_s(interpreter: str) -> float:
    """One start and end of the interpreter that runs answers, without anything around it."""
    started = time.perf_counter()
    await run_trusted([interpreter, "-I", "-S", "-c", "pass"])
    return time.perf_counter() - started


async def sandbox_start_s(found: Isolation) -> float:
    """From nothing to ready for an answer."""
    started = time.perf_counter()
    async with Sandbox(isolation=found):
        return time.perf_counter() - started


async def call_s(found: Isolation, calls: int) -> float:
    """One call into a live sandbox."""
    async with Sandbox(isolation=found) as sandbox:
        await sandbox.load(ANSWER)
        started = time.perf_counter()
        for _ in range(calls):
            await sandbox.call("factorial", 5)
        return (time.perf_counter() - started) / calls


async def answer(found: Isolation, turns: asyncio.Semaphore) -> None:
    """One whole answer: start, load, calls, end."""
    async with turns, Sandbox(isolation=found) as sandbox:
        await sandbox.load(ANSWER)
        for n in range(CALLS):
            assert (await sandbox.call("factorial", n)).ok


async def answers_per_second(found: Isolation, count: int, at_once: int) -> float:
    """Many answers, ``at_once`` of them in parallel."""
    turns = asyncio.Semaphore(at_once)
    started = time.perf_counter()
    await asyncio.gather(*(answer(found, turns) for _ in range(count)))
    return count / (time.perf_counter() - started)


async def report(found: Isolation, count: int, at_once: int) -> None:
    """Print the figures of one wall. Bare starts are timed between the others: the machine may be busy."""
    interpreter = found.required().interpreter.executable
    pairs = [(await bare_start_s(interpreter), await sandbox_start_s(found)) for _ in range(STARTS)]
    bare, start = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"isolation              {found.reason}")
    print(f"bare interpreter start {bare * 1e3:6.1f} ms")
    print(f"sandbox start          {start * 1e3:6.1f} ms   {start / bare:.1f} times a bare start")
    print(f"one call               {await call_s(found, 200) * 1e6:6.0f} us")
    speed = await answers_per_second(found, count, at_once)
    print(f"answers of {CALLS} calls    {speed:6.1f} per second, {at_once} at once\n")


async def main(count: int = 100, at_once: int = 4) -> None:
    """Print the figures of every wall that this machine has."""
    for way in (bubblewrap(), landlock()):
        found = await examine(ways=[way])
        if found.level == "none":
            print(f"isolation              none: {found.reason}\n")
        else:
            await report(found, count, at_once)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:3])))
