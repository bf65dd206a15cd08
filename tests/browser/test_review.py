"""Reviewing as people do it: by mouse, by keyboard alone, without scripts, and with a reload in the middle."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from reviews import SECRETS
from visits import ITEM, REVEALED, Place, begin, visit

SECRET = re.compile("|".join(SECRETS), re.IGNORECASE)
SAID = "since it is so"
"""What the judges say of everything."""


def assert_blind(page: Page) -> None:
    """Nothing in the page, seen or unseen, tells who wrote it or what judges gave it."""
    assert not SECRET.search(page.content()) and SAID not in page.content()


def assert_revealed(page: Page, given: str) -> None:
    """One's own score is shown with those of both judges."""
    page.wait_for_url(REVEALED)
    shown = page.get_by_role("region", name="What was given")
    expect(shown.get_by_role("term").filter(has_text="You").locator("+ dd")).to_have_text(given)
    for judge in ("umbrella", "parasol"):
        expect(shown.get_by_role("term").filter(has_text=judge).locator("+ dd")).to_contain_text(SAID)


def rated_by(place: Place, rater: str) -> list[tuple[int | None, str, bool]]:
    """Return score, comment and blindness of the ratings of somebody, oldest first."""
    return [(one.score, one.comment, one.blind) for one in place.ratings() if one.rater == rater]


def test_three_answers_are_rated_by_mouse(chromium: Browser, reviewed: Place) -> None:
    with visit(chromium, reviewed.address) as page:
        begin(page, "mouse")
        for label, given in (("2 Wrong or broken code", "2"), ("Cannot assess", "cannot assess"), ("5 Correct", "5")):
            page.wait_for_url(ITEM)
            assert_blind(page)
            page.get_by_label(label).click()
            page.get_by_label("Comment").fill(f"I gave {given}")
            page.get_by_role("button", name="Save the rating").click()
            assert_revealed(page, given)
            page.get_by_role("link", name="Next").click()
        expect(page.get_by_text("3 rated")).to_be_visible()
    wanted = [(2, "I gave 2", True), (None, "I gave cannot assess", True), (5, "I gave 5", True)]
    assert rated_by(reviewed, "mouse") == wanted


def test_three_answers_are_rated_by_keyboard_alone(chromium: Browser, reviewed: Place) -> None:
    with visit(chromium, reviewed.address) as page:
        page.goto("/review")
        tab_to(page, "rater")
        page.keyboard.type("keys")
        page.keyboard.press("Enter")
        for key, given in (("1", "1"), ("c", "cannot assess"), ("4", "4")):
            page.wait_for_url(ITEM)
            assert_blind(page)
            page.keyboard.press(key)
            tab_to(page, "comment")
            page.keyboard.type(f"12345 cus {given}")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert_revealed(page, given)
            page.keyboard.press("n")
        expect(page.get_by_text("3 rated")).to_be_visible()
    wanted = [(1, "12345 cus 1", True), (None, "12345 cus cannot assess", True), (4, "12345 cus 4", True)]
    assert rated_by(reviewed, "keys") == wanted


def tab_to(page: Page, id: str) -> None:
    """Press Tab until the element with this id has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == id:
            return
    pytest.fail(f"#{id} cannot be reached by Tab")


def test_keys_skip_undo_and_save_without_any_tab(chromium: Browser, reviewed: Place) -> None:
    with visit(chromium, reviewed.address) as page:
        begin(page, "quick")
        first = page.url
        page.keyboard.press("s")
        expect(page.get_by_text("1 skipped")).to_be_visible()
        page.wait_for_load_state()
        second = page.url
        assert second != first
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        assert_revealed(page, "3")
        page.keyboard.press("u")
        page.wait_for_url(second)
        assert_blind(page)
        page.goto(f"{second}/revealed")
        page.wait_for_url(second)
    assert [one.state for one in reviewed.ratings() if one.rater == "quick"] == ["skipped", "rated", "withdrawn"]


def test_a_reload_in_the_middle_loses_neither_what_was_saved_nor_what_was_begun(
    chromium: Browser, reviewed: Place
) -> None:
    with visit(chromium, reviewed.address) as page:
        begin(page, "reload")
        page.keyboard.press("4")
        page.keyboard.press("Enter")
        assert_revealed(page, "4")
        page.reload()
        assert_revealed(page, "4")
        page.get_by_role("link", name="Next").click()
        page.wait_for_url(ITEM)
        here = page.url
        page.get_by_label("2 Wrong").check()
        page.get_by_label("Comment").fill("half a thought")
        page.reload()
        page.wait_for_url(here)
        expect(page.get_by_text("1 rated")).to_be_visible()
        expect(page.get_by_label("2 Wrong")).to_be_checked()
        expect(page.get_by_label("Comment")).to_have_value("half a thought")
        page.get_by_role("button", name="Save the rating").click()
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_label("Comment")).to_have_value("")
        assert page.evaluate("sessionStorage.length") == 0
    assert rated_by(reviewed, "reload") == [(4, "", True), (2, "half a thought", True)]


def test_leaving_out_the_score_is_refused_by_the_browser_and_again_by_the_service(
    chromium: Browser, reviewed: Place
) -> None:
    with visit(chromium, reviewed.address) as page:
        begin(page, "hasty")
        page.get_by_role("button", name="Save the rating").click()
        expect(page.get_by_label("1 Wrong")).to_be_focused()
        page.get_by_role("form").evaluate("form => form.noValidate = true")
        page.get_by_role("button", name="Save the rating").click()
        expect(page.get_by_role("alert")).to_contain_text("Choose 1 to 5")
    assert rated_by(reviewed, "hasty") == []


def test_without_scripts_one_reviews_and_looks_at_every_page(chromium: Browser, reviewed: Place) -> None:
    with visit(chromium, reviewed.address, java_script_enabled=False) as page:
        begin(page, "plain")
        assert_blind(page)
        page.get_by_label("3 Works").check()
        page.get_by_label("Comment").fill("no script")
        page.get_by_role("button", name="Save the rating").click()
        assert_revealed(page, "3")
        page.get_by_role("button", name="Undo").click()
        page.wait_for_url(ITEM)
        for name, path in reviewed.pages().items():
            page.goto(path)
            assert page.get_by_role("heading", level=1).inner_text(), name
    assert [one.state for one in reviewed.ratings() if one.rater == "plain"] == ["rated", "withdrawn"]
