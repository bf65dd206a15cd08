"""A scoring that was asked for over HTTP and failed, and what was said of it."""

from judge.job_record import Job, Progress
from judge.records import RunRecord
from judge.store import Store, utc_now

JOB = "job-that-ended"


def add_ended_job(store: Store, run: RunRecord, said: str) -> None:
    """Store a scoring that failed, and what was said of it."""
    base = {"id": JOB, "kind": "score", "options": {"run_id": run.id}, "created_at": utc_now()}
    store.add_job(Job.model_validate({**base, "state": "failed", "error": said, "exit_code": 3}), most_waiting=1)
    store.add_job_events(JOB, [Progress(kind="scoring_failed", phase="score", text=said, done=1, owed=4)])
