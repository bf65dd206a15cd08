"""The review in a browser: one blind item at a time, and what judges gave it only after one's own rating.

Until then nothing on the pages, in their addresses or in their headers names a model, config, judge or run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from judge.ratings import Item
from judge.records import RunRecord
from judge.results.standing import standings_of
from judge.review.desk import Line, progress, revealed, undo
from judge.review.line import Orders
from judge.review.sheet import sheet_of
from judge.store import Store, utc_now
from judge.types import Grade
from judge.web.highlight import highlighted
from judge.web.making import Order
from judge.web.problems import Refusal
from judge.web.rating import LONGEST_COMMENT, Said, has_rated, item_of, next_item, opaque, reviewed_run, submit
from judge.web.service import RATER, REVIEWED, Here, Sent, cookie, page, rater_name, run_named, set_cookie
from judge.web.waiting import pending_page

router = APIRouter(include_in_schema=False)
EVIDENCE, CLOSED = "judge_evidence", "closed"
"""Cookie of a rater who opens what executing showed by hand, and what it holds."""
GRADES: Mapping[str, Grade | None] = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "cannot_assess": None}


@dataclass(frozen=True)
class Desk:
    """Where one person reviews one run."""

    store: Store
    run: RunRecord
    rater: str
    orders: Orders

    def line(self) -> Line:
        """Read both queues."""
        return self.orders.line(self.run)


def _desk(request: Request, here: Here) -> Desk:
    rater, run = cookie(request, RATER), reviewed_run(here.store, cookie(request, REVIEWED))
    if not rater or run is None:
        raise Refusal(409, "it is not known who reviews what; begin at Review in the menu")
    return Desk(here.store, run, rater_name(rater), here.orders)


AtDesk = Annotated[Desk, Depends(_desk)]


@router.get("/review")
def start(request: Request, here: Here) -> Response:
    """Ask who reviews, and what."""
    queued = here.store.queued_run_ids()
    runs = [here.store.run(run_id)[0] for run_id in here.store.run_ids() if run_id in queued]
    choices = [(opaque(run), f"{run.suite.name} {run.suite.version}, begun {run.created_at[:16]}") for run in runs]
    return page(
        request,
        "review.html.j2",
        rater=cookie(request, RATER),
        chosen=cookie(request, REVIEWED),
        runs=choices,
        closed=cookie(request, EVIDENCE) == CLOSED,
    )


@router.post("/review")
def begin(request: Request, here: Here, form: Sent) -> Response:
    """Remember who reviews what, and go to the first item."""
    rater = rater_name(form.get("rater", ""))
    run = reviewed_run(here.store, form.get("run", ""))
    if run is None:
        raise Refusal(422, "choose what to review; judge review queue makes the queues of a run")
    response = _see("/review/next")
    set_cookie(response, RATER, rater)
    set_cookie(response, REVIEWED, opaque(run))
    if form.get("evidence") == CLOSED:
        set_cookie(response, EVIDENCE, CLOSED)
    elif cookie(request, EVIDENCE):
        response.delete_cookie(EVIDENCE)
    return response


@router.get("/review/next")
def following(request: Request, desk: AtDesk) -> Response:
    """Go to the next item, or say that nothing is left."""
    line = desk.line()
    item = next_item(desk.store, line, desk.rater)
    if item is not None:
        return _see(f"/review/items/{item.id}")
    return page(request, "reviewed.html.j2", progress=progress(line, desk.rater))


@router.get("/review/items/{item_id}")
def show_item(request: Request, desk: AtDesk, item_id: str) -> Response:
    """Show one item, blind."""
    line = desk.line()
    return _item_page(request, desk, line, item_of(desk.store, line, item_id))


def _item_page(request: Request, desk: Desk, line: Line, item: Item, problem: str = "", comment: str = "") -> Response:
    sheet = sheet_of(desk.store, desk.run, item)
    return page(
        request,
        "item.html.j2",
        422 if problem else 200,
        sheet=sheet,
        code=highlighted(sheet.code) if sheet.has_code else None,
        levels={grade: level.text for level in sheet.scale for grade in level.scores},
        progress=progress(line, desk.rater),
        rated=has_rated(line, item, desk.rater),
        closed=cookie(request, EVIDENCE) == CLOSED,
        problem=problem,
        comment=comment,
    )


@router.post("/review/items/{item_id}")
def rate(request: Request, desk: AtDesk, item_id: str, form: Sent) -> Response:
    """Store a rating and show what the judges gave; or leave the item for later."""
    line = desk.line()
    item = item_of(desk.store, line, item_id)
    comment, choice = form.get("comment", "").strip(), form.get("score", "")
    if len(comment) > LONGEST_COMMENT:
        return _item_page(request, desk, line, item, f"The comment is longer than {LONGEST_COMMENT} letters.", comment)
    if form.get("action") == "skip":
        submit(desk.store, item, Said(rater=desk.rater, score=None, state="skipped", comment=comment))
        return _see("/review/next")
    if choice not in GRADES:
        return _item_page(request, desk, line, item, "Choose 1 to 5, or “cannot assess”.", comment)
    submit(desk.store, item, Said(rater=desk.rater, score=GRADES[choice], comment=comment))
    return _see(f"/review/items/{item.id}/revealed")


@router.get("/review/items/{item_id}/revealed")
def reveal(request: Request, desk: AtDesk, item_id: str) -> Response:
    """Show what judges and others gave an item; before one's own rating, the item."""
    line = desk.line()
    item = item_of(desk.store, line, item_id)
    if not has_rated(line, item, desk.rater):
        return _see(f"/review/items/{item.id}")
    found = revealed(desk.store, desk.run, item, desk.rater, standings_of(desk.run, desk.store))
    return page(
        request,
        "revealed.html.j2",
        item=item,
        found=found,
        title=desk.run.suite.question(item.question_id).title,
        progress=progress(line, desk.rater),
    )


@router.post("/review/undo")
def take_back(desk: AtDesk, form: Sent) -> Response:
    """Take back one's last rating, and show its item again."""
    return _see(f"/review/items/{undo(desk.store, desk.line(), desk.rater, utc_now()).id}")


@router.get("/runs/{run_id}/labels")
def labels(request: Request, here: Here, run_id: str) -> Response:
    """Show what people's labels say of the judges, and what they change."""
    run, state = run_named(here.store, run_id)
    made = here.workshop.current(Order("labels", (run.id,)))
    if made is None:
        return pending_page(request, run, state, "What the labels changed")
    return page(request, "labels.html.j2", run=run, found=made.labels)


def _see(path: str) -> Response:
    return RedirectResponse(path, status_code=303)
