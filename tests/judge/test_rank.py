"""judge rank: who is compared, what the order says and rests on, and how the command ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import add_scores, arm_record, exam_result
from fakes import FakeServer, serving
from pair_judges import AskedPair, PairOpinion, always_first, preferring
from rankings import (
    add_score,
    add_texts,
    by_name,
    comparing_judge,
    comparisons_asked,
    knows_better,
    quality,
    ranked_run,
)

from judge.app import Conduct, Places, load_results
from judge.errors import UserError
from judge.panel import Relation, Standing
from judge.ranking import by_scores, owed_comparisons, planned, rank
from judge.records import JudgeRecord, RunRecord
from judge.report import markdown
from judge.report.html_report import html_report
from judge.report.rankings import judge_blocks, order_lines
from judge.results.rankings import JudgeRanking, RunRanking
from judge.store import Store

QUALITIES = {"good": 3, "fair": 2, "poor": 1}
QUIET = Conduct(quiet=True, concurrency=4)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(results=tmp_path / "results")


@pytest.fixture
def store(places: Places) -> Iterator[Store]:
    opened = places.open_store()
    yield opened
    opened.close()


def ranked(places: Places, **options: bool) -> RunRanking:
    return rank(places, planned(places, "latest", (), **options), QUIET, ("judge", "rank"))


def written(
    store: Store, server: FakeServer, *names: str, judge: JudgeRecord | None = None, **fields: object
) -> RunRecord:
    """Store a run whose answers nobody has scored: every score is possible, so all arms overlap."""
    run = ranked_run(*names, judges=(judge or comparing_judge(server),), **fields)  # type: ignore[arg-type]
    add_texts(store, run, by_name(QUALITIES))
    return run


def ranking_by(prefers: PairOpinion, places: Places, store: Store, *names: str, samples: int = 1) -> JudgeRanking:
    with serving(preferring(prefers)) as server:
        written(store, server, *names, samples=samples)
        (found,) = ranked(places).judges
    return found


# --- the order --------------------------------------------------------------------------------------------------------


def test_a_judge_that_prefers_the_better_answer_makes_the_better_arm_almost_certainly_better(
    places: Places, store: Store
) -> None:
    found = ranking_by(knows_better, places, store, "poor", "good", "fair", samples=2)
    (group,) = found.groups
    assert [(arm.arm_id, arm.rank) for arm in group.arms] == [
        ("good/baseline", 1),
        ("fair/baseline", 2),
        ("poor/baseline", 3),
    ]
    assert group.p_better is not None and group.p_better["good/baseline"]["poor/baseline"] > 0.99
    assert group.p_better["good/baseline"]["fair/baseline"] > 0.95
    assert sum(arm.strength for arm in group.arms) == pytest.approx(0, abs=1e-5)
    assert (group.questions, group.matches) == (5, 3 * 5 * 2)
    assert (found.position.consistent_share, found.position.first_share) == (1.0, 0.5)
    assert (found.wanted, found.compared, found.failed, found.missing, found.owed) == (60, 60, 0, 0, 0)


def test_a_judge_that_always_says_the_first_finds_all_arms_equal_and_is_seen_through(
    places: Places, store: Store
) -> None:
    found = ranking_by(always_first, places, store, "good", "poor")
    (group,) = found.groups
    assert [arm.rank for arm in group.arms] == [1, 1] and [arm.strength for arm in group.arms] == [0.0, 0.0]
    assert group.p_better == {"good/baseline": {"poor/baseline": 0.5}, "poor/baseline": {"good/baseline": 0.5}}
    assert (found.position.first_share, found.position.consistent_share) == (1.0, 0.0)
    assert "10 verdicts for a side, 10 (100%) are for the one shown first" in str(judge_blocks_of(found))


def test_a_judge_that_finds_everything_equal_has_no_position_bias_to_report(places: Places, store: Store) -> None:
    found = ranking_by(lambda asked: "tie", places, store, "good", "poor")
    assert (found.position.first_share, found.position.consistent_share) == (None, 1.0)
    assert "no verdict names a side" in str(judge_blocks_of(found))


def test_a_judge_that_is_torn_between_questions_leaves_it_open(places: Places, store: Store) -> None:
    def torn(asked: AskedPair) -> str:
        better, worse = ("first", "second") if quality(asked.first) > quality(asked.second) else ("second", "first")
        return worse if "'Q1 " in asked.first or "'Q3 " in asked.first else better

    (group,) = ranking_by(torn, places, store, "good", "poor").groups
    assert group.p_better is not None and 0.5 < group.p_better["good/baseline"]["poor/baseline"] < 0.9


def judge_blocks_of(found: JudgeRanking) -> object:
    return judge_blocks(RunRanking(order=by_scores_of(found), samples=1, judges=(found,)))


def by_scores_of(found: JudgeRanking):  # type: ignore[no-untyped-def]
    from judge.results.rankings import ScoreOrder

    return ScoreOrder(ranges=(), groups=())
