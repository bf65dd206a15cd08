"""Figures of the judges themselves: against the tests, and against each other."""

from judge.cross import CrossCell, CrossJudging
from judge.panel import Relation
from judge.report.panels import Axis, Cell, DotPanel, Figure, HeatPanel, Point
from judge.report.points import over_all
from judge.report.tables import NONE
from judge.results import ArmResult, Results
from judge.scoring import Coverage

RIGHT, WRONG = "right confirmed (TPR)", "wrong caught (TNR)"


def judge_against_tests(results: Results) -> Figure:
    """Return how often the judge was right where the tests are decisive."""
    known = [arm for arm in results.arms if arm.rates.right or arm.rates.wrong]
    sight = (
        "without seeing the evidence"
        if results.judged_blind
        else "with the evidence in sight (--blind audits the judge)"
    )
    return Figure(
        id="judge-against-tests",
        title="Judge against tests",
        caption=f"Criteria whose truth the tests know, scored {sight}: how many right ones the judge confirmed, how many wrong ones it "
        "caught. A judge that is worth its scores is far to the right on both.",
        panels=(_rates_panel(known),) if known else (),
        nothing="No criterion has both a decisive test and a score.",
        columns=("Arm", "Right confirmed", "of", "TPR", "Wrong caught", "of", "TNR"),
        rows=tuple(_rates_row(arm) for arm in results.arms),
    )


def _rates_panel(arms: list[ArmResult]) -> DotPanel:
    return DotPanel(
        title="Share of criteria",
        axis=Axis(label="share", low=-0.04, high=1.04),
        rows=tuple(arm.id for arm in arms),
        series={
            RIGHT: tuple(_share(arm.rates.tpr) for arm in arms),
            WRONG: tuple(_share(arm.rates.tnr) for arm in arms),
        },
    )


def _share(rate: float | None) -> Point | None:
    return None if rate is None else Point(value=rate)


def _rates_row(arm: ArmResult) -> tuple[str, ...]:
    r = arm.rates
    tpr, tnr = (NONE if rate is None else f"{rate:.0%}" for rate in (r.tpr, r.tnr))
    return (arm.id, str(r.right_confirmed), str(r.right), tpr, str(r.wrong_caught), str(r.wrong), tnr)


# --- judges against each other --------------------------------------------------------------------------------------

RELATIONS = {Relation.SELF: "itself", Relation.FAMILY: "own or unknown family", Relation.OTHER: "other family"}


def cross_judges(results: Results) -> Figure:
    """Return what every judge gave every arm, with those marked that are left out of headlines."""
    cross = results.cross
    coverages = {(arm.id, cell.judge): cell.coverage for arm in results.arms for cell in arm.by_judge}
    return Figure(
        id="cross-judges",
        title="Judges against each other",
        caption="Mean score that each judge (column) gave each arm (row), before evidence bounds it. Hatched, in brackets: the judge "
        "itself, or a judge of its own or an unknown family; left out of every headline." + over_all(results),
        panels=(_matrix(cross),) if cross and any(cell.mean is not None for cell in cross.cells) else (),
        nothing="Fewer than two judges scored this run.",
        columns=("Arm", "Judge", "Relation", "Mean", "K", "Scored"),
        rows=tuple(_cross_row(cell, coverages[cell.arm_id, cell.judge]) for cell in cross.cells) if cross else (),
    )


def _matrix(cross: CrossJudging) -> HeatPanel:
    cells = {(cell.arm_id, cell.judge): cell for cell in cross.cells}
    return HeatPanel(
        title="Mean score",
        rows=cross.arms,
        columns=cross.judges,
        cells=tuple(tuple(_matrix_cell(cells.get((arm, judge))) for judge in cross.judges) for arm in cross.arms),
    )


def _matrix_cell(cell: CrossCell | None) -> Cell:
    return Cell(value=cell.mean, marked=cell.relation is not Relation.OTHER) if cell else Cell(value=None)


def _cross_row(cell: CrossCell, coverage: Coverage) -> tuple[str, ...]:
    mean = NONE if cell.mean is None else f"{cell.mean:.2f}"
    return (cell.arm_id, cell.judge, RELATIONS[cell.relation], mean, coverage.samples_text, coverage.scored_text)
