"""Answers that fetch URLs: their own empty network with one server in it, and packages of their own."""

import socket

import pytest

from runner.answer_env import build_answer_env, find_answer_env
from runner.errors import UsageError
from runner.isolation import isolation
from runner.loopback import Route
from runner.outcomes import CallResult, Limits
from runner.sandbox import Sandbox

FETCH = """
import asyncio, socket, urllib.error, urllib.request

def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError as error:
        return type(error).__name__, str(error)

async def fetch_all(urls):
    return await asyncio.gather(*(asyncio.to_thread(fetch, url) for url in urls))

def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=0.5).fileno()
def raw(): return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
"""


async def fetched(path: str) -> CallResult:
    routes = {
        "/ok": Route(body="hello"),
        "/teapot": Route(status=418),
        "/slow": Route(delay_s=0.1, body="late"),
        "/hang": Route(behaviour="hang"),
        "/reset": Route(behaviour="reset"),
        "/moved": Route(status=302, location="/ok"),
    }
    async with Sandbox(network="loopback") as sandbox, sandbox.http_server(routes) as server:
        assert (await sandbox.load(FETCH)).ok
        return await sandbox.call("fetch", server.url(path))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ok", (200, "hello")),
        ("/ok?query=1", (200, "hello")),
        ("/teapot", (418, "")),
        ("/slow", (200, "late")),
        ("/moved", (200, "hello")),
        ("/nowhere", (404, "")),
        ("/hang", ("TimeoutError", "timed out")),
        ("/reset", ("ConnectionResetError", "[Errno 104] Connection reset by peer")),
    ],
)
async def test_a_path_behaves_as_its_route_says(path: str, expected: tuple[object, str]) -> None:
    assert (await fetched(path)).value == expected


async def test_the_log_shows_what_was_asked_when_and_how_much_at_once() -> None:
    routes = {f"/{n}": Route(delay_s=1) for n in range(4)}
    async with Sandbox(network="loopback") as sandbox, sandbox.http_server(routes) as server:
        await sandbox.load(FETCH)
        await sandbox.call("fetch_all", [server.url(path) for path in routes])
        log = server.log()
    assert sorted(request.path for request in log) == ["/0", "/1", "/2", "/3"]
    assert {request.method for request in log} == {"GET"}
    assert max(request.concurrent for request in log) == 4
    assert max(request.at_s for request in log) - min(request.at_s for request in log) < 1


async def test_a_client_that_gave_up_no_longer_counts() -> None:
    routes = {"/hang": Route(behaviour="hang"), "/ok": Route()}
    async with Sandbox(network="loopback") as sandbox, sandbox.http_server(routes) as server:
        await sandbox.load(FETCH)
        for path in routes:
            await sandbox.call("fetch", server.url(path))
        assert [request.concurrent for request in server.log()] == [1, 1]


async def test_the_network_holds_nothing_but_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with Sandbox(network="loopback") as sandbox:
            await sandbox.load(FETCH)
            outside = await sandbox.call("connect", listener.getsockname()[1])
            internet = await sandbox.call("fetch", "http://1.1.1.1/")
            name = await sandbox.call("fetch", "http://example.com/")
            raw = await sandbox.call("raw")
    assert outside.error is not None
    assert outside.error.type == "ConnectionRefusedError"
    assert internet.value[0] == "URLError"
    assert "Name or service not known" in name.value[1]
    assert raw.error is not None
    assert raw.error.type == "PermissionError"


async def test_without_a_network_there_are_no_sockets_and_no_server() -> None:
    async with Sandbox() as sandbox:
        await sandbox.load(FETCH)
        refused = await sandbox.call("connect", 80)
        with pytest.raises(UsageError, match="network='loopback'"):
            sandbox.http_server({})
    assert refused.error is not None
    assert refused.error.type == "PermissionError"


async def test_a_hostile_client_neither_stops_the_server_nor_reaches_its_log() -> None:
    code = (
        FETCH
        + """
def attack(port):
    for data in (b"\\xff" * 100_000, b"GET\\r\\n\\r\\n", b"\\r\\n\\r\\n", b"GET / HTTP/1.1\\r\\n" + b"a" * 50_000, b""):
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(data)
        except OSError:
            pass
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(40)] and None
"""
    )
    async with Sandbox(network="loopback") as sandbox, sandbox.http_server({"/ok": Route(body="still")}) as server:
        await sandbox.load(code)
        port = int(server.url("").rpartition(":")[2])
        assert (await sandbox.call("attack", port)).state == "returned"
        assert (await sandbox.call("fetch", server.url("/ok"))).value == (200, "still")
        assert [request.path for request in server.log()] == ["/ok"]


# --- packages for answers -----------------------------------------------------------------------------------------

CLIENTS = """
import asyncio, aiohttp, httpx, requests

async def fetch_all(urls):
    async def one(session, url):
        try:
            async with session.get(url, timeout=aiohttp.ClientTimeout(total=0.5)) as response:
                return url, response.status
        except asyncio.TimeoutError:
            return url, None
    async with aiohttp.ClientSession() as session:
        return dict(await asyncio.gather(*(one(session, url) for url in urls)))

def others(url): return [httpx.get(url).status_code, requests.get(url).status_code]
def where(): return aiohttp.__file__
"""


async def test_answers_import_packages_of_their_own_and_use_them() -> None:
    folder = await build_answer_env((await isolation()).required())
    routes = {"/a": Route(), "/b": Route(status=503), "/hang": Route(behaviour="hang")}
    sandbox = Sandbox(network="loopback", answer_env=folder, limits=Limits(call_wall_s=8))
    async with sandbox, sandbox.http_server(routes) as server:
        assert (await sandbox.load(CLIENTS)).ok
        urls = [server.url(path) for path in routes]
        assert (await sandbox.call("fetch_all", urls)).value == dict(zip(urls, [200, 503, None], strict=True))
        assert (await sandbox.call("others", urls[0])).value == [200, 200]
        assert (await sandbox.call("where")).value.startswith("/answer_env/")
    assert find_answer_env((await isolation()).required()) == folder


async def test_the_packages_of_the_service_are_never_shown() -> None:
    async with Sandbox() as sandbox:
        assert (await sandbox.load("import pydantic\n")).error.type == "ModuleNotFoundError"  # type: ignore[union-attr]
