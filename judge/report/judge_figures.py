"""Figures of the judges themselves: against the tests, and against each other."""

from judge.panel import Relation
from judge.report.panels import Axis, Cell, DotPanel, Figure, HeatPanel, Point
from judge.report.tables import NONE
from judge.results import ArmResult, JudgeCell, Results

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
    """Return what every judge gave every arm, with those marked that do not count."""
    judges = tuple(judge.name for judge in results.judges)
    several = len(judges) > 1 and any(cell.mean is not None for arm in results.arms for cell in arm.by_judge)
    return Figure(
        id="cross-judges",
        title="Judges against each other",
        caption="Mean score that each judge (column) gave each arm (row). Hatched, in brackets: it does not count, since the judge "
        "failed its exam or is of the candidate's family.",
        panels=(_matrix(results, judges),) if several else (),
        nothing="Fewer than two judges scored this run.",
        columns=("Arm", "Judge", "Relation", "Counts", "Mean", "Tiers", "Scored", "Failures"),
        rows=tuple(_cross_row(arm, cell) for arm in results.arms for cell in arm.by_judge),
    )


def _matrix(results: Results, judges: tuple[str, ...]) -> HeatPanel:
    return HeatPanel(
        title="Mean score",
        rows=tuple(arm.id for arm in results.arms),
        columns=judges,
        cells=tuple(tuple(_matrix_cell(arm, judge) for judge in judges) for arm in results.arms),
    )


def _matrix_cell(arm: ArmResult, judge: str) -> Cell:
    given = next((cell for cell in arm.by_judge if cell.judge == judge), None)
    return Cell(value=given.mean, marked=not given.counts) if given else Cell(value=None)


def _cross_row(arm: ArmResult, cell: JudgeCell) -> tuple[str, ...]:
    return (
        arm.id,
        cell.judge,
        RELATIONS[cell.relation],
        "yes" if cell.counts else "no",
        NONE if cell.mean is None else f"{cell.mean:.2f}",
        ", ".join(f"{tier} {mean:.2f}" for tier, mean in cell.tiers.items()) or NONE,
        f"{cell.scored} of {cell.wanted}",
        str(cell.failures),
    )
