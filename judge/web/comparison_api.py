"""The JSON side of what sets arms and judges against each other."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from judge.compare import MARGIN
from judge.cross import CrossJudging
from judge.paired_arms import PairedArms
from judge.web.api import PREFIX, REFUSALS
from judge.web.arm_pages import LARGEST_MARGIN, LEAST_MARGIN, paired
from judge.web.making import Order
from judge.web.service import Here, run_named
from judge.web.waiting import PENDING, pending, ready

router = APIRouter(prefix=PREFIX, responses=REFUSALS)
ArmName = Annotated[str, Query(min_length=1, description="ARM of this run, or RUN:ARM; by id or fingerprint")]


@router.get("/runs/{run_id}/compare", response_model=PairedArms, responses=PENDING)
def compare(
    here: Here,
    run_id: str,
    left: ArmName,
    right: ArmName,
    margin: Annotated[float, Query(ge=LEAST_MARGIN, le=LARGEST_MARGIN, description="Points")] = MARGIN,
) -> PairedArms | Response:
    """Compare the arm ``right`` with the arm ``left`` on the same questions, as ``judge compare`` does; 202: ask again."""
    run, _ = run_named(here.store, run_id)
    return paired(here, run, left, run, right, margin) or pending()


@router.get("/runs/{run_id}/cross", response_model=CrossJudging | None, responses=PENDING)
def cross(here: Here, run_id: str) -> Response:
    """Return what the judges of a run say about each other; ``null`` with fewer than two. 202: ask again."""
    run, _ = run_named(here.store, run_id)
    if len(run.judges) < 2:
        return ready("null")
    made = here.workshop.current(Order("report", (run.id,)))
    return ready(made.report.cross) if made else pending()
