"""A run whose arms a judge compares, and what the ranking says that comes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeServer, serving
from pair_judges import PairOpinion, preferring
from rankings import add_texts, by_name, comparing_judge, ranked_run

from judge.conduct import Conduct
from judge.places import Places
from judge.ranking import planned, rank
from judge.records import JudgeRecord, RunRecord
from judge.report.rankings import judge_blocks
from judge.results.rankings import JudgeRanking, RunRanking, ScoreOrder
from judge.store import Store

QUALITIES = {"good": 3, "fair": 2, "poor": 1}
QUIET = Conduct(quiet=True, concurrency=4)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Where a test keeps its results."""
    return Places(results=tmp_path / "results")


@pytest.fixture
def store(places: Places) -> Iterator[Store]:
    """The store there, open."""
    opened = places.open_store()
    yield opened
    opened.close()


def ranked(places: Places, **options: bool) -> RunRanking:
    """Rank the newest run by its judges, as ``judge rank latest`` does."""
    return rank(places, planned(places, "latest", (), **options), QUIET, ("judge", "rank"))


def written(
    store: Store, server: FakeServer, *names: str, judge: JudgeRecord | None = None, **fields: object
) -> RunRecord:
    """Store a run whose answers nobody has scored: every score is possible, so all arms overlap."""
    run = ranked_run(*names, judges=(judge or comparing_judge(server),), **fields)  # type: ignore[arg-type]
    add_texts(store, run, by_name(QUALITIES))
    return run


def said(found: JudgeRanking) -> str:
    """What a report says of a ranking, line by line."""
    nothing = ScoreOrder(ranges=(), groups=())
    (block,) = judge_blocks(RunRanking(order=nothing, samples=1, judges=(found,)))
    return "\n".join(block.lines)


def ranking_by(prefers: PairOpinion, places: Places, store: Store, *names: str, samples: int = 1) -> JudgeRanking:
    """Store a run of these candidates and have a judge with such preferences rank it."""
    with serving(preferring(prefers)) as server:
        written(store, server, *names, samples=samples)
        (found,) = ranked(places).judges
    return found
