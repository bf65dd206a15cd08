"""A real browser: the Chromium of this machine, and everything that a page did in it that no page of ours may do."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from browsing import MARK
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "sudo apt-get install -y chromium"
NONE = f"there is no Chromium: run {INSTALL}, or name one in JUDGE_CHROMIUM"
NARROW, PHONE, DESK = 320, 390, 1440
"""Widths in CSS pixels; at 320 somebody is who enlarges a page of 1280 four times (WCAG 1.4.10)."""


def find_chromium() -> str | None:
    """Return the browser of this machine; ``None`` when it has none."""
    named = os.environ.get("JUDGE_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def is_expected() -> bool:
    """True where setup installs a browser, so that one that is missing is a mistake: in CI, and for root on Debian."""
    return bool(os.environ.get("CI")) or (os.geteuid() == 0 and shutil.which("apt-get") is not None)


@contextmanager
def launched(executable: str) -> Iterator[Browser]:
    """Start the browser without a window. Its sandbox is off: root, and most containers, cannot have it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What was done in the pages of a context that no page of ours may do. Whatever leaves for elsewhere is stopped here."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.deeds: list[str] = []
        self._opened: set[str] = set()
        self._place = urlsplit(address).netloc
        context.expose_function(MARK, lambda *said: self.deeds.append(f"a script ran: {said}"))
        context.route(self._is_foreign, self._stop)
        context.on("request", self._note_request)
        context.on("dialog", self._note_dialog)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.deeds.append(f"a script failed: {error.error}"))

    def _is_foreign(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._place

    def _stop(self, route: Route) -> None:
        route.abort()

    def _note_request(self, request: Request) -> None:
        if request.is_navigation_request():
            self._opened.add(request.url)
        if self._is_foreign(request.url):
            self.deeds.append(f"a request left for {request.url}")

    def _note_dialog(self, dialog: Dialog) -> None:
        self.deeds.append(f"a dialog said {dialog.message!r}")
        dialog.dismiss()

    def _note_console(self, message: ConsoleMessage) -> None:
        # A page that was asked for and refused is told on the console, too.
        if message.type in ("error", "warning") and message.location["url"] not in self._opened:
            self.deeds.append(f"the console says: {message.text}")


def overflow_px(page: Page) -> int:
    """Return by how much the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def picture(page: Page, name: str) -> Path:
    """Keep a picture of the whole page in the folder JUDGE_SCREENSHOTS (results/screenshots), and return its path."""
    folder = Path(os.environ.get("JUDGE_SCREENSHOTS", Path(__file__).parent.parent / "results" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png"
    page.screenshot(path=file, full_page=True)
    return file
