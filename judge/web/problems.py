"""What a request is told when it is not answered: problem+json (RFC 9457) for programs, a page for people, internals for nobody."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import HTMLResponse, JSONResponse, Response

from judge.web.rendering import rendered

API = "/api/"
"""Paths under it speak JSON."""


class Refusal(Exception):
    """A request that is not answered: HTTP status and one line that says what was found and what to do."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def refused(path: str, refusal: Refusal) -> Response:
    """Return the response to a request for ``path``."""
    title = HTTPStatus(refusal.status).phrase
    if path.startswith(API):
        problem = {"type": "about:blank", "title": title, "status": refusal.status, "detail": refusal.detail}
        return JSONResponse(problem, refusal.status, refusal.headers, media_type="application/problem+json")
    page = rendered("refused.html.j2", title=title, detail=refusal.detail)
    return HTMLResponse(page, refusal.status, refusal.headers)
