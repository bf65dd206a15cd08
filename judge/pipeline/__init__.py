"""The loops of a run: collect what is owed, execute it, then have it scored. They yield events and print nothing.

Every model is loaded once: all answers of an arm are collected before the next arm is served, and the judge comes last. A unit is
stored the moment it completes, so a run that is killed loses what was in flight and nothing else.
"""

from judge.pipeline.bench import judge_arm
from judge.pipeline.collecting import collect_run, count_owed_answers, work_of
from judge.pipeline.examining import count_owed_exam, exam_of, exam_owed, qualification_of
from judge.pipeline.executing import check_run, count_owed_checks, evidence_of, owed_checks, wanted_checks
from judge.pipeline.judging import only_exam_owed, score_all, score_run
from judge.pipeline.pairings import ArmPair, Contest, PairTask, askable, count_owed_pairings, wanted_pairings
from judge.pipeline.ranking import rank_all, rank_run
from judge.pipeline.scorings import count_owed_scorings, has_scorings, judged_arms, owed_scorings, wanted_scorings
from judge.pipeline.shared import Budget, Machinery, file_name

__all__ = [
    "ArmPair",
    "Budget",
    "Contest",
    "Machinery",
    "PairTask",
    "askable",
    "check_run",
    "collect_run",
    "count_owed_answers",
    "count_owed_checks",
    "count_owed_exam",
    "count_owed_pairings",
    "count_owed_scorings",
    "evidence_of",
    "exam_of",
    "exam_owed",
    "file_name",
    "has_scorings",
    "judge_arm",
    "judged_arms",
    "only_exam_owed",
    "owed_checks",
    "owed_scorings",
    "qualification_of",
    "rank_all",
    "rank_run",
    "score_all",
    "score_run",
    "wanted_checks",
    "wanted_pairings",
    "wanted_scorings",
    "work_of",
]
