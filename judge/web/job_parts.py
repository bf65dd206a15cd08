"""What the pages of jobs and of runs are both made of: models and judges to choose from, and a job that is carried out."""

import os

from judge.errors import UserError
from judge.library import MissingFile, Models, find_file
from judge.types import ModelEntry
from judge.web.job_forms import BLANK_SCORING, Filled
from judge.web.service import Service

SHOWN_EVENTS = 20


def about_jobs(here: Service, run_id: str) -> dict[str, object]:
    """Return what the page of a run is made of beside its report: its job, if it is being made, and the form to score it again."""
    job = here.store.job_of_run(run_id)
    made = job is not None and job.unfinished
    events = here.store.last_job_events(job.id, SHOWN_EVENTS) if job is not None and made else []
    return {"job": job if made else None, "events": events, **judge_choices(here, Filled(BLANK_SCORING))}


def judge_choices(here: Service, filled: Filled) -> dict[str, object]:
    """Return what the fields about models and judges are made of: those whose file is here come first."""
    models = here.places.load_models()
    present, missing = _present(models)
    return {"filled": filled, "present": present, "missing": missing, "urls": sorted(here.judge_urls)}


def _present(models: Models) -> tuple[list[ModelEntry], list[ModelEntry]]:
    present = [entry for entry in models.entries if _has_file(entry)]
    return present, [entry for entry in models.entries if entry not in present]


def _has_file(entry: ModelEntry) -> bool:
    try:
        return not isinstance(find_file(entry, os.environ), MissingFile)
    except UserError:  # several files fit: none that a run could take
        return False
