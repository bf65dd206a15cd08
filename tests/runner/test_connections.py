"""How an endpoint is reached: proxies, TLS, connections that the server closes, keys that cannot be sent."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes import Request, Response, completion, models_response, script, serving, streamed

from runner.client import ModelClient, Timeouts
from runner.connections import MAX_MOVES, moved, proxy_of
from runner.errors import EndpointError, NoReply, UsageError
from runner.foreign_text import NO_SECRETS
from runner.trust import nobody_trusted
from runner.types import Endpoint, Sampling

HELLO = ({"role": "user", "content": "hello"},)
GREEDY = Sampling(temperature=0, max_tokens=16)
PATIENT = Timeouts(connect_s=10, first_token_s=20, reply_s=20, control_s=20)
CERTIFICATE = Path(__file__).parent / "loopback.pem"
"""A certificate for 127.0.0.1 that nobody vouches for, with its key."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def said(endpoint: Endpoint) -> list[str]:
    """Return what the endpoint says in every way of asking it."""
    async with ModelClient(endpoint, timeouts=PATIENT) as client:
        whole, flow = await client.complete(HELLO, GREEDY), await client.stream(HELLO, GREEDY)
        return [whole.text, flow.text, *await client.models()]


def everything(request: Request) -> Response:
    if request.path.endswith("/models"):
        return models_response("m")
    return streamed("flow") if request.body.get("stream") else completion("whole")


# --- proxies ----------------------------------------------------------------------------------------------------------


async def test_an_endpoint_elsewhere_is_asked_through_the_proxy_in_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(everything) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        assert await said(Endpoint(base_url="http://judge.test/v1", model="m")) == ["whole", "flow", "m"]
        paths = {request.path for request in proxy.requests}
    assert paths == {"http://judge.test/v1/chat/completions", "http://judge.test/v1/models"}


async def test_a_server_on_this_machine_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(everything) as server:
        assert await said(server.endpoint()) == ["whole", "flow", "m"]


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "http://judge.test/v1", None),
        ({"http_proxy": "http://p:1"}, "http://judge.test/v1", "http://p:1"),
        ({"http_proxy": "http://p:1"}, "https://judge.test/v1", None),
        ({"https_proxy": "http://p:1"}, "https://judge.test/v1", "http://p:1"),
        ({"all_proxy": "http://p:1"}, "https://judge.test/v1", "http://p:1"),
        ({"http_proxy": "p:1"}, "http://judge.test/v1", "http://p:1"),
        ({"http_proxy": "http://p:1", "no_proxy": "judge.test"}, "http://judge.test/v1", None),
        ({"http_proxy": "http://p:1", "no_proxy": ".test,other"}, "http://judge.test/v1", None),
        ({"http_proxy": "http://p:1", "no_proxy": "other"}, "http://judge.test/v1", "http://p:1"),
        ({"http_proxy": "http://p:1", "no_proxy": "*"}, "http://judge.test/v1", None),
        ({"http_proxy": "http://p:1"}, "http://127.0.0.1:8080/v1", None),
        ({"http_proxy": "http://p:1"}, "http://[::1]:8080/v1", None),
        ({"http_proxy": "http://p:1"}, "http://localhost:8080/v1", None),
    ],
)
def test_which_proxy_an_address_has(
    environment: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(url) == proxy


def test_a_proxy_of_another_kind_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:secret@p:1")
    with pytest.raises(UsageError, match=r"names a socks5 proxy for it.*put judge\.test into NO_PROXY") as caught:
        proxy_of("https://judge.test/v1")
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


# --- TLS --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], trust: ssl.SSLContext | None = None
) -> AsyncIterator[Endpoint]:
    """A server that says byte by byte what it does with a connection."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=trust)
    scheme = "https" if trust else "http"
    async with server:
        yield Endpoint(base_url=f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", model="m")


async def read_request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
    await reader.readexactly(int(length or b"0"))


def kept(text: str) -> bytes:
    """A reply after which the connection stays open, as far as the server says."""
    body = json.dumps(
        {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
    ).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(kept("whole"))
    await writer.drain()
    writer.close()


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


async def test_tls_trusts_whom_ssl_cert_file_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with listening(answer_once, trusting()) as endpoint, ModelClient(endpoint, timeouts=PATIENT) as client:
        assert (await client.complete(HELLO, GREEDY)).text == "whole"


async def test_a_certificate_that_nobody_vouches_for_is_refused_and_the_line_says_so() -> None:
    async with listening(answer_once, trusting()) as endpoint, ModelClient(endpoint, timeouts=PATIENT) as client:
        with pytest.raises(EndpointError, match="certificate verify failed") as caught:
            await client.complete(HELLO, GREEDY)
    assert "\n" not in str(caught.value)


async def test_plain_http_that_leads_to_tls_trusts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with listening(answer_once, trusting()) as encrypted:

        async def send_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            place = f"{encrypted.base_url}/chat/completions".encode()
            writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % place)
            await writer.drain()
            writer.close()

        async with listening(send_on) as endpoint, ModelClient(endpoint, timeouts=PATIENT) as client:
            assert (await client.complete(HELLO, GREEDY)).text == "whole"


async def test_an_encrypted_proxy_of_a_plain_address_is_trusted_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with listening(answer_once, trusting()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", "")
        async with ModelClient(Endpoint(base_url="http://model.invalid/v1", model="m"), timeouts=PATIENT) as client:
            assert (await client.complete(HELLO, GREEDY)).text == "whole"


def test_the_certificates_that_the_user_names_stay_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with nobody_trusted():
        assert os.environ["SSL_CERT_FILE"] == os.environ["SSL_CERT_DIR"] == os.devnull
    assert os.environ["SSL_CERT_FILE"] == str(CERTIFICATE)
    assert "SSL_CERT_DIR" not in os.environ


# --- connections ------------------------------------------------------------------------------------------------------


async def test_a_connection_that_the_server_closes_between_two_requests_is_no_failure() -> None:
    async with listening(answer_once) as endpoint, ModelClient(endpoint, timeouts=PATIENT) as client:
        for _ in range(3):
            assert (await client.complete(HELLO, GREEDY)).text == "whole"
            await asyncio.sleep(0.05)


async def test_a_connection_that_the_server_closes_as_the_next_request_comes_is_a_failure_that_may_pass() -> None:
    async def answer_and_hang_up_on_the_next(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(kept("whole"))
        await read_request(reader)
        writer.close()

    async with listening(answer_and_hang_up_on_the_next) as endpoint, ModelClient(endpoint, timeouts=PATIENT) as client:
        await client.complete(HELLO, GREEDY)
        with pytest.raises(EndpointError, match=r"the connection failed \(.*disconnected") as caught:
            await client.complete(HELLO, GREEDY)
        assert (caught.value.transient, caught.value.status) == (True, None)
        assert (await client.complete(HELLO, GREEDY)).text == "whole"


async def test_connections_are_kept_and_used_again() -> None:
    opened: list[int] = []

    async def answer_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(1)
        try:
            while True:
                await read_request(reader)
                writer.write(kept("whole"))
        except asyncio.IncompleteReadError:
            writer.close()

    async with listening(answer_for_ever) as endpoint, ModelClient(endpoint, timeouts=PATIENT) as client:
        for _ in range(3):
            await asyncio.gather(*(client.complete(HELLO, GREEDY) for _ in range(4)))
    assert len(opened) == 4


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirection_on_the_same_host_keeps_the_request_and_the_key(status: int) -> None:
    def moving(request: Request) -> Response:
        if request.path == "/new":
            return completion(request.body["messages"][0]["content"] + request.headers["authorization"][-3:])
        return Response((), status, {"location": "/new"})

    with serving(moving) as server:
        async with ModelClient(server.endpoint(), api_key="abc", timeouts=PATIENT) as client:
            assert (await client.complete(HELLO, GREEDY)).text == "helloabc"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirection_to_another_host_is_told_and_nothing_is_sent_there(status: int) -> None:
    with serving(everything) as other:

        def moving(request: Request) -> Response:
            location = other.base_url.removesuffix("/v1") + request.path + "?key=sk-abcdefgh"
            return Response((b"moved",), status, {"location": location})

        with serving(moving) as server:
            async with ModelClient(server.endpoint(), api_key="sk-abcdefgh", timeouts=PATIENT) as client:
                for asked, path in (
                    (client.complete(HELLO, GREEDY), "/chat/completions"),
                    (client.listing(), "/models"),
                ):
                    with pytest.raises(EndpointError) as told:
                        await asked
                    assert (told.value.status, told.value.transient) == (status, False)
                    assert f"HTTP {status}: moved to '{other.base_url}{path}', and nothing is sent" in str(told.value)
                    assert "sk-" not in str(told.value)
        assert other.requests == []


@pytest.mark.parametrize("location", ["http://[::1", "http://127.0.0.1:x/", "ftp://127.0.0.1/", "//elsewhere/", "\xff"])
async def test_a_redirection_to_nowhere_is_one_line(location: str) -> None:
    with serving(script(Response((b"moved",), 302, {"location": location}))) as server:
        async with ModelClient(server.endpoint(), timeouts=PATIENT) as client:
            with pytest.raises(EndpointError, match=r"HTTP (302: moved to|404)") as told:
                await client.complete(HELLO, GREEDY)
    assert "\n" not in str(told.value)


async def test_a_redirection_in_circles_ends() -> None:
    with serving(script(Response((), 307, {"location": "/v1/chat/completions"}))) as server:
        async with ModelClient(server.endpoint(), timeouts=PATIENT) as client:
            with pytest.raises(EndpointError, match="HTTP 307: it redirects again and again"):
                await client.complete(HELLO, GREEDY)
        assert len(server.asked()) == 1 + MAX_MOVES


def test_a_redirection_may_lead_from_plain_to_encrypted_and_not_back() -> None:
    def leads(url: str, location: str) -> str:
        return moved("here", url, location, 301, NO_SECRETS)

    assert leads("http://judge/v1/models", "https://judge/v1/models") == "https://judge/v1/models"
    assert leads("http://judge/v1/models", "models/") == "http://judge/v1/models/"
    for url, location in (("https://judge/v1", "http://judge/v1"), ("http://judge/v1", "http://judge:8080/v1")):
        with pytest.raises(EndpointError, match="moved to"):
            leads(url, location)


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["sk-secret\n", "sk-sécret", "sk-\x00secret"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError, match="has a character that cannot be sent") as caught:
        ModelClient(Endpoint(base_url="http://127.0.0.1:1/v1", model="m"), api_key=key)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


async def test_json_counts_as_json_whatever_it_is_called() -> None:
    body = completion("whole").steps
    with serving(script(Response(body, headers={"content-type": "text/plain"}))) as server:
        async with ModelClient(server.endpoint(), timeouts=PATIENT) as client:
            assert (await client.complete(HELLO, GREEDY)).text == "whole"


# --- patience -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "[::1]", "192.168.1.7:8080", "10.0.0.3", "100.64.0.9", "[fd00::1]", "bigbox", "bigbox.lan",
     "judge.default.svc.cluster.local", "host.docker.internal"],
)  # fmt: skip
def test_a_model_of_ones_own_has_an_hour_for_a_whole_reply(host: str) -> None:
    assert Timeouts.of(f"http://{host}/v1") == Timeouts(reply_s=3600, probe_s=900)


@pytest.mark.parametrize("host", ["api.openai.com", "8.8.8.8", "localhost.example.com", "[2606:4700::1]:443"])
def test_a_hosted_model_has_a_quarter_of_an_hour(host: str) -> None:
    assert Timeouts.of(f"https://{host}/v1") == Timeouts(reply_s=900, probe_s=180)


async def test_a_connection_that_is_not_taken_is_no_reply_that_did_not_come() -> None:
    with serving(script(completion("x"))) as server:
        gone = server.endpoint()
    async with ModelClient(gone, timeouts=PATIENT) as client:
        with pytest.raises(EndpointError) as caught:
            await client.complete(HELLO, GREEDY)
    assert caught.value.transient and not isinstance(caught.value, NoReply)
