"""The tables as the migrations leave them: names of columns only, types and indexes are the migrations' business."""

import sqlalchemy as sa

METADATA = sa.MetaData()


def _table(name: str, *columns: str) -> sa.Table:
    return sa.Table(name, METADATA, *(sa.Column(column) for column in columns))


RUNS = _table("runs", "id", "created_at", "state", "doc")
ARMS = _table("arms", "fingerprint", "arm", "model")
LAUNCHES = _table("launches", "id", "run_id", "arm", "created_at", "doc")
COMPARISONS = _table("comparisons", "unit", "run_id", "first", "second", "judge_fingerprint", "created_at", "doc")
COMPARISON_FAILURES = _table("comparison_failures", "id", "unit", "run_id", "kind", "created_at", "doc")
ANSWERS = _table("answers", "unit", "run_id", "arm", "question_id", "sample", "state", "created_at", "doc")
ANSWER_FAILURES = _table("answer_failures", "id", "unit", "run_id", "state", "created_at", "doc")
EVIDENCE = _table("evidence", "unit", "run_id", "answer_unit", "created_at", "doc")
JUDGEMENTS = _table("judgements", "unit", "run_id", "answer_unit", "judge_fingerprint", "created_at", "doc")
JUDGE_FAILURES = _table("judge_failures", "id", "unit", "run_id", "kind", "created_at", "doc")
CHANGES = _table("changes", "scope", "number")
EXAMS = _table("exams", "unit", "run_id", "judge_fingerprint", "created_at", "doc")
_ITEM = ("id", "run_id", "answer_unit", "criterion", "rubric", "created_at", "doc")
_RATING = ("id", "item", "rater", "created_at", "score", "doc")
AUDIT_ITEMS = _table("audit_items", *_ITEM, "stratum", "inclusion_probability")
REPAIR_ITEMS = _table("repair_items", *_ITEM, "reason")
AUDIT_RATINGS = _table("audit_ratings", *_RATING)
REPAIR_RATINGS = _table("repair_ratings", *_RATING)
JOBS = _table(
    "jobs",
    "id",
    "kind",
    "options",
    "state",
    "run_id",
    "created_at",
    "started_at",
    "ended_at",
    "error",
    "exit_code",
    "resumes",
    "progress",
)
JOB_EVENTS = _table("job_events", "id", "job", "created_at", "doc")
