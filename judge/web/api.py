"""The JSON side, under ``/api/v1``: runs, answers, judgements, ratings, and giving a rating."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge.checks.checking import Evidence
from judge.ratings import LONGEST_NAME, Rating
from judge.records import RunRecord, RunState
from judge.results import Results
from judge.results.standing import standings_of
from judge.review.desk import Revealed, revealed
from judge.review.sheet import Sheet, sheet_of
from judge.types import Judgement
from judge.units import judgement_key
from judge.web.answers import LARGEST_PAGE, PAGE, AnswerPage, Wanted, answer_named, answer_page
from judge.web.making import Order
from judge.web.paging import next_link, page_after
from judge.web.problems import Refusal
from judge.web.rating import Said, has_rated, item_of, next_item, shown_ratings, submit
from judge.web.service import Here, rater_name, run_named
from judge.web.waiting import PENDING, pending, ready
from runner.identity import digest
from runner.types import Answer, Value

PREFIX = "/api/v1"


class Problem(Value):
    """Why a request was not answered (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


REFUSALS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "description": what, "content": {"application/problem+json": {}}}
    for status, what in {
        400: "The request cannot be understood",
        401: "The token is needed",
        403: "The request came from a page of another site",
        404: "There is no such thing",
        413: "The request is too large",
        422: "A value is not one that is allowed",
    }.items()
}
router = APIRouter(prefix=PREFIX, responses=REFUSALS)
Rater = Annotated[str, Query(min_length=1, max_length=LONGEST_NAME, description="Who rates")]
After = Annotated[
    str | None,
    Query(max_length=200, description="As the Link header of the page before has it; absent: the first page"),
]
Size = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]
LINKED: dict[int | str, dict[str, object]] = {
    200: {"headers": {"Link": {"description": "The next page, if there is one", "schema": {"type": "string"}}}}
}
T = TypeVar("T")


def _page(
    request: Request, response: Response, items: Sequence[T], key: Callable[[T], str], after: str | None, size: int
) -> Sequence[T]:
    """Return one page, and tell the next in a header. Raises Refusal when ``after`` is not in the list."""
    try:
        found, following = page_after(items, key, after, size)
    except LookupError as error:
        raise Refusal(
            400, "the page begins after something that is not in this list; begin at the first page"
        ) from error
    if following is not None:
        response.headers["Link"] = next_link(request.query_params, following)
    return found


class RunSummary(Value):
    """One run in a list."""

    id: str
    created_at: str
    """UTC, ISO 8601."""
    state: RunState
    suite: str
    suite_version: int
    samples: int
    """Answers per question and arm."""
    arms: tuple[str, ...]
    judges: tuple[str, ...]


class AnswerDetail(Value):
    """One answer with what executing it showed."""

    id: str
    arm: str
    question_id: str
    answer: Answer
    evidence: tuple[Evidence, ...]
    """Oldest first; empty when it was not executed."""


class Given(Value):
    """A rating as it was stored."""

    rating: Rating
    revealed: Revealed | None
    """What judges and others gave; ``None`` unless the item is rated now."""


@router.get("/runs", responses=LINKED)
def runs(here: Here, request: Request, response: Response, after: After = None, size: Size = PAGE) -> list[RunSummary]:
    """List runs, newest first; a Link header leads to the next page."""
    found = _page(request, response, here.store.run_ids(), str, after, size)
    return [_summary(*here.store.run(run_id)) for run_id in found]


def _summary(run: RunRecord, state: RunState) -> RunSummary:
    return RunSummary(
        id=run.id,
        created_at=run.created_at,
        state=state,
        suite=run.suite.name,
        suite_version=run.suite.version,
        samples=run.samples,
        arms=tuple(record.arm.id for record in run.arms),
        judges=tuple(judge.name for judge in run.judges),
    )


@router.get("/runs/{run_id}", response_model=Results, responses=PENDING)
def results(here: Here, run_id: str) -> Response:
    """Return the results of a run (id, or ``latest``), as ``judge report --json`` prints them; 202: ask again."""
    run, _ = run_named(here.store, run_id)
    made = here.workshop.current(Order("report", (run.id,)))
    return ready(made.report.results) if made else pending()


@router.get("/runs/{run_id}/answers")
def answers(
    here: Here,
    run_id: str,
    arm: str | None = None,
    question: str | None = None,
    state: str | None = None,
    after: str | None = None,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE,
) -> AnswerPage:
    """Return a page of the answers of a run; ``after`` is the ``next`` of the page before."""
    run, _ = run_named(here.store, run_id)
    wanted = Wanted(arm=arm, question=question, state=state, after=after, size=size)
    return answer_page(here.store, run, wanted)


@router.get("/runs/{run_id}/answers/{answer_id}")
def answer(here: Here, run_id: str, answer_id: str) -> AnswerDetail:
    """Return one answer."""
    found = answer_named(here.store, run_named(here.store, run_id)[0], answer_id)
    return AnswerDetail(
        id=answer_id,
        arm=found.record.arm.id,
        question_id=found.question.id,
        answer=found.answer,
        evidence=tuple(here.store.evidence_of(answer_id)),
    )


@router.get("/runs/{run_id}/answers/{answer_id}/judgements", responses=LINKED)
def judgements(
    here: Here,
    run_id: str,
    answer_id: str,
    request: Request,
    response: Response,
    after: After = None,
    size: Size = PAGE,
) -> Sequence[Judgement]:
    """Return what judges said of an answer, oldest first; a Link header leads to the next page."""
    answer_named(here.store, run_named(here.store, run_id)[0], answer_id)
    said = here.store.judgements_of(answer_id)
    return _page(request, response, said, lambda one: judgement_key(answer_id, one.call), after, size)


@router.get("/runs/{run_id}/ratings", responses=LINKED)
def ratings(
    here: Here,
    run_id: str,
    rater: Rater,
    request: Request,
    response: Response,
    after: After = None,
    size: Size = PAGE,
) -> Sequence[Rating]:
    """Return the ratings of the items that ``rater`` has rated, history included; of other items nothing is shown.

    A Link header leads to the next page.
    """
    shown = shown_ratings(here.orders.line(run_named(here.store, run_id)[0]), rater_name(rater))
    return _page(request, response, shown, digest, after, size)


@router.get("/runs/{run_id}/review/next")
def following(here: Here, run_id: str, rater: Rater, evidence: bool = True) -> Sheet | None:
    """Return the next item to rate, blind; ``null`` when nothing is left. ``evidence`` false: without what executing showed."""
    run, _ = run_named(here.store, run_id)
    item = next_item(here.store, here.orders.line(run), rater_name(rater))
    return sheet_of(here.store, run, item, evidence=evidence) if item else None


@router.post("/runs/{run_id}/review/items/{item_id}/ratings", status_code=201)
def rate(here: Here, run_id: str, item_id: Annotated[str, Field(max_length=64)], said: Said) -> Given:
    """Rate an item, skip it, or take the rating back. After a rating the judges' scores are shown."""
    run, _ = run_named(here.store, run_id)
    item = item_of(here.store, here.orders.line(run), item_id)
    rating = submit(here.store, item, said)
    shown = has_rated(here.orders.line(run), item, rating.rater)
    standings = standings_of(run, here.store)
    return Given(rating=rating, revealed=revealed(here.store, run, item, rating.rater, standings) if shown else None)
