"""A service that takes jobs and carries out none, and what is asked of it; and the record of a job."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from job_service import imported, places
from starlette.testclient import TestClient
from waiting import ALLOWED, waiting_service

from judge.job_record import Job
from judge.store import Store

PROBLEM = "application/problem+json"
RUN = {"candidates": ["demo_moe"], "judges": [{"name": "demo_judge"}]}
AT_ENDPOINT = {"judges": [{"urls": [ALLOWED], "model": "m"}]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in which jobs are kept, and no service."""
    opened = places(tmp_path).open_store()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run that can be scored."""
    folder = tmp_path_factory.mktemp("made")
    imported(folder, 1)
    return folder


@pytest.fixture
def client(made: Path, demo_models_only: None, tmp_path: Path) -> Iterator[TestClient]:
    """A service over a store in which nothing was asked for."""
    with waiting_service(Path(shutil.copytree(made, tmp_path / "made"))) as opened:
        yield opened


def ask(client: TestClient, path: str = "/api/v1/runs", **options: Any) -> Any:
    """Ask for a run, or for something else at its path."""
    return client.post(path, json={**(RUN if path.endswith("/runs") else {}), **options})


def job(id: str = "job-1", **fields: Any) -> Job:
    """The record of a run that was asked for."""
    return Job.model_validate({"id": id, "kind": "run", "options": {}, "created_at": "2026-01-01T00:00:00", **fields})
