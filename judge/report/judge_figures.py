"""Figures of the judges themselves: against the tests, and against each other."""

from judge.report.panels import Axis, DotPanel, Figure, Point
from judge.report.tables import NONE
from judge.results import ArmResult, Results

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
