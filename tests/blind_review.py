"""A service over a run whose queues wait for a rater, the steps of one in a browser, and that nothing is told too early."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from browsing import HOSTILE, Page, browser, page
from reviews import SECRETS, add_code, add_evidence, add_judgements, review_run
from starlette.testclient import TestClient

from judge.ratings import Item, Rating
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now
from judge.types import Grade
from judge.units import AnswerUnit
from judge.web.rating import opaque

RUN = review_run(samples=3)
API = f"/api/v1/runs/{RUN.id}"


def says(judge: str, unit: AnswerUnit, criterion: str) -> Grade:
    """The judges are 3 points apart on c1 of the first answers, and agree on the rest."""
    if criterion == "c1" and unit.sample == 0:
        return 2 if judge == "umbrella" else 5
    return 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with code, evidence, judgements that are hostile and name their judge, and both queues."""
    path = tmp_path_factory.mktemp("review") / "judge.db"
    store = Store.open(path)
    add_code(store, RUN)
    add_evidence(store, RUN, fails=lambda unit: unit.sample == 1)
    add_judgements(store, RUN, says, reasoning=f"umbrella thinks so {' '.join(HOSTILE)}")
    make_queues(RUN, store, per_arm=15, seed=1)
    store.close()
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A copy of its store for one test alone."""
    return Path(shutil.copy(made, tmp_path / "judge.db"))


@pytest.fixture
def client(path: Path) -> Iterator[TestClient]:
    """The service over that copy."""
    with browser(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def unrated(made: Path) -> Iterator[TestClient]:
    """For tests that rate nothing."""
    with browser(made) as opened:
        yield opened


def begin(client: TestClient, rater: str = "ann") -> httpx2.Response:
    """Begin the review and come to the first item."""
    csrf = page(client, "/review").csrf
    return client.post("/review", data={"csrf": csrf, "rater": rater, "run": opaque(RUN)})


def send(client: TestClient, shown: httpx2.Response, **fields: str) -> httpx2.Response:
    """Send the form of an item page."""
    return client.post(shown.url.path, data={"csrf": Page(shown.text).csrf, "action": "rate", **fields})


def ratings(path: Path) -> list[Rating]:
    """Return the stored ratings, oldest first."""
    store = Store.open(path)
    try:
        return list(queues_of(RUN, store).ratings)
    finally:
        store.close()


def items(path: Path) -> list[Item]:
    """Return what is in the queues, in its order."""
    store = Store.open(path)
    try:
        return list(queues_of(RUN, store).items)
    finally:
        store.close()


def rate_all(path: Path, score: Grade, *, but: str = "") -> None:
    """Let ann rate every item but one, elsewhere."""
    store = Store.open(path)
    for item in items(path):
        if item.id != but:
            say(store, item, "ann", utc_now(), score=score)
    store.close()


def everything(response: httpx2.Response) -> str:
    """Return every byte of a reply and of the replies that led to it, headers and addresses included."""
    parts = [*response.history, response]
    return "\n".join(f"{one.url}\n{one.headers.raw!r}\n{one.text}" for one in parts)


def assert_tells_nothing(response: httpx2.Response) -> None:
    """No name that a rater may not see, and nothing of what a judge said."""
    text = everything(response)
    assert not [name for name in SECRETS if re.search(rf"{re.escape(name)}", text, re.IGNORECASE)]
    assert "thinks so" not in text and "since it is so" not in text
