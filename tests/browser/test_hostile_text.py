"""Hostile text in a real browser: it is read, and nothing of it acts."""

import re
from html import escape
from urllib.parse import quote

import pytest
from browsing import MARK
from chromium import Watch
from payloads import ACTING, PAYLOADS
from playwright.sync_api import Browser
from visits import Place, begin, go, rate_first, visit

from judge.report.legible import legible

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:8765/"
PATIENCE = 100
NUMBER = re.compile(r"(?<=ran: \()\d+|(?<=example/)\d+|(?<=said ')\d+")
FOREIGN_PARTS = """
() => [...document.querySelectorAll("*")].flatMap((element) => [...element.attributes]
  .filter(({name, value}) => name.startsWith("on") || /^\\s*(javascript|data|\\/\\/)/i.test(value) || value.includes("MARK"))
  .map(({name, value}) => `<${element.localName} ${name}=${value}>`))
""".replace("MARK", MARK)
"""Attributes that act, or that hold text of a model."""


def words(text: str) -> str:
    """Return the text as one line: HTML keeps no runs of spaces."""
    return " ".join(text.split())


def test_every_attack_acts_where_nothing_escapes_it(chromium: Browser) -> None:
    """Or the tests below could not fail. Each has a frame and a number of its own."""
    frames = (f'<iframe srcdoc="{escape(numbered(payload, n))}"></iframe>' for n, payload in enumerate(ACTING))
    body = f"<!DOCTYPE html>{''.join(frames)}"
    context = chromium.new_context()
    watch = Watch(context, NOWHERE)
    page = context.new_page()
    page.route(NOWHERE, lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(NOWHERE, wait_until="commit")
    for _ in range(PATIENCE):
        tame = set(range(len(ACTING))) - {int(n) for deed in watch.deeds for n in NUMBER.findall(deed)}
        if tame:
            page.wait_for_timeout(50)
    context.close()
    assert [ACTING[n] for n in tame] == []


def numbered(payload: str, number: int) -> str:
    """Return a payload whose deed tells its number."""
    return payload.replace("1)", f"{number})").replace(".example/", f".example/{number}/")


def test_every_page_shows_the_attacks_and_none_of_them_acts(chromium: Browser, hostile: Place) -> None:
    with visit(chromium, hostile.address) as page:
        rate_first(page, hostile, "guest")
        for path in (*hostile.pages().values(), *hostile.review_pages().values()):
            go(page, path)
            page.wait_for_load_state("networkidle")
            assert page.evaluate(FOREIGN_PARTS) == [], path
            assert (
                page.evaluate("document.querySelectorAll('iframe, object, embed, base, img, video, audio').length") == 0
            )


def test_an_answer_is_shown_word_for_word(chromium: Browser, hostile: Place) -> None:
    with visit(chromium, hostile.address) as page:
        go(page, hostile.pages()["answer"])
        shown = words(page.locator("main").text_content() or "")
    assert [payload for payload in PAYLOADS if words(legible(payload)) not in shown] == []


def test_attacks_in_addresses_and_forms_stay_text_too(chromium: Browser, hostile: Place) -> None:
    with visit(chromium, hostile.address) as page:
        for payload in PAYLOADS[::4]:
            page.goto(f"/runs/{quote(payload, safe='')}")
            page.goto(f"{hostile.pages()['answers']}?arm={quote(payload)}&after={quote(payload)}&size={quote(payload)}")
        begin(page, legible(PAYLOADS[0]))
        page.get_by_role("form").evaluate("form => form.noValidate = true")
        page.get_by_label("Comment").fill("".join(PAYLOADS)[:4000])
        page.get_by_role("button", name="Save the rating").click()
        page.get_by_role("alert").wait_for()
        assert page.evaluate(FOREIGN_PARTS) == []
