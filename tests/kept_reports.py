"""A service over a run that has nearly everything, what it shows, and what the store says that it should."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import browser
from examples import answer, run_record
from reviews import add_code, add_evidence, add_judgements, answers_of, review_run
from starlette.testclient import TestClient

from judge.results import build_results
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now

RUN = review_run(samples=2)
API = f"/api/v1/runs/{RUN.id}"
OTHER = run_record(id="other", created_at="2025-01-01T00:00:00.000000+00:00", arms=(), judges=())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A run that has nearly everything: one answer is missing, and the second arm was not executed."""
    opened = Store.open(tmp_path / "judge.db")
    opened.add_run(OTHER)
    missing = answers_of(RUN)[-1]
    whole = Store.open(tmp_path / "whole.db")
    add_code(whole, RUN)
    opened.add_run(RUN)
    for unit in answers_of(RUN):
        if unit != missing:
            opened.add_answer(RUN.id, unit, dict(whole.answers([unit.key]))[unit.key])
    whole.close()
    executed = RUN.model_copy(update={"arms": RUN.arms[:1]})
    add_evidence(opened, executed, fails=lambda unit: unit.sample == 1)
    add_judgements(opened, RUN, lambda judge, unit, criterion: 4 if judge == "umbrella" else 5)
    make_queues(RUN, opened, per_arm=15, seed=1)
    opened.set_run_state(RUN.id, "incomplete")
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    """The service over that store."""
    with browser(tmp_path / "judge.db") as opened:
        yield opened


def shown(client: TestClient) -> Any:
    """What a program gets of the run, once it is computed."""
    return client.get(API).json()


def computed(store: Store) -> Any:
    """What ``judge report --json`` prints of the store as it is."""
    return json.loads(build_results(*store.run(RUN.id), store).model_dump_json())


def an_answer(store: Store) -> None:
    """Store the answer that is missing."""
    unit = answers_of(RUN)[-1]
    store.add_answer(RUN.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))


def ratings(store: Store) -> None:
    """Have somebody rate the whole audit."""
    for item in queues_of(RUN, store).audit:
        say(store, item, "ann", utc_now(), score=2)
