"""Pages that set arms against each other, and judges: two arms side by side, and the matrix of judges and arms."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from pydantic import ConfigDict, Field
from starlette.responses import Response

from judge.compare import MARGIN
from judge.comparing import comparison_rows
from judge.errors import UserError
from judge.paired_arms import PairedArms, find_arm
from judge.records import RunRecord
from judge.web.making import Order
from judge.web.problems import Refusal
from judge.web.run_pages import policy_with_plots
from judge.web.service import Here, Service, page, run_named
from judge.web.waiting import pending_page
from runner.types import Value

router = APIRouter(include_in_schema=False)
LEAST_MARGIN, LARGEST_MARGIN = 0.01, 4.0
"""Points, as ``judge compare --margin`` takes them."""
MOST_RUNS = 50
"""Other runs that are offered, the newest."""
MOST_LINKS = 20
"""Pairs of answers to one question that are linked from the page."""
DIFFERENCE_COLUMNS = ("Criterion", "Right - left", "Interval", "Pairs")


class Sides(Value):
    """What is to be compared; empty text is what a form sends for something left open."""

    # The web framework builds what it checks queries with at once, and takes a model that is built later for a mistake of ours.
    model_config = ConfigDict(defer_build=False)

    left: str = ""
    """Fingerprint or id of an arm of the run."""
    right: str = ""
    """The same of an arm of ``other``."""
    other: str = ""
    """The run of the right arm, where that is another."""
    margin: float = Field(default=MARGIN, ge=LEAST_MARGIN, le=LARGEST_MARGIN)
    """Points on the 1-5 scale."""


@router.get("/runs/{run_id}/arms")
def arms(request: Request, here: Here, run_id: str, asked: Annotated[Sides, Query()]) -> Response:
    """Show two arms side by side; without two, ask which."""
    run, state = run_named(here.store, run_id)
    other = run_named(here.store, asked.other)[0] if asked.other else run
    found = None
    if asked.left and asked.right:
        found = paired(here, run, asked.left, other, asked.right, asked.margin)
        if found is None:
            return pending_page(request, run, state, "Two arms side by side")
    return page(
        request,
        "arms.html.j2",
        run=run,
        other=other,
        runs=[one for one in here.store.run_ids()[:MOST_RUNS] if one != run.id],
        asked=asked,
        least=LEAST_MARGIN,
        largest=LARGEST_MARGIN,
        found=found,
        columns=DIFFERENCE_COLUMNS,
        rows=comparison_rows(found.comparison) if found else [],
        most=MOST_LINKS,
    )


def paired(here: Service, run: RunRecord, left: str, other: RunRecord, right: str, margin: float) -> PairedArms | None:
    """Return two arms side by side, each named as ``ARM`` of its run, or ``RUN:ARM``; ``None``: they are being compared.

    Raises Refusal when one is not there.
    """

    def run_of(named: str) -> RunRecord:
        return run_named(here.store, named)[0]

    try:
        sides = find_arm(run_of, left, run.id), find_arm(run_of, right, other.id)
    except UserError as error:
        raise Refusal(404, str(error)) from error
    names = tuple(record.arm.fingerprint for _, record in sides)
    made = here.workshop.current(Order("arms", tuple(found.id for found, _ in sides), (*names, str(margin))))
    return made.arms if made else None


@router.get("/runs/{run_id}/cross")
def cross(request: Request, here: Here, run_id: str) -> Response:
    """Show what every judge gave every arm, and what the judges say about each other."""
    run, state = run_named(here.store, run_id)
    if len(run.judges) < 2:
        return page(request, "cross.html.j2", run=run, body="", independent=None)
    made = here.workshop.current(Order("report", (run.id,)))
    if made is None:
        return pending_page(request, run, state, "Judges against each other")
    body = Markup(made.report.cross_body)
    response = page(request, "cross.html.j2", run=run, body=body, independent=made.report.effective_judges)
    response.headers["Content-Security-Policy"] = policy_with_plots(body)
    return response
