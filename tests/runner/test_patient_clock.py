"""The clock for code that waits for the network: it jumps, but not over a reply that is on its way."""

import time

import pytest

from runner.isolation import isolation
from runner.loopback import Route
from runner.sandbox import Sandbox

CLIENT = """
import asyncio

async def get(host, port, path, timeout):
    async def exchange():
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET {path} HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode())
        return (await reader.readline()).decode().split()[1]
    try:
        return await asyncio.wait_for(exchange(), timeout)
    except asyncio.TimeoutError:
        return "timeout"
"""


async def get(path: str, timeout_s: float) -> tuple[object, float, float]:
    """Return the result, and the seconds that it took on the clock and really."""
    (await isolation()).required()
    async with Sandbox(clock="patient", network="loopback") as sandbox:
        await sandbox.load(CLIENT)
        routes = {"/slow": Route(delay_s=0.2), "/hang": Route(behaviour="hang")}
        async with sandbox.http_server(routes) as server:
            host, _, port = server.url("").removeprefix("http://").partition(":")
            started_s = time.monotonic()
            result = await sandbox.call("get", host, int(port), path, timeout_s)
            really_s = time.monotonic() - started_s
        return result.value, await sandbox.elapsed_s(), really_s


async def test_a_long_timeout_passes_in_a_moment() -> None:
    value, elapsed_s, really_s = await get("/hang", 60.0)
    assert value == "timeout"
    assert elapsed_s == pytest.approx(60.0, abs=0.1)
    assert really_s < 30.0


async def test_a_reply_that_is_on_its_way_is_waited_for() -> None:
    value, elapsed_s, _ = await get("/slow", 60.0)
    assert value == "200"
    assert elapsed_s < 60.0
