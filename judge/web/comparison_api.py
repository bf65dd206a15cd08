"""The JSON side of what sets arms and judges against each other."""

from typing import Annotated

from fastapi import APIRouter, Query

from judge.compare import MARGIN
from judge.cross import CrossJudging
from judge.paired_arms import PairedArms
from judge.results import read_scored
from judge.results.against import cross_of
from judge.web.api import PREFIX, REFUSALS
from judge.web.arm_pages import LARGEST_MARGIN, LEAST_MARGIN, paired
from judge.web.service import Here, run_named

router = APIRouter(prefix=PREFIX, responses=REFUSALS)
ArmName = Annotated[str, Query(min_length=1, description="ARM of this run, or RUN:ARM; by id or fingerprint")]


@router.get("/runs/{run_id}/compare")
def compare(
    here: Here,
    run_id: str,
    left: ArmName,
    right: ArmName,
    margin: Annotated[float, Query(ge=LEAST_MARGIN, le=LARGEST_MARGIN, description="Points")] = MARGIN,
) -> PairedArms:
    """Compare the arm ``right`` with the arm ``left`` on the same questions, as ``judge compare`` does."""
    run, _ = run_named(here.store, run_id)
    return paired(here.store, run, left, run, right, margin)


@router.get("/runs/{run_id}/cross")
def cross(here: Here, run_id: str) -> CrossJudging | None:
    """Return what the judges of a run say about each other; ``null`` with fewer than two."""
    run, _ = run_named(here.store, run_id)
    return cross_of(run, read_scored(run, here.store)) if len(run.judges) > 1 else None
