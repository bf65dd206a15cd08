"""A scored run that people are to rate, its queues, and ratings of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from reviews import add_code, add_evidence, add_judgements, review_run

from judge.ratings import Item, Rating
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store
from judge.types import Grade
from judge.units import AnswerUnit

RUN = review_run()


def says(judge: str, unit: AnswerUnit, criterion: str) -> Grade:
    """The judges are 3 points apart on c1 of the first answers and agree elsewhere."""
    if criterion == "c1" and unit.sample == 0:
        return 2 if judge == "umbrella" else 5
    return 3 if unit.sample % 2 else 4


@pytest.fixture(scope="module")
def scored_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose answers were executed and scored by two judges: made once, copied for each test."""
    path = tmp_path_factory.mktemp("scored") / "judge.db"
    opened = Store.open(path)
    add_code(opened, RUN)
    add_evidence(opened, RUN, fails=lambda unit: unit.sample == 1)
    add_judgements(opened, RUN, says, reasoning="umbrella thinks so")
    opened.close()
    return path


@pytest.fixture
def path(scored_store: Path, tmp_path: Path) -> Path:
    """Where a copy of it is for one test alone."""
    return Path(shutil.copy(scored_store, tmp_path / "judge.db"))


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """That copy, open."""
    opened = Store.open(path)
    yield opened
    opened.close()


def queued(store: Store, *, per_arm: int = 15) -> tuple[Item, ...]:
    """Make the queues, and return what is in them."""
    make_queues(RUN, store, per_arm=per_arm, seed=1)
    return queues_of(RUN, store).items


def minute(n: int) -> str:
    """A time of the first hour of 2026."""
    return f"2026-01-01T00:{n:02}:00.000000+00:00"


def rate(store: Store, item: Item, score: Grade | None, *, at: int = 0, rater: str = "ann") -> Rating:
    """Have somebody rate an item; ``None``: it cannot be assessed."""
    return say(store, item, rater, minute(at), score=score)
