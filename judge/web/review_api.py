"""The review over JSON beyond the next item: one item blind, what was given once it is rated, and how far a rater is."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from judge.results.standing import standings_of
from judge.review.desk import Progress, Revealed, revealed
from judge.review.desk import progress as progress_of
from judge.review.sheet import Sheet, sheet_of
from judge.web.api import PREFIX, REFUSALS, Rater
from judge.web.problems import Refusal
from judge.web.rating import has_rated, item_of
from judge.web.service import Here, rater_name, run_named

router = APIRouter(prefix=PREFIX, responses=REFUSALS)
ItemId = Annotated[str, Field(max_length=64)]


@router.get("/runs/{run_id}/review/progress")
def progress(here: Here, run_id: str, rater: Rater) -> Progress:
    """Return how far a rater is in both queues of a run."""
    run, _ = run_named(here.store, run_id)
    return progress_of(here.orders.line(run), rater_name(rater))


@router.get("/runs/{run_id}/review/items/{item_id}")
def item(here: Here, run_id: str, item_id: ItemId, evidence: bool = True) -> Sheet:
    """Return one item, blind. ``evidence`` false: without what executing the answer showed."""
    run, _ = run_named(here.store, run_id)
    return sheet_of(here.store, run, item_of(here.store, here.orders.line(run), item_id), evidence=evidence)


@router.get("/runs/{run_id}/review/items/{item_id}/revealed")
def given(here: Here, run_id: str, item_id: ItemId, rater: Rater) -> Revealed:
    """Return what judges and others gave an item that ``rater`` has rated; before that it is refused with 403."""
    run, _ = run_named(here.store, run_id)
    line, name = here.orders.line(run), rater_name(rater)
    found = item_of(here.store, line, item_id)
    if not has_rated(line, found, name):
        raise Refusal(403, "what others gave an item is shown after one's own rating of it")
    return revealed(here.store, run, found, name, standings_of(run, here.store))
