"""Who is let in, by which name, with which form, and what the reply lets a browser do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from browsing import HERE, Page, browser, page
from starlette.testclient import TestClient

from judge.errors import UserError
from judge.web.access import Access, access_to, host_name, is_allowed_host
from judge.web.guard import LARGEST_BODY

TOKEN = "a token that nobody guesses"
BEYOND = Access(host="0.0.0.0", token=TOKEN)
PROBLEM = "application/problem+json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "judge.db"


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service on loopback that is called by one more name, for tests that change nothing."""
    access = Access(host="127.0.0.1", names=frozenset({"judge.lan"}))
    with browser(tmp_path_factory.mktemp("near") / "judge.db", access) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765", "judge.lan"])
def test_names_of_this_machine_and_names_that_were_allowed_are_let_in(near: TestClient, host: str) -> None:
    assert near.get("/api/v1/runs", headers={"Host": host}).status_code == 200


FOREIGN = (
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8765",
    "10.0.0.7",
    "",
    "a@127.0.0.1",
    "127.0.0.1:x",
    "[::1",
)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_name_that_was_pointed_here_is_refused(near: TestClient, host: str) -> None:
    for target in ("/runs", "/api/v1/runs", "/static/judge.css"):
        assert near.get(target, headers={"Host": host}).status_code == 400


def test_beyond_loopback_addresses_are_allowed_and_foreign_names_are_not() -> None:
    assert is_allowed_host("10.0.0.7:8765", BEYOND) and is_allowed_host("[2001:db8::1]:1", BEYOND)
    assert not is_allowed_host("evil.example", BEYOND)
    assert host_name("[2001:db8::1]:80") == "2001:db8::1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "judge.lan"])
def test_beyond_loopback_a_token_is_made_up(host: str) -> None:
    access, told = access_to(host, (), None)
    assert told and access.token is not None and len(access.token) > 40
    assert access_to(host, (), None)[0].token != access.token


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_on_loopback_none_is_needed_unless_a_file_gives_one(host: str, tmp_path: Path) -> None:
    assert access_to(host, (), None) == (Access(host=host), False)
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert access_to(host, (), file) == (Access(host=host, token=TOKEN), False)


def test_a_token_that_could_be_guessed_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("short")
    with pytest.raises(UserError, match="has 5 characters; use at least 16"):
        access_to("127.0.0.1", (), file)
    with pytest.raises(UserError, match="cannot be read"):
        access_to("127.0.0.1", (), tmp_path / "nowhere")


def test_without_the_token_nothing_is_shown(path: Path) -> None:
    with browser(path, BEYOND) as client:
        for target in ("/", "/runs", "/review", "/review/next", "/nowhere"):
            response = client.get(target, follow_redirects=False)
            assert (response.status_code, response.headers["location"]) == (303, "/login")
        for target in ("/api/v1/runs", "/api/v1/openapi.json"):
            response = client.get(target)
            assert (response.status_code, response.headers["content-type"]) == (401, PROBLEM)
        assert client.post("/review/undo").status_code == 401


def test_a_wrong_token_lets_nobody_in(path: Path) -> None:
    with browser(path, BEYOND) as client:
        for given in ("Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer \xff"):
            assert client.get("/api/v1/runs", headers={"Authorization": given.encode("latin-1")}).status_code == 401


def test_a_program_gives_the_token_in_a_header_and_a_person_once_in_a_form(path: Path) -> None:
    with browser(path, BEYOND) as client:
        assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        csrf = page(client, "/login").csrf
        assert client.post("/login", data={"csrf": csrf, "token": "wrong"}).status_code == 401
        entered = client.post("/login", data={"csrf": csrf, "token": TOKEN}, follow_redirects=False)
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
        page(client, "/runs")
        client.cookies.clear()
        client.cookies.set("judge_session", "0" * 64)
        assert client.get("/api/v1/runs").status_code == 401


# --- forms ------------------------------------------------------------------------------------------------------------


def test_a_form_of_another_site_is_refused(path: Path) -> None:
    with browser(path) as client:
        fields = {"csrf": page(client, "/login").csrf}
        assert client.post("/login", data=fields).status_code == 200
        for sender in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert client.post("/login", data=fields, headers=sender).status_code == 403
        assert client.post("/login", data=fields, headers={"Origin": HERE}).status_code == 200


def test_a_form_without_the_field_of_this_very_visitor_is_refused(path: Path) -> None:
    with browser(path) as client, browser(path) as other:
        mine, theirs = page(client, "/login").csrf, page(other, "/login").csrf
        assert mine != theirs
        for wrong in (theirs, "", mine[:-1], "é"):
            assert client.post("/login", data={"csrf": wrong}).status_code == 403
        client.cookies.clear()
        assert client.post("/login", data={"csrf": mine}).status_code == 403


def test_json_and_broken_text_are_no_forms(path: Path) -> None:
    with browser(path) as client:
        assert client.post("/review", json={}).status_code == 415
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/review", content=b"a=\xff", headers=form).status_code == 400
        assert client.post("/review", content="&".join(f"f{i}=1" for i in range(50)), headers=form).status_code == 400


def test_a_form_is_no_json(path: Path) -> None:
    """A page of another site can send a form or plain text without asking first, but no JSON."""
    with browser(path) as client:
        for kind in ("application/x-www-form-urlencoded", "text/plain", None):
            headers = {"Content-Type": kind} if kind else {}
            response = client.post(RATE.format("latest"), content='{"rater":"ann","score":5}', headers=headers)
            assert (response.status_code, response.headers["content-type"]) == (422, PROBLEM)


RATE = "/api/v1/runs/{}/review/items/x/ratings"


@pytest.mark.parametrize("length_is_told", [True, False])
def test_more_than_a_comment_is_not_taken_in(path: Path, length_is_told: bool) -> None:
    large = b"x" * (LARGEST_BODY + 1)
    with browser(path) as client:
        content = large if length_is_told else iter([large[:1000], large[1000:]])
        response = client.post(RATE.format("latest"), content=content)
        assert (response.status_code, response.headers["content-type"]) == (413, PROBLEM)


# --- replies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/runs", "/review", "/nowhere", "/api/v1/runs", "/api/v1/nowhere", "/static/keys.js"]
)
def test_every_reply_forbids_scripts_of_others_frames_and_guessing(near: TestClient, target: str) -> None:
    headers = near.get(target).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; ") and "unsafe" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")
    assert "server" not in headers


@pytest.mark.parametrize(
    "target",
    [
        "/static/../application.py", "/static/..%2fapplication.py", "/static/%2e%2e/%2e%2e/store/database.py", "/static//etc/passwd",
        "/runs/..%2f..%2fetc%2fpasswd", "/runs/../../etc/passwd/answers", "/api/v1/runs/%2e%2e%2fjudge.db", "/static/judge.css/",
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file(near: TestClient, target: str) -> None:
    response = near.get(target)
    assert response.status_code == 404 and "root:" not in response.text and "import" not in response.text


def test_problems_tell_programs_json_and_people_a_page_and_nobody_what_is_inside(path: Path) -> None:
    with browser(path) as client:
        problem = client.get("/api/v1/runs/no-such-run")
        assert problem.headers["content-type"] == PROBLEM
        assert problem.json() == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "there is no such run; the page of runs lists all",
        }
        assert "there is no such run" in Page(client.get("/runs/no-such-run").text).text
        assert client.get("/api/v1/runs/latest/answers?size=0").json()["detail"].startswith("query.size: ")
        assert client.put("/api/v1/runs").json()["status"] == 405


def test_a_store_that_breaks_is_told_without_its_place(path: Path) -> None:
    with browser(path) as client:
        with closing(sqlite3.connect(path)) as db:
            db.execute("DROP TABLE runs")
        response = client.get("/api/v1/runs")
        shown = client.get("/runs")
    assert response.status_code == 503 and response.headers["content-type"] == PROBLEM
    assert shown.status_code == 503 and "content-security-policy" in shown.headers
    for text in (response.text, shown.text):
        assert str(path) not in text and "sqlite" not in text.lower() and "Traceback" not in text


def test_the_service_describes_itself(near: TestClient) -> None:
    document = near.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.") and all(name.startswith("/api/v1/") for name in document["paths"])
    assert {method for operations in document["paths"].values() for method in operations} == {"get", "post"}
