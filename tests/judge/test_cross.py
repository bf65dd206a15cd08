"""Judges against each other, from a store in which it is known what each of them said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import add_answers, add_scores, arm_record, judge_record, question, run_record

from judge.cli import spread
from judge.further import escalated
from judge.pipeline import wanted_scorings
from judge.records import RunRecord
from judge.results import build_results, read_scored
from judge.results.against import disputed
from judge.store import Store

A, B, C = judge_record("a", family="qwen"), judge_record("b", family="mistral"), judge_record("c", family="gemma")
ARMS = (arm_record("one", family="qwen"), arm_record("two", family="mistral"))
RUN = run_record(question("Q1"), question("Q2"), arms=ARMS, judges=(A, B, C))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "judge.db")
    yield opened
    opened.close()


def said(store: Store, run: RunRecord = RUN) -> None:
    """a is strict, b likes its own family by two points, c is in the middle."""
    add_answers(store, run)
    add_scores(store, run, A, 3, 3)
    add_scores(store, run, C, 4, 4)
    for number, arm in enumerate(ARMS):
        add_scores(store, run.model_copy(update={"arms": (arm,)}), B, *[(3, 3), (5, 5)][number])


def test_the_matrix_has_a_marked_cell_for_every_judge_and_arm(store: Store) -> None:
    said(store)
    cross = build_results(RUN, "running", store).cross
    assert cross is not None
    assert [(cell.judge, cell.arm_id.partition("/")[0], cell.relation.value, cell.mean) for cell in cross.cells] == [
        ("a", "one", "family", 3.0),
        ("a", "two", "other", 3.0),
        ("b", "one", "other", 3.0),
        ("b", "two", "family", 5.0),
        ("c", "one", "other", 4.0),
        ("c", "two", "other", 4.0),
    ]


def test_severity_and_self_preference_leave_the_own_family_out(store: Store) -> None:
    said(store)
    cross = build_results(RUN, "running", store).cross
    assert cross is not None
    assert cross.severity == {"a": -0.5, "b": -0.5, "c": 0.5}
    own = cross.self_preference["b"]
    assert own.delta == pytest.approx((5 - 3.5) - (3 - 4)), "others on its own: a and c; on the other arm: c alone"
    assert own.interval is None and not own.flagged, "two questions carry no interval"


def test_headlines_are_made_of_other_families_only(store: Store) -> None:
    said(store)
    one, two = build_results(RUN, "running", store).arms
    assert (one.panel.judges, one.tiers[0].mean) == (("b", "c"), 3.5)
    assert (two.panel.judges, two.tiers[0].mean) == (("a", "c"), 3.5)


def test_one_judge_makes_no_cross_judging(store: Store) -> None:
    run = run_record()
    add_answers(store, run)
    assert build_results(run, "running", store).cross is None


# --- escalation -----------------------------------------------------------------------------------------------------


def test_answers_on_which_judges_differ_go_to_the_next_judge_and_to_nobody_twice(store: Store) -> None:
    run = RUN.model_copy(update={"judges": (A, B)})
    said(store)
    keys = disputed(read_scored(run, store), 2)
    assert len(keys) == 4, "the answers of two, where a gave 3 and b gave 5"
    higher = judge_record("higher", family="gemma")
    further = escalated(run, higher, keys)
    assert further is not None
    assert {task.answer_key for task in wanted_scorings(further, further.judges[-1], {})} == keys
    assert escalated(further, higher, keys) is None
    assert escalated(run, higher, frozenset()) is None


def test_only_the_disputed_answers_wait_for_the_judge_they_went_to(store: Store) -> None:
    run = RUN.model_copy(update={"judges": (A, B)})
    said(store)
    further = escalated(run, judge_record("higher", family="gemma"), disputed(read_scored(run, store), 2))
    assert further is not None
    one, two = build_results(further, "running", store).arms
    assert (one.tiers[0].mean, two.tiers[0].mean) == (3.0, None)
    add_scores(store, further, further.judges[-1], 2, 2)
    one, two = build_results(further, "running", store).arms
    assert (one.tiers[0].mean, two.tiers[0].mean) == (3.0, 2.5)
    assert [(cell.judge, cell.coverage.scored, cell.coverage.wanted) for cell in two.by_judge][-1] == ("higher", 4, 4)


# --- the command line -----------------------------------------------------------------------------------------------


def test_cross_takes_many_names_after_one_option() -> None:
    assert spread(["--store", "x", "cross", "--candidate", "A", "B", "--judge", "C", "D", "--samples", "2"]) == [
        "--store", "x", "cross", "--candidate", "A", "--candidate", "B", "--judge", "C", "--judge", "D", "--samples", "2",
    ]  # fmt: skip
    assert spread(["score", "latest", "--judge", "C"]) == ["score", "latest", "--judge", "C"]
