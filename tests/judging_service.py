"""A service that judges single answers by a judge that a test scripts, and what is asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from browsing import browser
from exam_judges import PROMPTS, SUITE, record
from fakes import FakeServer, Handler, Opinion, Request, ScriptedJudge, serving
from starlette.testclient import TestClient

from judge.pipeline import Machinery
from judge.web.judging import Judging
from runner.retry import RetryPolicy

QUESTION = SUITE.question("C-T1-Q1")
GOOD = "Here:\n```python\ndef add(a: int, b: int) -> int:\n    return a + b\n```\n"
PROBLEM = "application/problem+json"
KEY = "sk-a-key-that-nobody-may-see"
RUBRIC = [
    {"id": "logic", "name": "Correct", "weight": 70, "description": "adds\nany two numbers"},
    {"id": "style", "name": "Readable", "weight": 30},
]
OWN: dict[str, Any] = {"question": "Add two numbers.", "rubric": RUBRIC, "answer": GOOD}
FAST = RetryPolicy(attempts=2, base_s=0.001)
JSON = {"Content-Type": "application/json"}


@contextmanager
def judged_by(handler: Handler, folder: Path, **options: Any) -> Iterator[tuple[TestClient, FakeServer]]:
    """A service whose judge answers by ``handler``; ``concurrency`` is of the machinery, the rest of Judging."""
    machinery = Machinery(folder=folder, api_key=KEY, retry=FAST, concurrency=options.pop("concurrency", None))
    with serving(handler) as server:
        judging = Judging(record(server), SUITE, PROMPTS, machinery, known=("architect_coding", "m"), **options)
        with browser(folder / "judge.db", judging=judging) as client:
            yield client, server


@pytest.fixture
def asks(tmp_path: Path) -> Iterator[Any]:
    """Returns the reply to one request about an answer, judged by an opinion."""

    def ask(opinion: Opinion, **asked: Any) -> Any:
        with judged_by(ScriptedJudge(opinion), tmp_path) as (client, _):
            response = client.post("/api/v1/judge", json=asked)
            assert response.status_code == 200, response.text
            return response.json()

    yield ask


def prompts(server: FakeServer) -> list[str]:
    """The user messages of all gradings; the handshake is none."""
    return [text for text in map(grading, server.asked()) if text]


def grading(request: Request) -> str:
    """The user message of a request that asks for scores; empty for any other."""
    text = request.body["messages"][-1]["content"] if request.path == "/v1/chat/completions" else ""
    return text if "<<<ANSWER" in text else ""


def refused(response: httpx2.Response, status: int, begins: str) -> None:
    """The reply is a problem of a kind, and tells neither the key nor where the judge is."""
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM), response.text
    assert response.json()["detail"].startswith(begins), response.text
    for inside in (KEY, "127.0.0.1", "Traceback", "httpx", "secret of the server", '"score"'):
        assert inside not in response.text
