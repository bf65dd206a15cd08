"""The loops of a run: collect what is owed, execute it, then have it scored. They yield events and print nothing.

Every model is loaded once: all answers of an arm are collected before the next arm is served, and the judge comes last. A unit is
stored the moment it completes, so a run that is killed loses what was in flight and nothing else.
"""

from judge.pipeline.collecting import collect_run, work_of
from judge.pipeline.executing import check_run, evidence_of, owed_checks, wanted_checks
from judge.pipeline.judging import judge_arm, owed_scorings, score_run, wanted_scorings
from judge.pipeline.shared import Machinery, file_name

__all__ = [
    "Machinery",
    "check_run",
    "collect_run",
    "evidence_of",
    "file_name",
    "judge_arm",
    "owed_checks",
    "owed_scorings",
    "score_run",
    "wanted_checks",
    "wanted_scorings",
    "work_of",
]
