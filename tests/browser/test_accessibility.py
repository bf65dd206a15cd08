"""Pages for everybody: what axe-core finds, what Tab comes to, and that one sees where one is."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import PHONE
from playwright.sync_api import Browser, Page
from visits import Place, begin, go, rate_first, visit

pytestmark = pytest.mark.slow

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = ["color-contrast"]
FOCUSED = """
() => {
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    name: element.id || element.textContent.trim(),
    outline_px: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    is_in_sight: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
    place: [...document.querySelectorAll("*")].indexOf(element),
  };
}
"""
PATH_OF_TAB = [
    "Skip to the content", "coder-judge", "Runs", "Jobs", "Review", "asked", "code", "executed-title", "executed",
    "score-1", "comment", "Save the rating", "Skip for now", "Undo my last rating",
]  # fmt: skip
"""Of the review page. A group of radio buttons is one stop."""


def test_axe_finds_nothing_on_any_page_in_light_or_dark(chromium: Browser, reviewed: Place) -> None:
    found = {}
    with visit(chromium, reviewed.address) as page:
        rate_first(page, reviewed, "reader")
        for name, path in {**reviewed.pages(), **reviewed.review_pages()}.items():
            go(page, path)
            found[name] = violations(page, RULES)
            page.emulate_media(color_scheme="dark")
            found[f"{name}, dark"] = violations(page, CONTRAST)
            page.emulate_media(color_scheme="light")
    assert {name: said for name, said in found.items() if said} == {}


def violations(page: Page, rules: list[str]) -> list[str]:
    """Return what axe-core objects to: rule, and where."""
    said = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in said for node in one["nodes"]]


def test_axe_finds_what_is_wrong(chromium: Browser, reviewed: Place) -> None:
    with visit(chromium, reviewed.address) as page:
        begin(page, "spoiler")
        page.evaluate("document.querySelector('label[for=comment]').remove(); document.body.style.color = '#999'")
        found = {line.partition(":")[0] for line in violations(page, RULES)}
    assert {"label", "color-contrast"} <= found


@pytest.mark.parametrize("width", [PHONE, 1440])
def test_tab_visits_everything_in_its_order_and_one_sees_where_it_is(
    chromium: Browser, reviewed: Place, width: int
) -> None:
    with visit(chromium, reviewed.address, width=width) as page:
        begin(page, f"tab at {width}")
        stops = []
        for _ in PATH_OF_TAB:
            page.keyboard.press("Tab")
            stops.append(page.evaluate(FOCUSED))
    assert [stop["name"] for stop in stops] == PATH_OF_TAB
    assert [stop["place"] for stop in stops] == sorted(stop["place"] for stop in stops)
    assert [stop["name"] for stop in stops if stop["outline_px"] < 2 or not stop["is_in_sight"]] == []


def test_one_can_skip_the_menu(chromium: Browser, reviewed: Place) -> None:
    with visit(chromium, reviewed.address) as page:
        go(page, reviewed.pages()["answers"])
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
