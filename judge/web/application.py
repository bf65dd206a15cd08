"""The application: routes, the guard around them, and what becomes of errors."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version

from anyio import CapacityLimiter, create_task_group, sleep, to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from judge.errors import LibraryError, StoreError, UserError
from judge.web import (
    api,
    arm_pages,
    comparison_api,
    job_api,
    job_pages,
    judging_api,
    login_pages,
    review_api,
    review_pages,
    run_pages,
)
from judge.web.guard import Guard
from judge.web.problems import Refusal, refused
from judge.web.rendering import icon, key_script, live_script, style_sheet
from judge.web.service import Service
from judge.web.streams import Streams

log = logging.getLogger("uvicorn.error")
LOOK_EVERY_S = 5.0
DAY = {"Cache-Control": "max-age=86400"}
PARTS = (
    api,
    comparison_api,
    job_api,
    judging_api,
    review_api,
    run_pages,
    arm_pages,
    job_pages,
    review_pages,
    login_pages,
)
STATIC = {
    "judge.css": (style_sheet, "text/css"),
    "keys.js": (key_script, "text/javascript"),
    "live.js": (live_script, "text/javascript"),
    "icon.svg": (icon, "image/svg+xml"),
}
"""Files of our own by their names under ``/static``."""


def application(service: Service) -> Guard:
    """Return the application that answers from ``service``, errors of our own included, behind its guard."""
    app = FastAPI(
        title="coder-judge",
        version=version("coder-judge"),
        description="Runs, answers, judgements and human ratings of one store.",
        openapi_url=f"{api.PREFIX}/openapi.json",
        docs_url=None,  # these pages load their script from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_one_at_a_time,
    )
    for kind, handler in _handlers().items():
        app.add_exception_handler(kind, handler)
    app.state.service = service
    app.state.streams = Streams(service.stopping)
    for part in PARTS:
        app.include_router(part.router)
    for name, (text, media_type) in STATIC.items():
        app.add_api_route(f"/static/{name}", _static(text, media_type), include_in_schema=False)
    return Guard(app, service.access)


@asynccontextmanager
async def _one_at_a_time(app: FastAPI) -> AsyncIterator[None]:
    """Answer requests in one thread: they parse Python, which CPython 3.11 cannot do in two at once, and draw plots.

    Jobs are carried out beside it, in processes of their own.
    """
    to_thread.current_default_thread_limiter().total_tokens = 1
    service: Service = app.state.service
    with service.worker.running() if service.worker else nullcontext():
        async with service.judging or nullcontext(), _working_ahead(service):
            yield


@asynccontextmanager
async def _working_ahead(service: Service) -> AsyncIterator[None]:
    """Have reports computed before anybody asks for them, where that is wanted."""
    if not service.works_ahead:
        yield
        return
    async with create_task_group() as tasks:
        tasks.start_soon(_look_ahead, service)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()
            service.workshop.close()


async def _look_ahead(service: Service) -> None:
    beside = CapacityLimiter(1)  # not the thread that answers requests: none waits for this
    while True:
        try:
            await to_thread.run_sync(service.orders.look_ahead, limiter=beside)
            await to_thread.run_sync(service.workshop.look_ahead, limiter=beside)
        except StoreError:
            log.exception("the store could not be read to work ahead")
        await sleep(LOOK_EVERY_S)


def _static(text: Callable[[], str], media_type: str) -> Callable[[], Response]:
    return lambda: Response(text(), media_type=media_type, headers=DAY)


# --- errors -----------------------------------------------------------------------------------------------------------

Handler = Callable[[Request, Exception], Response]


def _handlers() -> dict[type[Exception], Handler]:
    return {
        Refusal: _handler(lambda error: error if isinstance(error, Refusal) else Refusal(400, str(error))),
        UserError: _handler(lambda error: Refusal(400, str(error))),
        HTTPException: _handler(_not_routed),
        RequestValidationError: _handler(_not_valid),
        LibraryError: _handler(_broken("a file of questions, rubrics or models is wrong; judge doctor names it")),
        StoreError: _handler(_broken("the store cannot be used now; the log of the service says why")),
        Exception: _handler(_broken("something broke; the log of the service says what")),
    }


def _handler(refusal: Callable[[Exception], Refusal]) -> Handler:
    def handle(request: Request, error: Exception) -> Response:
        return refused(request.url.path, refusal(error))

    return handle


def _broken(detail: str) -> Callable[[Exception], Refusal]:
    """Return what the request is told; what really happened goes to the log."""

    def refusal(error: Exception) -> Refusal:
        log.error("%s", detail, exc_info=error)
        return Refusal(503 if isinstance(error, StoreError) else 500, detail)

    return refusal


def _not_routed(error: Exception) -> Refusal:
    assert isinstance(error, HTTPException)
    detail = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
    return Refusal(error.status_code, detail, error.headers)


def _not_valid(error: Exception) -> Refusal:
    """Say which values are wrong, without repeating them."""
    assert isinstance(error, RequestValidationError)
    said = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return Refusal(422, "; ".join(said))
