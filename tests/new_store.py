"""A new store with nothing in it, and one answer's place in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import arm, question

from judge.store import Store
from judge.units import AnswerUnit, answer_unit
from runner.types import Sampling

ARM = arm("moe4")
FORKS = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
"""No thread of ours is alive at a fork, but numpy keeps some that newer Pythons warn of."""


def unit(sample: int = 0) -> AnswerUnit:
    """The place of an answer of ``ARM``."""
    return answer_unit(ARM, question(), Sampling(), sample)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is, in a folder that is not there yet."""
    return tmp_path / "results" / "judge.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """The store itself, open."""
    opened = Store.open(path)
    yield opened
    opened.close()
