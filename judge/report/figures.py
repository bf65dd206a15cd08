"""Every figure of the report, in order."""

from judge.report.expert_figure import expert_curve
from judge.report.judge_figures import cross_judges, judge_against_tests
from judge.report.panels import Figure
from judge.report.score_figures import criteria_heat_map, speed_against_quality, tiers_against_roles
from judge.results import Results


def figures(results: Results) -> tuple[Figure, ...]:
    """Return all figures; one without data says so."""
    return (
        speed_against_quality(results),
        tiers_against_roles(results),
        criteria_heat_map(results),
        expert_curve(results),
        cross_judges(results),
        judge_against_tests(results),
    )
