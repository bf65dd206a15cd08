"""Answers and judgements in the store: once only, in one transaction, and readable again word for word."""

import dataclasses
import os
from pathlib import Path

import pytest
from examples import answer, call, judgement, question
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from new_store import ARM, FORKS, path, store, unit

from judge.store import Store
from judge.store.database import LOOKUP_BATCH
from judge.types import JudgeFailure, Verdict
from judge.units import answer_unit, judgement_key
from runner.types import Answer, AnswerState, Sampling, ServerTiming, Stamps, Usage

__all__ = ["path", "store"]


# --- answers ------------------------------------------------------------------------------------------------------------


def test_an_answer_is_read_as_it_was_written(store: Store) -> None:
    written = answer("def f(): ...\n# ü 🦙 \x00 '; DROP TABLE answers; --")
    store.add_answer("run-1", unit(), written)
    assert list(store.answers([unit().key])) == [(unit().key, written)]


def test_a_settled_answer_is_stored_once_and_the_first_one_stays(store: Store) -> None:
    store.add_answer("run-1", unit(), answer("first"))
    store.add_answer("run-2", unit(), answer("second"))
    assert [a.text for _, a in store.answers([unit().key])] == ["first"]


@pytest.mark.parametrize("state", AnswerState)
def test_only_a_settled_answer_is_no_longer_owed(store: Store, state: AnswerState) -> None:
    attempt = answer("", state=state)
    store.add_answer("run-1", unit(), attempt)
    assert (unit().key in store.stored_answers([unit().key])) == attempt.settled
    assert [a for _, a in store.answer_failures([unit().key])] == ([] if attempt.settled else [attempt])


def test_every_failed_attempt_is_listed_and_an_answer_may_still_come(store: Store) -> None:
    for message in ("first", "second"):
        store.add_answer("run-1", unit(), answer("", state=AnswerState.ERROR, message=message))
    store.add_answer("run-1", unit(), answer("there"))
    assert [a.message for _, a in store.answer_failures([unit().key])] == ["first", "second"]
    assert store.stored_answers([unit().key]) == {unit().key}


def test_answers_come_in_the_order_in_which_they_are_asked_for(store: Store) -> None:
    count = LOOKUP_BATCH + 20
    keys = [unit(g).key for g in range(count)]
    for g in range(0, count, 40):
        store.add_answer("run-1", unit(g), answer(str(g)))
    found = [a.text for _, a in store.answers(reversed(keys))]
    assert found == [str(g) for g in range(count - 1, -1, -1) if g % 40 == 0]
    assert store.stored_answers(keys) == {keys[g] for g in range(0, count, 40)}


def test_nothing_is_found_of_nothing(store: Store) -> None:
    assert store.stored_answers([]) == set()
    assert list(store.answers(["no such key"])) == []


def test_what_is_stored_is_there_after_closing_and_opening_again(path: Path) -> None:
    first = Store.open(path)
    first.add_answer("run-1", unit(), answer("kept"))
    first.close()
    again = Store.open(path)
    assert [a.text for _, a in again.answers([unit().key])] == ["kept"]
    again.close()


@FORKS
def test_what_was_written_is_there_when_the_process_is_killed(path: Path) -> None:
    child = os.fork()
    if child == 0:  # the child never returns into the test run
        Store.open(path).add_answer("run-1", unit(), answer("kept"))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    opened = Store.open(path)
    assert [a.text for _, a in opened.answers([unit().key])] == ["kept"]
    opened.close()


SECONDS = st.floats(0, 1e9)
STAMPS = st.builds(
    Stamps, sent_s=SECONDS, first_token_s=st.none() | SECONDS, last_token_s=st.none() | SECONDS, ended_s=SECONDS
)
TIMINGS = st.builds(
    ServerTiming,
    prompt_ms=SECONDS,
    prompt_tokens=st.integers(0),
    reused_tokens=st.integers(0),
    eval_ms=SECONDS,
    eval_steps=st.integers(0),
)
ANSWERS = st.builds(
    Answer,
    prompt_id=st.text(),
    sample=st.integers(0, 99),
    sampling=st.builds(Sampling, temperature=st.floats(0, 2), seed=st.integers(0, 2**31)),
    state=st.sampled_from(sorted(AnswerState)),
    text=st.text(),
    reasoning=st.text(),
    finish_reason=st.none() | st.text(),
    message=st.none() | st.text(),
    stamps=st.none() | STAMPS,
    usage=st.builds(Usage, completion_tokens=st.none() | st.integers(0), source=st.none() | st.just("usage")),
    server_timing=st.none() | TIMINGS,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANSWERS)
def test_any_answer_survives_the_store(store: Store, written: Answer) -> None:
    key = answer_unit(ARM, question(prompt=written.model_dump_json()), Sampling(), 0)
    store.add_answer("run-1", key, written)
    found = [a for _, a in store.answers([key.key])] or [a for _, a in store.answer_failures([key.key])]
    assert found[-1] == written
    for _, numbers in store.answer_numbers([key.key]):
        kept = {field.name: getattr(numbers, field.name) for field in dataclasses.fields(numbers)}
        assert kept == {name: value for name, value in written if name in kept}
        assert numbers.scorable == written.scorable


VERDICTS = st.builds(
    Verdict, criterion=st.text(), score=st.sampled_from([None, 1, 2, 3, 4, 5]), evidence=st.text(), reasoning=st.text()
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VERDICTS).map(tuple), st.lists(st.text()).map(tuple), st.text())
def test_any_judgement_survives_the_store(
    store: Store, verdicts: tuple[Verdict, ...], replies: tuple[str, ...], key: str
) -> None:
    written = judgement(verdicts=verdicts, replies=replies, of=f"{key}{hash((verdicts, replies))}")
    store.add_judgement("run-1", written)
    assert store.judgements_of(written.answer_unit) == [written]
    unit = judgement_key(written.answer_unit, written.call)
    [(found, numbers)] = store.gradings([unit, "other"])
    assert found == unit
    assert [(v.criterion, v.score) for v in numbers.verdicts] == [(v.criterion, v.score) for v in verdicts]
    assert (numbers.prompt_tokens, numbers.reused_tokens) == (written.prompt_tokens, written.reused_tokens)


# --- judgements ---------------------------------------------------------------------------------------------------------


def test_a_judgement_is_stored_once_and_found_by_unit_and_by_answer(store: Store) -> None:
    store.add_judgement("run-1", judgement(5, 4))
    store.add_judgement("run-2", judgement(1, 1))
    key = judgement_key("answer", call())
    assert store.stored_judgements([key, "other"]) == {key}
    assert list(store.judgements([key])) == [(key, judgement(5, 4))]
    assert store.judgements_of("answer") == [judgement(5, 4)]


def test_judging_again_with_another_rubric_adds_and_replaces_nothing(store: Store) -> None:
    again = judgement(2, 2, call=call(rubric_hash="new"))
    store.add_judgement("run-1", judgement(5, 4))
    store.add_judgement("run-2", again)
    assert store.judgements_of("answer") == [judgement(5, 4), again]


def test_a_scoring_that_failed_is_listed_and_still_owed(store: Store) -> None:
    failure = JudgeFailure(answer_unit="answer", call=call(), kind="bad_verdict", message="no JSON", replies=("4/5",))
    for _ in range(2):
        store.add_judge_failure("run-1", failure)
    key = judgement_key("answer", call())
    assert store.stored_judgements([key]) == set()
    assert store.judge_failures([key]) == [failure, failure]
