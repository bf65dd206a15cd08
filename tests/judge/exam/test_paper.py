"""The exam paper: the same for everyone, about all that a question asks, in an order that a local judge likes."""

from itertools import groupby
from pathlib import Path

import pytest
from exam_judges import SUITE, THREE, paper_on

from judge.errors import LibraryError
from judge.exam.paper import TRAPS, read_paper
from judge.exam_answers import load_twin_texts
from judge.prefilter import is_no_answer

ALL = paper_on(*SUITE.ids)


def test_a_paper_is_the_same_every_time_and_differs_by_its_questions() -> None:
    assert read_paper(SUITE, SUITE.ids).hash == ALL.hash
    assert read_paper(SUITE, SUITE.ids, "full").hash != ALL.hash != paper_on(*THREE).hash


def test_every_question_has_right_and_wrong_answers_and_every_twin() -> None:
    for question_id in SUITE.ids:
        kinds = [item.kind for item in ALL.items if item.question_id == question_id]
        assert kinds.count("right") >= 2 and kinds.count("wrong") >= 3
        assert set(kinds) == {"right", "wrong", "dead_code", "renamed", "padded", "verified", "injected"}
        assert len(kinds) <= 11


def test_wrong_answers_are_spread_over_what_can_be_tested_and_what_only_a_reader_sees() -> None:
    for question in SUITE.questions:
        wrong = [item for item in ALL.items if item.question_id == question.id and item.kind == "wrong"]
        tested = {criterion for item in wrong if item.testable for criterion in item.fails}
        assert len(tested) >= min(2, len(ALL.testable[question.id]))
        assert all(set(item.fails) <= set(ALL.testable[question.id]) for item in wrong if item.testable)
        assert any(set(item.fails) <= set(ALL.readable[question.id]) for item in wrong if not item.testable)


def test_few_questions_get_more_answers_each() -> None:
    for paper in (ALL, paper_on(*THREE), paper_on("C-T1-Q1")):
        assert sum(item.kind == "right" for item in paper.items) >= 12
        assert sum(item.kind == "wrong" and item.testable for item in paper.items) >= 6


def test_a_paper_on_few_questions_shares_its_answers_with_one_on_all() -> None:
    few, many = ({item.key for item in paper.items} for paper in (paper_on(*THREE), ALL))
    assert {item.key for item in ALL.items if item.question_id in THREE} <= few
    assert many - few


def test_answers_stand_before_twins_and_neighbours_share_their_question() -> None:
    scorings = ALL.scorings
    twins = [item.twin_of is not None for item, replicate in scorings if replicate == 0]
    assert twins == sorted(twins)
    parts = [(replicate, item.twin_of is not None, item.question_id) for item, replicate in scorings]
    assert len(list(groupby(parts))) == len(set(parts))


def test_some_right_and_some_wrong_answers_are_scored_three_times() -> None:
    repeated = [item for item in ALL.items if item.replicates == 3]
    assert {item.kind for item in repeated} == {"right", "wrong"}
    assert len(ALL.scorings) == len(ALL.items) + 2 * len(repeated) <= 120


def test_answers_that_are_traps_already_have_no_twins() -> None:
    assert not TRAPS & {item.file for item in ALL.items}


def test_the_prefilter_knows_every_master_key() -> None:
    assert {":", "Thought process:"} <= set(ALL.master_keys)
    assert all(map(is_no_answer, ALL.master_keys))


def test_a_broken_file_of_twin_texts_is_named_with_the_field(tmp_path: Path) -> None:
    (tmp_path / "twins.yaml").write_text("dead_code: x = 1\n")
    with pytest.raises(LibraryError, match=r"twins\.yaml: padding: Field required"):
        load_twin_texts(tmp_path)
