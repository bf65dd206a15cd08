"""A browser without a window: pages of the service, their forms, and what hostile text made of them."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
from starlette.testclient import TestClient

from judge.store import Store
from judge.web.access import Access
from judge.web.application import application
from judge.web.judging import Judging
from judge.web.service import Service

HERE = "http://127.0.0.1:8765"
READY_S = 120.0
"""Longest wait for something that is computed in the background, on a busy machine."""
VOID = {"meta", "br", "hr", "link", "img", "input"}
MARK = "xyzzy"
"""Stands in every hostile text, so that it is found wherever it went."""
HOSTILE = (
    f"<script>{MARK}(1)</script>",
    f'"><img src=x onerror={MARK}(1)>',
    f"' autofocus onfocus={MARK}(1) x='",
    f"</pre></code></td></table></option></select></textarea></title><iframe src=//{MARK}.example>",
    f"{{{{ {MARK} }}}}{{% raw %}}",
    f"javascript:{MARK}(1)\x1b[31m\u202e",
    f"</style><svg/onload={MARK}(1)><style>*{{background:url(//{MARK}.example)}}",
    f"<!--{MARK}--><base href=//{MARK}.example><form action=//{MARK}.example>",
)


class PatientClient(TestClient):
    """Asks again while what it gets is being computed, as a browser does; ``request`` shows the first reply."""

    def get(self, url: str, **asked: Any) -> httpx2.Response:  # type: ignore[override]
        """Return the reply once it is there."""
        return patiently(lambda: super(PatientClient, self).get(url, **asked))


def patiently(ask: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Ask again while what is asked for is being computed, and return the reply once it is there."""
    deadline_s = time.monotonic() + READY_S
    while (response := ask()).status_code == 202 and time.monotonic() < deadline_s:
        assert "Retry-After" in response.headers or "being computed" in response.text
        time.sleep(0.05)
    return response


@contextmanager
def browser(
    path: Path, access: Access | None = None, base_url: str = HERE, judging: Judging | None = None
) -> Iterator[TestClient]:
    """Open the service over a store and yield a client that follows redirects and keeps cookies."""
    store = Store.open(path)
    service = application(Service(store, access or Access(host="127.0.0.1"), judging=judging))
    try:
        with PatientClient(service, base_url=base_url, raise_server_exceptions=False) as client:
            yield client
    finally:
        store.close()


class Page(HTMLParser):
    """What a browser would make of a page: its elements, its text, and the hidden field of its forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def csrf(self) -> str:
        """The field that makes a form one of this service."""
        return next(field["value"] for field in self.all("input") if field.get("name") == "csrf")

    def assert_harmless(self) -> None:
        """Nothing that came from a model runs, loads, sends or stands in an attribute."""
        assert MARK in self.text, "the hostile text is not on this page"
        assert {attributes.get("src") for attributes in self.all("script")} <= {"/static/keys.js", "/static/live.js"}
        assert not {tag for tag, _ in self.elements} & {"iframe", "base", "object", "embed", "img"}
        for tag, attributes in self.elements:
            assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
            assert MARK not in str(attributes), (tag, attributes)
            for name in ("href", "action"):
                assert re.match(r"[/?#]", attributes.get(name, "/")) and not attributes.get(name, "/").startswith("//")


def page(client: TestClient, path: str) -> Page:
    """Return the page at a path, which is there."""
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code, response.text[:300])
    return Page(response.text)
