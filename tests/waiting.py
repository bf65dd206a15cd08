"""A service that takes jobs and carries out none, so that what was asked for can be looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import HERE, PatientClient
from job_service import places
from starlette.testclient import TestClient

from judge.web.access import Access
from judge.web.application import application
from judge.web.service import Service
from runner.moe import DemoModels

ALLOWED = "http://127.0.0.1:9/v1"
"""The one endpoint that a judge may be at."""


@pytest.fixture(scope="module")
def demo_models_only(demo: DemoModels) -> Iterator[None]:
    """The environment of somebody who has no other models."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUDGE_MODELS_DIR", "JUDGE_MODELS"):
            patch.delenv(name, raising=False)
        patch.setenv("JUDGE_DEMO_DIR", str(demo.moe.parent))
        yield


@contextmanager
def waiting_service(folder: Path) -> Iterator[TestClient]:
    """A service over the store of a folder whose jobs wait, and that allows one endpoint."""
    store = places(folder).open_store()
    service = Service(store, Access(host="127.0.0.1"), places=places(folder), judge_urls=frozenset({ALLOWED}))
    with PatientClient(application(service), base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened
    store.close()


def state_of(client: TestClient) -> Any:
    """Return what the application keeps."""
    return client.app.app.state  # type: ignore[attr-defined]
