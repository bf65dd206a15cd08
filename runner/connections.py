"""Requests whose reply comes in one piece: judges at an endpoint, and the control plane. One request is one reply or EndpointError.

Decision: ``aiohttp`` carries these, and the client library (``openai``) only streams (``runner.streams``). A thousand judgements at a
mock endpoint cost 0.4 ms of CPU a request this way, against 4 ms through the library on its own transport and 1.3 ms with its transport
alone, and the library takes a second to import. Cost: what the library would say of a bad reply is said in ``runner.statuses`` and
here. ``tests/runner/test_client.py`` has every fault go both ways.
"""

import ipaddress
import json
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from runner.errors import BadReply, EndpointError, NoReply, UsageError
from runner.foreign_text import Blackout, well_formed
from runner.statuses import one_line
from runner.trust import Trust, nobody_trusted
from runner.types import Value

with nobody_trusted():
    import aiohttp

KEPT_S = 30.0
"""An idle connection is kept this long: longer than the time between two judgements, shorter than most servers keep it."""
USER_AGENT = "coder-judge"
MOVED = frozenset({301, 302, 307, 308})
MAX_MOVES = 5

HOSTED_REPLY_S = 900.0
"""A whole reply of a hosted endpoint. It answers within minutes or not at all, and what stands between has often given up before."""
HOSTED_PROBE_S = 180.0
"""The reply to the probe of a hosted endpoint, which begins to read it at once."""
_OWN_NETWORK = (".local", ".localhost", ".lan", ".internal", ".home.arpa")


class Timeouts(Value):
    """How long silence is taken for life. None of these limits a request whose tokens keep arriving.

    Decision: a whole reply shows no life before its end, so how long it may take depends on where it comes from. On this machine and on
    the own network that is an hour (a 480B model that thinks first takes it), at hosted endpoints a quarter of that. Together with
    ``RetryPolicy.silences`` an endpoint that never answers costs two hours and half an hour a request, instead of five. Cost: a slow
    model of one's own under a public name has a quarter of an hour; ask for it by its private address.
    """

    connect_s: float = 10.0
    first_token_s: float = 1800.0
    """Request sent to first chunk: prefill of a long prompt on a 480B model takes minutes."""
    idle_s: float = 180.0
    """Between two chunks."""
    after_finish_s: float = 2.0
    """From the finish reason to token counts and the end mark; they come at once, where they come at all."""
    reply_s: float = 3600.0
    """A whole reply that is not streamed; ``HOSTED_REPLY_S`` for endpoints that are neither here nor on the own network."""
    probe_s: float = 900.0
    """The short reply to a probe, where other endpoints can do the work meanwhile: long enough to read a model from a slow disk into
    memory; ``HOSTED_PROBE_S`` for endpoints that are neither here nor on the own network."""
    control_s: float = 10.0
    """Requests to the control plane."""

    @classmethod
    def of(cls, base_url: str) -> Self:
        """Return those for an endpoint at this address."""
        if is_near(urlsplit(base_url).hostname or ""):
            return cls()
        return cls(reply_s=HOSTED_REPLY_S, probe_s=HOSTED_PROBE_S)


class Exchange(NamedTuple):
    """What came back for one request, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    content: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 become replacement marks."""
        return self.content.decode("utf-8", "replace")


class Connections:
    """As many connections to one endpoint as there are requests in flight, kept while they are used."""

    def __init__(self, base_url: str, key: str, connect_s: float) -> None:
        self._proxy = proxy_of(base_url)
        self.hidden = Blackout([key, *_passwords(self._proxy)])
        """What is sent to prove who asks."""
        self._trust = Trust(ssl.PROTOCOL_TLS_CLIENT)
        self._headers = {"authorization": f"Bearer {key}", "user-agent": USER_AGENT}
        self._connect_s = connect_s
        self._opened: aiohttp.ClientSession | None = None

    async def send(self, where: str, url: str, body: object = None, *, timeout_s: float) -> Exchange:
        """POST ``body`` as JSON, or GET without one. ``where`` begins the message. Raises EndpointError when no whole reply came.

        A redirection is followed on the same host only, and with the same request: what is asked goes nowhere that nobody named.
        """
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        for _ in range(1 + MAX_MOVES):
            exchange = await self._exchange(where, url, data, timeout_s)
            location = exchange.headers.get("location")
            if exchange.status not in MOVED or not location:
                return exchange
            url = moved(where, url, location, exchange.status, self.hidden)
        raise EndpointError(f"{where}: HTTP {exchange.status}: it redirects again and again", status=exchange.status)

    async def _exchange(self, where: str, url: str, data: bytes | None, timeout_s: float) -> Exchange:
        method, headers = ("GET", None) if data is None else ("POST", {"content-type": "application/json"})
        limits = aiohttp.ClientTimeout(total=timeout_s, connect=self._connect_s)
        request = self._session().request(
            method, url, data=data, headers=headers, timeout=limits, allow_redirects=False
        )
        try:
            async with request as response:
                return Exchange(response.status, response.headers, await response.read())
        except aiohttp.ConnectionTimeoutError as error:
            raise EndpointError(f"{where}: nothing arrived in time", transient=True) from error
        except TimeoutError as error:
            raise NoReply(f"{where}: nothing arrived in time") from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise EndpointError(f"{where}: {url} is no address of an HTTP server") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EndpointError(
                f"{where}: the connection failed ({cause(error, self.hidden)})", transient=True
            ) from error

    async def close(self) -> None:
        """Close what is idle."""
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        """Return the session, which can be made only inside of the loop that will use it."""
        if self._opened is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._trust, keepalive_timeout=KEPT_S)
            self._opened = aiohttp.ClientSession(connector=connector, headers=self._headers, proxy=self._proxy)
        return self._opened


def moved(where: str, url: str, location: str, status: int, hidden: Blackout) -> str:
    """Return where a redirection of ``url`` leads: to the same host, by the same means or encrypted. Raises EndpointError."""
    try:
        target = urljoin(url, location)
        before, after = urlsplit(url), urlsplit(target)
        same = (before.scheme, before.hostname, before.port) == (after.scheme, after.hostname, after.port)
        encrypted = (before.scheme, after.scheme, before.hostname) == ("http", "https", after.hostname)
    except ValueError:  # no address
        target, same, encrypted = location, False, False
    if same or encrypted:
        return target
    shown = one_line(hidden.pieces(well_formed(target.partition("?")[0])))
    raise EndpointError(
        f"{where}: HTTP {status}: moved to {shown!r}, and nothing is sent where nobody said; name that address if it is yours",
        status=status,
    )


def proxy_of(base_url: str) -> str | None:
    """Return the proxy that the environment names for this address; ``None``: none, and never for this machine itself.

    Raises UsageError for a kind of proxy that is not spoken.
    """
    address = urlsplit(base_url)
    host = address.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    named = getproxies()
    proxy = named.get(address.scheme) or named.get("all")
    if proxy is None or urlsplit(proxy).scheme in ("http", "https"):
        return proxy
    if "://" not in proxy:
        return f"http://{proxy}"
    raise UsageError(
        f"{base_url}: the environment names a {urlsplit(proxy).scheme} proxy for it, and only http and https proxies are spoken; "
        f"name one of these, or put {host} into NO_PROXY"
    )


def is_loopback(host: str) -> bool:
    """True for this machine itself, by name or by number."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_near(host: str) -> bool:
    """True for this machine and the own network: by an address that is not public, or a name that only means something there."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_OWN_NETWORK)


def _passwords(proxy: str | None) -> list[str]:
    """Return the password in the address of a proxy, as it stands there and as it is meant."""
    written = urlsplit(proxy or "").password
    return [written, unquote(written)] if written else []


def cause(error: BaseException, hidden: Blackout) -> str:
    """Return the first cause of an error of a library, which may quote what a server sent, on one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    said = str(getattr(error, "message", "") or error)  # some put a status of 400 before it that nobody sent
    said = one_line(hidden.pieces(well_formed(said)))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def parsed(where: str, exchange: Exchange, hidden: Blackout) -> Any:
    """Return the JSON of a reply, or its text when it never claimed to be JSON; all of it well-formed and without what is hidden.

    Raises EndpointError when it cannot be read, BadReply when it is empty.
    """
    if not exchange.content.strip():
        raise BadReply(f"{where}: found an empty body instead of JSON", transient=True)
    try:
        found = json.loads(exchange.content)
        return found if hidden.is_plain(exchange.content) else hidden.everywhere(found)
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or nested beyond what is read
        if "json" in exchange.headers.get("content-type", ""):
            raise EndpointError(f"{where}: the reply cannot be read: {unread(error)}") from error
        return hidden.whole(exchange.text)


def unread(error: Exception) -> str:
    """Return on one line why something cannot be read; no reader quotes what it read."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else one_line(str(error))
