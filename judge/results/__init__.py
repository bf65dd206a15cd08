"""From stored answers and judgements to the figures of a report: ``values`` is what a report shows, ``build_results`` computes it."""

from judge.results.build import build_results, read_coverages, read_scored
from judge.results.values import ArmResult, CriterionScore, JudgeCell, JudgeSummary, QuestionScore, Results

__all__ = [
    "ArmResult",
    "CriterionScore",
    "JudgeCell",
    "JudgeSummary",
    "QuestionScore",
    "Results",
    "build_results",
    "read_coverages",
    "read_scored",
]
