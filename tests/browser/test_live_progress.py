"""A job is asked for with a form and followed while it is carried out: numbers move, the page is loaded once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import MARK
from chromium import PHONE, overflow_px, picture
from fakes import FakeServer, serving
from job_service import Judge, Running, environment, imported, served
from playwright.sync_api import Browser, Page, expect
from visits import PATIENCE_MS, Place, go, visit

from runner.moe import DemoModels

ANSWERS = 6
LATENCY_S = 0.3
EVIL = f"<img src=x onerror={MARK}(1)>"
"""The name of the model that answered: it is in what is told of every answer."""
WATCH_BAR = """
() => {
  const bar = document.querySelector("progress");
  window.seen = [];
  new MutationObserver(() => window.seen.push(bar.value)).observe(bar, {attributes: true});
}
"""


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge that takes its time."""
    return Judge(LATENCY_S)


@pytest.fixture(scope="module")
def endpoint(judge: Judge) -> Iterator[FakeServer]:
    with serving(judge) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def service(folder: Path, endpoint: FakeServer) -> Iterator[Running]:
    with served(folder, endpoint.base_url) as running:
        yield running


@pytest.fixture
def place(service: Running, folder: Path) -> Place:
    """A run of answers that nobody has scored."""
    return Place(service.address, folder, imported(folder, ANSWERS, EVIL))


def ask_for_scoring(page: Page, place: Place, endpoint: FakeServer) -> None:
    """Fill in the form, and come to the page of the job."""
    go(page, f"/runs/{place.run.id}/score")
    page.get_by_label("Who scores").select_option(f"at {endpoint.base_url}")
    page.get_by_label("Model to ask for").fill("m")
    page.get_by_label("Its exam").select_option("none")
    page.get_by_text("More about judging").click()
    page.get_by_label("Requests in flight").fill("1")
    page.get_by_role("button", name="Score it").click()
    page.wait_for_url(re.compile(r"/jobs/\w+"))


def test_progress_moves_without_a_reload_until_the_run_is_there(
    chromium: Browser, place: Place, endpoint: FakeServer
) -> None:
    with visit(chromium, place.address, width=PHONE) as page:
        ask_for_scoring(page, place, endpoint)
        page.evaluate(WATCH_BAR)
        expect(page.get_by_text("It has ended.")).to_be_visible()
        seen = values_of_bar(page)
        assert seen == sorted(seen) and len(set(seen)) >= 3 and seen[-1] == ANSWERS
        expect(page.get_by_role("status")).to_contain_text("done")
        expect(page.get_by_role("list", name="What happened last")).to_contain_text(EVIL)
        assert overflow_px(page) == 0
        picture(page, f"job live {PHONE}")
        page.get_by_role("link", name=re.compile("run .*")).click()
        page.wait_for_url(re.compile(r"/runs/"))
        assert place.run.id not in page.url
        expect(page.get_by_role("heading", level=1)).to_contain_text("Run")


def test_a_job_is_cancelled_with_a_button_while_it_is_carried_out(
    chromium: Browser, place: Place, endpoint: FakeServer, judge: Judge, service: Running
) -> None:
    with visit(chromium, place.address, java_script_enabled=False) as page:
        judge.hangs.set()
        ask_for_scoring(page, place, endpoint)
        job_id = page.url.rpartition("/")[2]
        page.get_by_role("button", name="Cancel this job").click()
        service.ended(job_id)
        page.get_by_role("link", name="Reload the page").first.click()
        expect(page.get_by_role("status")).to_contain_text("cancelled")
        expect(page.get_by_role("button", name="Cancel this job")).to_have_count(0)


def values_of_bar(page: Page) -> list[int]:
    """Return what the bar showed since it is watched; a page that was loaded again would have forgotten."""
    return [int(value) for value in page.evaluate("window.seen")]


@pytest.mark.real
def test_a_run_of_a_real_model_is_started_with_a_form_and_moves_without_a_reload(
    chromium: Browser, demo: DemoModels, tmp_path: Path
) -> None:
    models = environment(JUDGE_DEMO_DIR=str(demo.moe.parent))
    with served(tmp_path, env=models) as service, visit(chromium, service.address) as page:
        go(page, "/start")
        page.get_by_label("demo_moe").check()
        page.get_by_label("Configs").fill("baseline, moe2")
        page.get_by_text("Some questions only").click()
        page.get_by_label("C-T1-Q1").check()
        page.get_by_label("Answers per question").fill("2")
        page.get_by_label("Who scores").select_option("none")
        page.get_by_text("Serving and time").click()
        page.get_by_label("Token limit of an answer").fill("24")
        page.get_by_label("Context in tokens").fill("1024")
        page.get_by_role("button", name="Start the run").click()
        page.wait_for_url(re.compile(r"/jobs/\w+"))
        page.evaluate(WATCH_BAR)
        expect(page.get_by_text("It has ended.")).to_be_visible(timeout=10 * PATIENCE_MS)
        assert len(set(values_of_bar(page))) >= 3
        for arm in ("demo_moe/baseline", "demo_moe/moe2"):
            expect(page.get_by_role("list", name="What happened last")).to_contain_text(arm)
        picture(page, "job of a real run")
        page.get_by_role("link", name=re.compile("run .*")).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Run")
