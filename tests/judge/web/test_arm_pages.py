"""Two arms side by side and judges against each other: the figures of the command line, as pages and as JSON."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import HOSTILE, MARK, Page, browser, page
from examples import add_answers, add_scores, arm_record, judge_record, question, run_record
from reviews import add_code, add_evidence, add_judgements, review_run
from starlette.testclient import TestClient

from judge.comparing import compare_arms
from judge.places import Places
from judge.results import build_results
from judge.scoring import Coverage
from judge.store import Store
from judge.types import Grade
from judge.units import AnswerUnit

RUN = review_run(samples=5)
AGAIN = review_run("run-78", samples=3)
BASE, FAST = (record.arm for record in RUN.arms)
API = f"/api/v1/runs/{RUN.id}"


def says(judge: str, unit: AnswerUnit, criterion: str) -> Grade | None:
    """The faster arm is worse on c1; one answer of its nobody can assess."""
    if unit.arm == FAST.fingerprint and unit.sample == 4:
        return None
    return 3 if unit.arm == FAST.fingerprint and criterion == "c1" else 5


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs over the same arms, and one with a single judge."""
    path = tmp_path_factory.mktemp("arms") / "judge.db"
    store = Store.open(path)
    add_code(store, RUN)
    add_evidence(store, RUN, fails=lambda unit: unit.sample == 1)
    add_judgements(store, RUN, says)
    store.add_run(AGAIN)
    alone = run_record(id="alone")
    add_answers(store, alone)
    add_scores(store, alone, alone.judges[0], 4, 4)
    store.add_run(run_record(id="unjudged", judges=(), arms=()))
    store.close()
    return path


@pytest.fixture(scope="module")
def client(path: Path) -> Iterator[TestClient]:
    with browser(path) as opened:
        yield opened


def compared(client: TestClient, **query: str) -> Page:
    response = client.get(f"/runs/{RUN.id}/arms", params=query)
    assert response.status_code == 200, response.text[:500]
    return Page(response.text)


def test_the_page_has_the_verdict_of_the_command_line(client: TestClient, path: Path) -> None:
    expected = compare_arms(Places(store=str(path)), BASE.id, FAST.id, RUN.id, 0.5)
    shown = compared(client, left=BASE.fingerprint, right=FAST.fingerprint, margin="0.5")
    assert expected.sentence in shown.text and "within 0.5" in expected.sentence
    got = client.get(f"{API}/compare", params={"left": BASE.id, "right": FAST.id, "margin": 0.5}).json()
    assert got["comparison"] == expected.model_dump(mode="json") and got["sentence"] == expected.sentence
    assert expected.difference is not None and expected.difference.mean == pytest.approx(-0.6)
    assert expected.criteria["c1"] is not None and expected.criteria["c1"].mean == -2


def test_every_question_has_both_means_their_coverage_and_the_checks_that_passed(client: TestClient) -> None:
    got = client.get(f"{API}/compare", params={"left": BASE.fingerprint, "right": FAST.fingerprint}).json()
    assert [one["id"] for one in got["questions"]] == list(RUN.question_ids)
    first = got["questions"][0]
    assert (first["left"]["checks_passed"], first["left"]["checks_known"]) == (4, 5)
    left, right = (Coverage.model_validate(first[side]["coverage"]) for side in ("left", "right"))
    assert left.text == "K 5, 2 judges, 5/5"
    assert right.text == "K 5, 2 judges, 4/5, 1 failed", "what a judge could not assess has no score"
    assert first["right"]["mean"] == pytest.approx((3 * 4.4 + (0.7 + 0.9)) / 4), "a failed check bounds c0 to 1"
    assert first["samples"][4]["right_score"] is None
    assert got["comparison"]["unpaired"] == 2 * len(RUN.question_ids), (
        "the answer and the one that it would be paired with"
    )
    shown = compared(client, left=BASE.id, right=FAST.id)
    assert right.text in shown.text and "4 of 5" in shown.text and "missing" in shown.text
    assert "umbrella, parasol (not examined)" in shown.text


def test_each_pair_of_answers_is_one_link_from_its_differences(client: TestClient) -> None:
    shown = compared(client, left=BASE.fingerprint, right=FAST.fingerprint)
    links = [link["href"] for link in shown.all("a") if "/compare?" in link.get("href", "")]
    assert len(links) == 5 * len(RUN.question_ids)
    two = page(client, links[0])
    assert "zebrafish/baseline" in two.text and "zebrafish/moe4" in two.text


def test_arms_of_two_runs_are_compared_as_on_the_command_line(client: TestClient, path: Path) -> None:
    shown = compared(client, left=BASE.fingerprint, right=FAST.fingerprint, other=AGAIN.id)
    assert f"run {AGAIN.id}" in shown.text
    links = [link["href"] for link in shown.all("a") if "/compare?" in link.get("href", "")]
    assert parse_qs(urlsplit(links[0]).query)["other"] == [AGAIN.id]
    assert "Two answers" in page(client, links[0]).text
    expected = compare_arms(Places(store=str(path)), BASE.id, f"{AGAIN.id}:{FAST.id}", RUN.id, 0.25)
    got = client.get(f"{API}/compare", params={"left": BASE.id, "right": f"{AGAIN.id}:{FAST.id}"}).json()
    assert got["comparison"] == expected.model_dump(mode="json")
    assert got["right"]["run_id"] == AGAIN.id and got["same_suite"]


def test_without_two_arms_the_page_asks_which_and_every_control_has_a_label(client: TestClient) -> None:
    shown = compared(client)
    labelled = {attributes["for"] for attributes in shown.all("label")}
    controls = [a for tag in ("input", "select") for a in shown.all(tag) if a.get("type") != "hidden"]
    assert {control["id"] for control in controls} == labelled == {"left", "right", "margin", "other"}
    assert "Verdict" not in shown.text
    chosen = compared(client, left=BASE.fingerprint, other=AGAIN.id)
    hidden = {(field["name"], field["value"]) for field in chosen.all("input") if field.get("type") == "hidden"}
    assert hidden == {("other", AGAIN.id), ("left", BASE.fingerprint)}, "the choice so far is kept"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"left": "nobody/baseline", "right": FAST.id}, 404),
        ({"left": BASE.id, "right": "no-run:zebrafish/moe4"}, 404),
        ({"left": BASE.id, "right": FAST.id, "margin": "0"}, 422),
        ({"left": BASE.id, "right": FAST.id, "margin": "nan"}, 422),
        ({"left": BASE.id, "right": FAST.id, "margin": "5"}, 422),
    ],
)
def test_what_cannot_be_compared_is_refused(client: TestClient, query: dict[str, str], status: int) -> None:
    assert client.get(f"/runs/{RUN.id}/arms", params=query).status_code == status
    refused = client.get(f"{API}/compare", params=query)
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")


def test_an_arm_and_a_run_that_are_not_there_are_named_with_what_there_is(client: TestClient) -> None:
    said = client.get(f"{API}/compare", params={"left": BASE.id, "right": "nobody/moe4"}).json()["detail"]
    assert said == "run run-77 has no arm 'nobody/moe4'; it has zebrafish/baseline, zebrafish/moe4"
    assert client.get(f"/runs/{RUN.id}/arms?other=nowhere").status_code == 404


# --- judges -----------------------------------------------------------------------------------------------------------


def test_judges_against_each_other_are_what_the_report_says_of_them(client: TestClient, path: Path) -> None:
    store = Store.open(path)
    cross = build_results(RUN, "running", store).cross
    store.close()
    assert cross is not None
    assert client.get(f"{API}/cross").json() == cross.model_dump(mode="json")
    shown = page(client, f"/runs/{RUN.id}/cross")
    for words in ("umbrella", "other family", "self-preference", "Alpha (ordinal)", "Without parasol", "the panel"):
        assert words in shown.text
    assert shown.all("svg"), "the matrix is drawn"


def test_one_judge_and_none_are_said_in_words(client: TestClient) -> None:
    assert "This run has one judge, j, so there is nobody to hold it against" in page(client, "/runs/alone/cross").text
    assert "Nobody judged this run" in page(client, "/runs/unjudged/cross").text
    assert client.get("/api/v1/runs/alone/cross").json() is None
    assert "This run has no arm" in page(client, "/runs/unjudged/arms").text


def test_hostile_names_and_queries_stay_text(tmp_path: Path) -> None:
    evil = " ".join(HOSTILE)
    run = run_record(
        question(title=evil),
        arms=(arm_record(f"coder {evil}"), arm_record(f"other {evil}")),
        judges=(judge_record(f"judge {evil}"), judge_record(f"second {evil}")),
    )
    store = Store.open(tmp_path / "judge.db")
    add_answers(store, run)
    for judge in run.judges:
        add_scores(store, run, judge, 4, 5)
    store.close()
    left, right = (record.arm.fingerprint for record in run.arms)
    with browser(tmp_path / "judge.db") as client:
        page(client, f"/runs/{run.id}/cross").assert_harmless()
        for margin in ("0.25", "4"):
            page(client, f"/runs/{run.id}/arms?left={left}&right={right}&margin={margin}").assert_harmless()
        for one in HOSTILE:
            response = client.get(f"/runs/{run.id}/arms", params=dict.fromkeys(("left", "right", "other"), one))
            assert response.status_code == 404 and f"<script>{MARK}" not in response.text
