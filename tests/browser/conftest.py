"""A real browser before a real ``judge serve``: over a run that is to be reviewed, and over one in which everybody is hostile."""

from collections.abc import Iterator

import pytest
from chromium import NONE, find_chromium, is_expected, launched
from ended_job import add_ended_job
from hostile_run import add_hostile_run, hostile_run, rate_by
from job_service import places, served
from payloads import PAYLOADS
from playwright.sync_api import Browser
from reviews import add_code, add_evidence, add_judgements, review_run
from visits import Place

from judge.review.desk import make_queues

REVIEWED = review_run(samples=3)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a file: while it runs, this thread has an event loop, which tests elsewhere do not expect."""
    executable = find_chromium()
    if executable is None:
        (pytest.fail if is_expected() else pytest.skip)(NONE)
    with launched(executable) as browser:
        yield browser


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everybody is well-behaved, nothing is rated yet."""
    folder = tmp_path_factory.mktemp("reviewed")
    store = places(folder).open_store()
    add_code(store, REVIEWED)
    add_evidence(store, REVIEWED, fails=lambda unit: unit.sample == 1)
    add_judgements(store, REVIEWED, lambda judge, unit, _: 5 if judge == "umbrella" or unit.sample else 2)
    make_queues(REVIEWED, store, per_arm=15, seed=1)
    add_ended_job(store, REVIEWED, "the judge cannot be reached")
    store.close()
    with served(folder) as service:
        yield Place(service.address, folder, REVIEWED)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Every answer, verdict, comment and name is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    run = hostile_run(samples=2)
    store = places(folder).open_store()
    add_hostile_run(store, run, ["\n".join(PAYLOADS)])
    rate_by(store, run, PAYLOADS)
    add_ended_job(store, run, "\n".join(PAYLOADS))
    store.close()
    with served(folder) as service:
        yield Place(service.address, folder, run)
