"""Every page fits a phone and a desk: what is wide scrolls by itself. A picture of each is kept."""

import pytest
from chromium import DESK, NARROW, PHONE, overflow_px, picture
from playwright.sync_api import Browser
from visits import HEIGHT, Place, go, rate_first, visit

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["reviewed", "hostile"])
def test_no_page_is_wider_than_its_window(chromium: Browser, kind: str, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue(kind)
    overflows: dict[str, int] = {}
    with visit(chromium, place.address) as page:
        rate_first(page, place, "reader")
        for name, path in {**place.pages(), **place.review_pages()}.items():
            go(page, path)
            for width in (NARROW, PHONE, DESK):
                page.set_viewport_size({"width": width, "height": HEIGHT})
                overflows[f"{name} {width}"] = overflow_px(page)
                if kind == "reviewed" and width != NARROW:
                    picture(page, f"{name} {width}")
    assert {name: px for name, px in overflows.items() if px} == {}
