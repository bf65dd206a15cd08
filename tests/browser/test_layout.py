"""Every page fits a phone and a desk: what is wide scrolls by itself. A picture of each is kept."""

import pytest
from chromium import DESK, PHONE, overflow_px, picture
from playwright.sync_api import Browser
from visits import Place, go, rate_first, visit


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("kind", ["reviewed", "hostile"])
def test_no_page_is_wider_than_its_window(
    chromium: Browser, kind: str, width: int, request: pytest.FixtureRequest
) -> None:
    place: Place = request.getfixturevalue(kind)
    overflows: dict[str, int] = {}
    with visit(chromium, place, width=width) as page:
        rate_first(page, place, f"reader at {width}")
        for name, path in {**place.pages(), **place.review_pages()}.items():
            go(page, path)
            overflows[name] = overflow_px(page)
            if kind == "reviewed":
                picture(page, f"{name} {width}")
    assert overflows == dict.fromkeys(overflows, 0)
