"""What every request is answered from, and what is read of it: the store, cookies, and forms that only our pages can send."""

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qsl, quote, unquote

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, Response

from judge.jobs.worker import Worker
from judge.places import Places
from judge.ratings import LONGEST_NAME
from judge.records import RunRecord, RunState
from judge.review.line import Orders
from judge.store import Store
from judge.web.access import Access, same, sign
from judge.web.judging import Judging
from judge.web.problems import Refusal
from judge.web.rendering import rendered
from judge.web.workshop import Workshop

VISIT = "judge_visit"
"""Cookie that a form's hidden field has to fit."""
RATER = "judge_rater"
REVIEWED = "judge_review"
"""Cookie with the opaque id of the run that is reviewed."""
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 20
MOST_CHOICES = 200
"""Every model, question and tier is a box."""


@dataclass(frozen=True)
class Service:
    """What requests are answered from."""

    store: Store
    access: Access
    judging: Judging | None = None
    """Who judges single answers; ``None``: nobody."""
    places: Places = field(default_factory=Places)
    """Where jobs find models and leave files."""
    judge_urls: frozenset[str] = frozenset()
    """Endpoints that a request may name as a judge; the operator named them."""
    worker: Worker | None = None
    """Carries out jobs; ``None``: they wait for a service that has one."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set once the service is told to end: what is sent without end ends then."""
    works_ahead: bool = False
    """True: reports are computed before anybody asks for them, and the process that computes them ends with the service."""
    workshop: Workshop = field(init=False)
    """Where reports are computed."""
    orders: Orders = field(init=False)
    """The queues of reviews."""
    key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    """Signs the hidden fields of forms; lives as long as the process."""

    def __post_init__(self) -> None:
        """Open what stands on the store."""
        object.__setattr__(self, "workshop", Workshop(self.store))
        object.__setattr__(self, "orders", Orders(self.store))


async def _service(request: Request) -> Service:
    return _service_of(request)


def _service_of(request: Request) -> Service:
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


Here = Annotated[Service, Depends(_service)]


def run_named(store: Store, run_id: str) -> tuple[RunRecord, RunState]:
    """Return a run by its exact id, or the newest by ``latest``. Raises Refusal when there is none."""
    known = store.run_ids()
    if not known or (run_id != "latest" and run_id not in known):
        raise Refusal(404, "there is no such run; the page of runs lists all")
    return store.run(run_id)


# --- pages with forms -------------------------------------------------------------------------------------------------


def page(request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page whose forms carry a field that fits the visitor's cookie."""
    visit = request.cookies.get(VISIT) or secrets.token_hex(16)
    text = rendered(template, csrf=sign(_service_of(request).key, visit), **values)
    response = HTMLResponse(text, status)
    if VISIT not in request.cookies:
        set_cookie(response, VISIT, visit)
    return response


def set_cookie(response: Response, name: str, value: str) -> None:
    """Set a cookie that no script reads and that no other site makes a browser send."""
    response.set_cookie(name, quote(value, safe=""), httponly=True, samesite="strict", path="/")


def cookie(request: Request, name: str) -> str:
    """Return a cookie; empty without it."""
    return unquote(request.cookies.get(name, ""))


async def _form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form that was sent by a page of ours, each once. Raises Refusal for any other."""
    return dict(await _fields(request, MOST_FIELDS))


async def _choices(request: Request) -> Sequence[tuple[str, str]]:
    """Return the fields of a form with many boxes to tick, of which several may have one name."""
    return await _fields(request, MOST_CHOICES)


async def _fields(request: Request, most: int) -> list[tuple[str, str]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refusal(415, f"a form is sent as {FORM}")
    try:
        body = (await request.body()).decode("utf-8")
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=most, errors="strict")
    except ValueError as error:
        raise Refusal(400, "the form cannot be read") from error
    visit = request.cookies.get(VISIT, "")
    if not visit or not same(dict(fields).get("csrf", ""), sign(_service_of(request).key, visit)):
        raise Refusal(
            403,
            "the form is not from a page of this service, or from before its last start; go back, reload, and send it again",
        )
    return fields


Sent = Annotated[Mapping[str, str], Depends(_form)]
Chosen = Annotated[Sequence[tuple[str, str]], Depends(_choices)]


def rater_name(name: str) -> str:
    """Return the name of a rater. Raises Refusal when it is none."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refusal(422, f"the name of a reviewer has 1 to {LONGEST_NAME} letters that can be printed")
    return name
