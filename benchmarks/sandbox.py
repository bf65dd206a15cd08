"""What a sandbox costs: milliseconds per start, against a bare interpreter, and whole answers per second.

python benchmarks/sandbox.py [answers] [at once]
"""

import asyncio
import statistics
import sys
import time

from runner.isolation import isolation
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


async def sandbox_start_s() -> float:
    """From nothing to ready for an answer."""
    started = time.perf_counter()
    async with Sandbox():
        return time.perf_counter() - started


async def call_s(calls: int) -> float:
    """One call into a live sandbox."""
    async with Sandbox() as sandbox:
        await sandbox.load(ANSWER)
        started = time.perf_counter()
        for _ in range(calls):
            await sandbox.call("factorial", 5)
        return (time.perf_counter() - started) / calls


async def answer(turns: asyncio.Semaphore) -> None:
    """One whole answer: start, load, calls, end."""
    async with turns, Sandbox() as sandbox:
        await sandbox.load(ANSWER)
        for n in range(CALLS):
            assert (await sandbox.call("factorial", n)).ok


async def answers_per_second(count: int, at_once: int) -> float:
    """Many answers, ``at_once`` of them in parallel."""
    turns = asyncio.Semaphore(at_once)
    started = time.perf_counter()
    await asyncio.gather(*(answer(turns) for _ in range(count)))
    return count / (time.perf_counter() - started)


async def main(count: int = 100, at_once: int = 4) -> None:
    """Print the figures."""
    found = await isolation()
    interpreter = found.required().interpreter.executable
    bare = statistics.median([await bare_start_s(interpreter) for _ in range(STARTS)])
    start = statistics.median([await sandbox_start_s() for _ in range(STARTS)])
    print(f"isolation              {found.reason}")
    print(f"bare interpreter start {bare * 1e3:6.1f} ms")
    print(f"sandbox start          {start * 1e3:6.1f} ms   {start / bare:.1f} times a bare start")
    print(f"one call               {await call_s(200) * 1e6:6.0f} us")
    print(f"answers of {CALLS} calls    {await answers_per_second(count, at_once):6.1f} per second, {at_once} at once")


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:3])))
