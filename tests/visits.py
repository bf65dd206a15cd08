"""People with a browser: where they are, what they can look at, and the first steps of a review."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chromium import DESK, Watch
from ended_job import JOB
from job_service import places
from playwright.sync_api import Browser, Page, expect

from judge.plan import wanted_answers
from judge.ratings import Rating
from judge.records import RunRecord
from judge.review.desk import queues_of

HEIGHT = 900
PATIENCE_MS = 120_000
"""Tests share the machine with others."""
expect.set_options(timeout=PATIENCE_MS)
AGAIN_MS = 100
NO_RUN = "/runs/no-such-run"
"""A page that is refused."""
ITEM = re.compile(r"/review/items/\w+$")
REVEALED = re.compile(r"/review/items/\w+/revealed$")


@dataclass(frozen=True)
class Place:
    """A service, and the one run in its store."""

    address: str
    folder: Path
    run: RunRecord

    def ratings(self) -> list[Rating]:
        """Return the stored ratings, oldest first."""
        store = places(self.folder).open_store()
        try:
            return list(queues_of(self.run, store).ratings)
        finally:
            store.close()

    def first_item(self) -> str:
        """Return the id of the item that is first in the queues."""
        store = places(self.folder).open_store()
        try:
            return queues_of(self.run, store).items[0].id
        finally:
            store.close()

    def pages(self) -> Mapping[str, str]:
        """Return the path of every page that needs no reviewer, by its name."""
        run = f"/runs/{self.run.id}"
        one, other = (unit.key for unit in wanted_answers(self.run, self.run.arms[0])[:2])
        left, right = (record.arm.fingerprint for record in self.run.arms)
        return {
            "runs": "/runs",
            "run": run,
            "answers": f"{run}/answers",
            "answer": f"{run}/answers/{one}",
            "compare": f"{run}/compare?left={one}&right={other}",
            "arms": f"{run}/arms?left={left}&right={right}&margin=0.25",
            "cross": f"{run}/cross",
            "labels": f"{run}/labels",
            "jobs": "/jobs",
            "job": f"/jobs/{JOB}",
            "start": "/start",
            "score": f"{run}/score",
            "review": "/review",
            "login": "/login",
            "refused": NO_RUN,
        }

    def review_pages(self) -> Mapping[str, str]:
        """Return the path of every page that somebody sees who reviews and has rated the first item."""
        item = f"/review/items/{self.first_item()}"
        return {"next item": "/review/next", "rated item": item, "revealed": f"{item}/revealed"}


@contextmanager
def visit(browser: Browser, address: str, *, width: int = DESK, **options: Any) -> Iterator[Page]:
    """Open an empty page of a new visitor. At the end nothing may have happened that no page of ours may do."""
    window = {"width": width, "height": HEIGHT}
    context = browser.new_context(base_url=address, viewport=window, reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE_MS)
    try:
        watch = Watch(context, address)
        yield context.new_page()
        assert not watch.deeds, "\n".join(watch.deeds)
    finally:
        context.close()


def go(page: Page, path: str) -> None:
    """Open a page that is there, or the one that is not; one that is being computed is waited for."""
    deadline_s = time.monotonic() + PATIENCE_MS / 1000
    while (response := page.goto(path)) is not None and response.status == 202 and time.monotonic() < deadline_s:
        page.wait_for_timeout(AGAIN_MS)
    assert response is not None and response.status == (404 if path == NO_RUN else 200), path


def begin(page: Page, rater: str) -> None:
    """Say who reviews, and come to the first item."""
    go(page, "/review")
    page.get_by_label("Your name").fill(rater)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url(ITEM)


def rate_first(page: Page, place: Place, rater: str) -> None:
    """Have somebody begin and rate the first item."""
    begin(page, rater)
    go(page, f"/review/items/{place.first_item()}")
    page.get_by_role("radio").nth(3).check()
    page.get_by_role("button", name="Save the rating").click()
    page.wait_for_url(REVEALED)
