"""What the pages of jobs and of runs are both made of: models and judges to choose from, and a job that is carried out."""

import os
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pydantic import JsonValue

from judge.errors import UserError
from judge.model_files import MissingFile, find_file
from judge.places import Places
from judge.types import ModelEntry
from judge.web.job_forms import BLANK_SCORING, Filled
from judge.web.service import Service

SHOWN_EVENTS = 20
KNOWN_FOR_S = 30.0
"""Looking for the files of all models may go through large folders, and they seldom change."""


def about_jobs(here: Service, run_id: str) -> dict[str, object]:
    """Return what the page of a run is made of beside its report: its job, if it is being made, and the form to score it again."""
    job = here.store.job_of_run(run_id)
    made = job is not None and job.unfinished
    events = here.store.last_job_events(job.id, SHOWN_EVENTS) if job is not None and made else []
    return {"job": job if made else None, "events": events, **judge_choices(here, Filled(BLANK_SCORING))}


def in_words(options: Mapping[str, JsonValue], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and value of what was asked for; what was left open is left out."""
    for name, value in options.items():
        match value:
            case None | [] | {}:
                pass
            case dict():
                yield from in_words(value, f"{before}{name} ")
            case [dict(), *_]:
                for number, one in enumerate(value, start=1):
                    yield from in_words(one, f"{before}{name} {number} ") if isinstance(one, dict) else ()
            case list():
                yield f"{before}{name}", ", ".join(map(str, value))
            case bool():
                yield f"{before}{name}", "yes" if value else "no"
            case _:
                yield f"{before}{name}", str(value)


def judge_choices(here: Service, filled: Filled) -> dict[str, object]:
    """Return what the fields about models and judges are made of: those whose file is here come first."""
    present, missing = _choosable(here.places, int(time.monotonic() // KNOWN_FOR_S))
    return {"filled": filled, "present": present, "missing": missing, "urls": sorted(here.judge_urls)}


@lru_cache(maxsize=4)
def _choosable(places: Places, _moment: int) -> tuple[list[ModelEntry], list[ModelEntry]]:
    """Return the models that have a file here, and the others."""
    entries = places.load_models().entries
    present = [entry for entry in entries if _has_file(entry)]
    return present, [entry for entry in entries if entry not in present]


def _has_file(entry: ModelEntry) -> bool:
    try:
        return not isinstance(find_file(entry, os.environ), MissingFile)
    except UserError:  # several files fit: none that a run could take
        return False
