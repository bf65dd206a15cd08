"""Around every request: who is asked, who asks, how much arrives, and what a browser may do with the reply."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge.web.access import Access, is_allowed_host, same
from judge.web.problems import API, Refusal, refused

SESSION = "judge_session"
"""Cookie of somebody who knew the token."""
LARGEST_BODY = 64 * 1024
"""Bytes of a request: a comment is short."""
LARGER_BODIES = {"/api/v1/judge": 1024 * 1024}
"""Path -> bytes where more is taken: a question and an answer, with every letter of them escaped."""
SAFE_METHODS = ("GET", "HEAD")
OPEN_PATHS = ("/login", "/static/")
"""Where one gets without a token: to where it is given."""
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets through to ``app`` what may be answered."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            body = await _whole_body(scope, receive)
        except Refusal as refusal:
            await _refusal_response(scope, refusal)(scope, receive, send_with_headers)
            return
        await self.app(scope, _replay(body, receive), send_with_headers)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) != 1 or not is_allowed_host(headers["host"], self.access):
            raise Refusal(
                400, "the Host header does not name this service; judge serve --allow-host NAME lets a name in"
            )
        if scope["method"] not in SAFE_METHODS and not _from_here(headers):
            raise Refusal(403, "the request was sent by a page of another site")
        if not self._is_known(scope["path"], headers):
            raise Refusal(401, "the token of this service is needed", {"WWW-Authenticate": "Bearer"})

    def _is_known(self, path: str, headers: Headers) -> bool:
        if self.access.token is None or path.startswith(OPEN_PATHS):
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return same(given.strip(), self.access.token)
        return same(cookie_parser(headers.get("cookie", "")).get(SESSION, ""), self.access.session)


def _from_here(headers: Headers) -> bool:
    """False when a browser says that a page of another origin sent the request. A program that is no browser says nothing."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers["host"].lower()


def _refusal_response(scope: Scope, refusal: Refusal) -> Response:
    if refusal.status == 401 and scope["method"] == "GET" and not scope["path"].startswith(API):
        return RedirectResponse("/login", status_code=303)
    return refused(scope["path"], refusal)


async def _whole_body(scope: Scope, receive: Receive) -> bytes:
    length, most = Headers(scope=scope).get("content-length", "0"), LARGER_BODIES.get(scope["path"], LARGEST_BODY)
    if not length.isdecimal() or int(length) > most:
        raise _too_large(most)
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return body


def _too_large(most: int) -> Refusal:
    return Refusal(413, f"the request is larger than {most} bytes; shorten it")


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
