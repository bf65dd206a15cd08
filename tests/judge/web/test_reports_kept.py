"""Reports are computed beside the requests and kept: what is shown is always of what the store holds now."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import page
from examples import answer, exam_result, judgement
from kept_reports import API, RUN, an_answer, client, computed, ratings, shown, store
from reviews import CHECKS, add_code, add_judgements, answers_of, review_run
from starlette.testclient import TestClient

from judge.checks.checking import Evidence
from judge.comparing import comparison_rows
from judge.paired_arms import pair_arms
from judge.pipeline import wanted_scorings
from judge.records import Launch
from judge.report.html_report import report_body
from judge.results import build_results
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now
from judge.types import JudgeFailure

__all__ = ["client", "store"]


def a_failed_answer(store: Store) -> None:
    unit = answers_of(RUN)[-1]
    dead = answer(state="server_died", message="killed", prompt_id=unit.question_id, sample=unit.sample)
    store.add_answer("another run", unit, dead)


def evidence(store: Store) -> None:
    unit = answers_of(RUN)[-1]
    an_answer(store)
    found = Evidence(
        question_id=unit.question_id, checks_hash=CHECKS, state="no_code", message="none", isolation="bwrap"
    )
    store.add_evidence(RUN.id, unit.key, found)


def other_evidence_in_place_of_older(store: Store) -> None:
    """The one row that is ever replaced."""
    for why in ("one", "two"):
        found = Evidence(
            question_id="C-T1-Q1", checks_hash="x", state="not_run", message=why, isolation="none", surroundings="s"
        )
        store.add_evidence(RUN.id, answers_of(RUN)[0].key, found)


def a_judgement(store: Store) -> None:
    an_answer(store)
    unit = answers_of(RUN)[-1]
    task = next(t for t in wanted_scorings(RUN, RUN.judges[0], {}) if t.answer_key == unit.key)
    store.add_judgement("another run", judgement(1, 2, of=unit.key, call=task.call))


def a_failed_scoring(store: Store) -> None:
    an_answer(store)
    unit = answers_of(RUN)[-1]
    task = next(t for t in wanted_scorings(RUN, RUN.judges[0], {}) if t.answer_key == unit.key)
    failed = JudgeFailure(answer_unit=unit.key, call=task.call, kind="bad_verdict", message="no JSON")
    store.add_judge_failure(RUN.id, failed)


def an_exam(store: Store) -> None:
    store.add_exam("another run", exam_result(RUN, RUN.judges[0], logic=False, style=False))


def a_launch(store: Store) -> None:
    launch = {
        "arm_id": "x",
        "command": ("python",),
        "log": "l",
        "overrides": {},
        "experts_used": 4,
        "n_ctx": 1,
        "proof_lines": (),
    }
    store.add_launch("another run", RUN.arms[0].arm, Launch.model_validate(launch))


def an_end(store: Store) -> None:
    store.set_run_state(RUN.id, "failed")


def a_further_wish(store: Store) -> None:
    store.extend_run(RUN.model_copy(update={"samples": 3}))


Write = Callable[[Store], None]
WRITES: tuple[Write, ...] = (
    an_answer, a_failed_answer, evidence, a_judgement, a_failed_scoring, ratings, an_exam, a_launch, an_end, a_further_wish,
)  # fmt: skip


def test_whatever_is_written_the_next_reply_is_of_the_store_as_it_is_then(store: Store, client: TestClient) -> None:
    assert shown(client) == computed(store)
    for write in (a_judgement, evidence, ratings):
        before = shown(client)
        write(store)
        assert client.request("GET", API).status_code == 202, f"{write.__name__}: an old report was shown"
        after = shown(client)
        assert after == computed(store), write.__name__
        assert after != before, write.__name__


@pytest.mark.parametrize("write", [*WRITES, other_evidence_in_place_of_older])
def test_every_write_gives_the_run_another_stamp_and_no_other_run(store: Store, write: Write) -> None:
    before, other, pulse = store.stamp(*store.run(RUN.id)), store.stamp(*store.run("other")), store.pulse()
    write(store)
    now = store.run(RUN.id)
    assert store.stamp(*now) != before
    assert store.pulse() != pulse or now[0] != RUN, "what a run wants is read at every look"
    assert store.stamp(*store.run("other")) == other


def test_queues_and_their_ratings_give_another_stamp_too(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "queues.db")
    run = review_run(samples=9)
    add_code(store, run)
    add_judgements(store, run, lambda judge, unit, criterion: 2 if judge == "umbrella" else 5)
    stamps = [store.stamp(run, "running")]
    make_queues(run, store, per_arm=15, seed=1)
    stamps.append(store.stamp(run, "running"))
    queues = queues_of(run, store)
    assert queues.audit and queues.repair
    for item in (queues.audit[0], queues.repair[0]):
        say(store, item, "ann", utc_now(), score=1)
        stamps.append(store.stamp(run, "running"))
    store.close()
    assert len(set(stamps)) == len(stamps)


def test_pages_show_what_the_commands_print(store: Store, client: TestClient) -> None:
    results = build_results(*store.run(RUN.id), store)
    assert str(report_body(results)) in client.get(f"/runs/{RUN.id}").text
    left, right = ((RUN, record) for record in RUN.arms)
    compared = pair_arms(store, left, right, 0.25)
    query = {"left": left[1].arm.id, "right": right[1].arm.id}
    assert client.get(f"{API}/compare", params=query).json() == json.loads(compared.model_dump_json())
    rows = page(client, f"/runs/{RUN.id}/arms?left={query['left']}&right={query['right']}").text
    assert compared.sentence in rows and comparison_rows(compared.comparison)[0][1] in rows


def test_labels_change_their_page(store: Store, client: TestClient) -> None:
    labels = f"/runs/{RUN.id}/labels"
    assert "0 of" in page(client, labels).text
    ratings(store)
    assert client.request("GET", labels).status_code == 202
    assert "Judges against people" in page(client, labels).text
