"""Pages of lists that grow: a page begins after an item and not at a number, so what comes in meanwhile moves nothing. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

T = TypeVar("T")


def page_after(
    items: Sequence[T], key: Callable[[T], str], after: str | None, size: int
) -> tuple[Sequence[T], str | None]:
    """Return the ``size`` items that come after the one with key ``after`` (``None``: the first ones), and what to give as
    ``after`` for the next page; ``None``: this is the last. Raises LookupError when no item has that key.
    """
    start = 0 if after is None else next((at + 1 for at, item in enumerate(items) if key(item) == after), None)
    if start is None:
        raise LookupError(after)
    found = items[start : start + size]
    return found, key(found[-1]) if start + size < len(items) else None


def next_link(query: Mapping[str, str], after: str) -> str:
    """Return the Link header (RFC 8288) that leads to the next page of what ``query`` asked for."""
    return f'<?{urlencode({**query, "after": after})}>; rel="next"'
