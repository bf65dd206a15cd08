"""Pages about runs: whatever models and judges said, it is shown as text and stays text; pages of answers keep their place."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from browsing import HOSTILE, MARK, browser, page
from examples import add_answers, answer, question, run_record
from hostile_run import add_hostile_run, hostile_run
from starlette.testclient import TestClient

from judge.plan import wanted_answers
from judge.store import Store
from judge.web.highlight import LONGEST, code_css, highlighted
from judge.web.side_by_side import MOST_LINES, diff_lines

RUN = hostile_run(samples=len(HOSTILE))
LINK = f"/runs/{RUN.id}/answers"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service over a run in which everybody is hostile."""
    path = tmp_path_factory.mktemp("hostile") / "judge.db"
    store = Store.open(path)
    add_hostile_run(store, RUN, HOSTILE)
    store.close()
    with browser(path) as opened:
        yield opened


def ids(client: TestClient, **query: str | int) -> list[str]:
    """Follow the pages of answers to the end."""
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        got = client.get(f"/api/v1{LINK}", params={**query, **after}).json()
        found += [one["id"] for one in got["answers"]]
        if got["next"] is None:
            return found
        after = {"after": got["next"]}


def test_pages_show_hostile_text_and_nothing_of_it_acts(client: TestClient) -> None:
    first, second, *_ = ids(client, question="C-T1-Q1")
    for path in ("/runs", f"/runs/{RUN.id}", LINK, f"{LINK}/{first}", f"{LINK}/{second}", f"/runs/{RUN.id}/labels"):
        page(client, path).assert_harmless()
    page(client, f"/runs/{RUN.id}/compare?left={first}&right={second}").assert_harmless()


def test_every_hostile_answer_is_shown_word_for_word_but_for_what_turns_the_text_around(client: TestClient) -> None:
    for key in ids(client, arm=RUN.arms[0].arm.fingerprint):
        shown = page(client, f"{LINK}/{key}")
        shown.assert_harmless()
        assert f"<script>{MARK}(1)</script>" in shown.text
        assert "\x1b" not in shown.text and "\u202e" not in shown.text


def test_hostile_values_of_a_query_stay_text_too(client: TestClient) -> None:
    for path in (LINK, f"/runs/{RUN.id}/compare", "/runs", "/review"):
        for evil in HOSTILE:
            query = dict.fromkeys(("arm", "question", "state", "after", "left", "right", "size"), evil)
            response = client.get(path, params=query)
            assert response.status_code < 500 and f"<script>{MARK}" not in response.text
            assert client.get(f"/runs/{quote(evil, safe='')}").status_code == 404


def test_only_the_report_may_have_styles_of_its_own_and_only_those_that_were_drawn(client: TestClient) -> None:
    policy = client.get(f"/runs/{RUN.id}").headers["content-security-policy"]
    assert "style-src 'self' 'sha256-" in policy and "script-src 'self';" in policy
    assert "'unsafe-inline'" not in policy.replace("style-src-attr 'unsafe-inline'", "")


def test_an_answer_has_its_verdicts_side_by_side_its_evidence_and_its_speed(client: TestClient) -> None:
    shown = page(client, f"{LINK}/{ids(client)[0]}")
    heads = [attributes for attributes in shown.all("th") if attributes.get("scope") == "col"]
    assert len(heads) == 1 + len(RUN.judges)
    assert "replicate 0" in shown.text and "cannot assess" in shown.text and "negative: wrong" in shown.text
    assert "0.500 s" in shown.text


def test_every_control_has_a_label_and_every_page_a_way_past_its_menu(client: TestClient) -> None:
    for path in (LINK, f"{LINK}/{ids(client)[0]}", "/review", "/login"):
        shown = page(client, path)
        labelled = {attributes["for"] for attributes in shown.all("label")}
        controls = [a for tag in ("input", "select", "textarea") for a in shown.all(tag) if a.get("type") != "hidden"]
        assert {control["id"] for control in controls} <= labelled
        assert shown.all("a")[0] == {"class": "skip", "href": "#main"} and len(shown.all("h1")) == 1


def test_many_requests_at_once_are_answered_one_after_the_other(client: TestClient) -> None:
    """Two threads that parse Python at once can make CPython 3.11 fail, and the plots are drawn by one thread only."""
    links = [f"{LINK}/{key}" for key in ids(client)[:6]] + [f"/runs/{RUN.id}"] * 2
    with ThreadPoolExecutor(8) as pool:
        assert {response.status_code for response in pool.map(client.get, links)} == {200}


# --- paging -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 32, 200])
def test_pages_together_have_every_answer_once_whatever_their_size(client: TestClient, size: int) -> None:
    wanted = [unit.key for record in RUN.arms for unit in wanted_answers(RUN, record)]
    assert ids(client, size=size) == wanted


def test_filters_leave_the_order_as_it_is(client: TestClient) -> None:
    fingerprint = RUN.arms[1].arm.fingerprint
    wanted = [unit.key for unit in wanted_answers(RUN, RUN.arms[1]) if unit.question_id == "C-T2-Q1"]
    assert ids(client, arm=fingerprint, question="C-T2-Q1", state="ok", size=3) == wanted
    assert ids(client, arm=RUN.arms[1].arm.id, question="C-T2-Q1") == wanted
    assert ids(client, state="length") == []


def test_a_page_after_an_answer_that_is_not_in_the_list_is_refused(client: TestClient) -> None:
    first = ids(client, question="C-T1-Q1")[0]
    assert client.get(f"/api/v1{LINK}", params={"question": "C-T2-Q1", "after": first}).status_code == 400


def test_answers_that_come_in_between_two_pages_move_nothing(tmp_path: Path) -> None:
    run = run_record(samples=6)
    store = Store.open(tmp_path / "judge.db")
    store.add_run(run)
    units = wanted_answers(run, run.arms[0])
    for unit in units[1::2]:
        store.add_answer(run.id, unit, answer(sample=unit.sample))
    with browser(tmp_path / "judge.db") as client:
        first = client.get(f"/api/v1/runs/{run.id}/answers?size=2").json()
        for unit in units[::2]:
            store.add_answer(run.id, unit, answer(sample=unit.sample))
        store.close()
        rest = client.get(f"/api/v1/runs/{run.id}/answers?size=2&after={first['next']}").json()
    assert [one["id"] for one in first["answers"]] == [units[1].key, units[3].key]
    assert [one["id"] for one in rest["answers"]] == [units[4].key, units[5].key]


def test_a_person_pages_by_links_and_keeps_the_filter(client: TestClient) -> None:
    fingerprint = RUN.arms[0].arm.fingerprint
    shown = page(client, f"{LINK}?arm={fingerprint}&question=&state=&size=5")
    following = next(link["href"] for link in shown.all("a") if link.get("rel") == "next")
    assert f"arm={fingerprint}" in following and "size=5" in following
    links = [link["href"] for link in page(client, f"{LINK}{following}").all("a")]
    assert f"?arm={fingerprint}&size=5" in links


def test_an_empty_store_and_the_answers_of_another_run_are_said_plainly(tmp_path: Path) -> None:
    with browser(tmp_path / "judge.db") as client:
        assert "There is no run yet" in page(client, "/").text
        assert client.get("/runs/latest").status_code == 404
        one, other = run_record(id="one"), run_record(question("C-T1-Q2"), id="other")
        store = Store.open(tmp_path / "judge.db")
        add_answers(store, one)
        add_answers(store, other)
        store.close()
        key = wanted_answers(one, one.arms[0])[0].key
        assert client.get(f"/runs/one/answers/{key}").status_code == 200
        assert client.get(f"/runs/other/answers/{key}").status_code == 404


# --- code -------------------------------------------------------------------------------------------------------------


def test_differences_stand_beside_each_other() -> None:
    lines = diff_lines("a\nb\nc", "a\nB\nc\nd") or ()
    assert [line.kind for line in lines] == ["same", "changed", "same", "added"]
    assert [(line.left_number, line.right_number) for line in lines] == [(1, 1), (2, 2), (3, 3), (None, 4)]
    assert [line.kind for line in diff_lines("a\nb", "a") or ()] == ["same", "removed"]
    assert diff_lines("x\n" * (MOST_LINES + 1), "") is None


def test_very_long_code_is_shown_plain_and_still_as_text() -> None:
    assert highlighted("def f(): ...").startswith('<span class="k">def</span>')
    assert highlighted("<" * (LONGEST + 1)) == "&lt;" * (LONGEST + 1)
    assert "@media (prefers-color-scheme: dark)" in code_css() and ".code .k " in code_css()
