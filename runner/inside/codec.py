"""Values as tagged plain data: what goes through the pipe between the service and the sandbox. Pure, used on both
sides.

None, bool, str and small int stand for themselves; everything else is a list that starts with its tag:
``["i", hex]`` int, ``["f", hex]`` float, ``["b", hex]`` bytes, ``["l"|"t"|"s"|"z", [...]]`` list, tuple, set,
frozenset, ``["d", [[key, value], ...]]`` dict. Other tags belong to the caller (handles, opaque objects, scripted
callables). Encoding reads subclasses through the methods of their builtin base, so an object that lies about itself
arrives as plain data.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Special = Callable[[Any], Any]

MAX_DEPTH = 50
"""Nesting beyond this is not sent. A dict takes three levels of JSON a level, and strict JSON parsers stop at 200."""
MAX_ITEMS = 200_000
"""Values in one message, counted through all containers; shared references count each time."""
MAX_HEX_DIGITS = 20_000
"""Of one integer."""
SMALL_INT = 2**53
"""Integers up to here, either sign, are the same in everybody's JSON."""
MAX_SAME_HASH = 100
"""Keys of one dict or set with the same hash: more make building it quadratic, which is an attack and never an
answer."""


class Malformed(ValueError):
    """A message that no honest encoder writes."""


class TooLarge(ValueError):
    """A value with too many items or too deep to be sent."""


def encode(value: Any, special: Special) -> Any:
    """Return ``value`` as tagged data; ``special`` encodes whatever is not plain. Raises TooLarge."""
    return _Encoder(special).encode(value, 0)


class _Encoder:
    def __init__(self, special: Special) -> None:
        self._special = special
        self._items = 0

    def encode(self, value: Any, depth: int) -> Any:
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            raise TooLarge(f"more than {MAX_ITEMS} items or {MAX_DEPTH} levels")
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        # The common kinds come first; the loops below are for subclasses and for what is rare.
        if kind is str or (kind is int and -SMALL_INT <= value <= SMALL_INT):
            return value
        if kind is list or kind is tuple:
            return ["l" if kind is list else "t", [self.encode(item, depth + 1) for item in value]]
        for base, scalar in _SCALARS:
            if issubclass(kind, base):
                return scalar(value)
        for base, tag, iterate in _CONTAINERS:
            if issubclass(kind, base):
                return [tag, [self.encode(item, depth + 1) for item in iterate(value)]]
        if issubclass(kind, dict):
            pairs = list(dict.items(value))
            return ["d", [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in pairs]]
        return self._special(value)


def _int(value: Any) -> int | list[str]:
    plain = int.__index__(value)
    if -SMALL_INT <= plain <= SMALL_INT:
        return plain
    number = hex(plain)
    if len(number) > MAX_HEX_DIGITS:
        raise TooLarge(f"an integer of more than {MAX_HEX_DIGITS} hex digits")
    return ["i", number]


_SCALARS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, _int),
    (float, lambda value: ["f", float.hex(value)]),
    (bytes, lambda value: ["b", bytes.hex(value)]),
)
_CONTAINERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (list, "l", list.__iter__),
    (tuple, "t", tuple.__iter__),
    (set, "s", set.__iter__),
    (frozenset, "z", frozenset.__iter__),
)


def decode(data: Any, special: Special) -> Any:
    """Rebuild a value from tagged data, in exact builtin types; ``special`` decodes tags of the caller.

    Raises Malformed for anything that ``encode`` does not write.
    """
    try:
        return _decode(data, special, 0)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Malformed(f"not tagged plain data: {error}") from error


def _decode(data: Any, special: Special, depth: int) -> Any:
    kind = type(data)
    if data is None or kind is str or kind is bool or (kind is int and -SMALL_INT <= data <= SMALL_INT):
        return data
    if kind is not list or len(data) < 2 or type(data[0]) is not str or depth > MAX_DEPTH:
        raise Malformed(f"no tag in a {kind.__name__}")
    tag, body = data[0], data[1]
    if tag not in _TAGS:
        return special(data)
    if len(data) != 2:
        raise Malformed(f"{len(data)} parts under tag {tag!r}")
    if tag in _FROM_HEX:
        return _FROM_HEX[tag](body)
    if type(body) is not list:
        raise Malformed(f"tag {tag!r} without a list")
    if tag == "d":
        pairs = [(_decode(k, special, depth + 1), _decode(v, special, depth + 1)) for k, v in body]
        _refuse_collisions([key for key, _ in pairs])
        return dict(pairs)
    items = [_decode(item, special, depth + 1) for item in body]
    if tag in ("s", "z"):
        _refuse_collisions(items)
    return _BUILD[tag](items)


def _refuse_collisions(keys: list[Any]) -> None:
    seen: dict[int, int] = {}
    for key in keys:
        value = hash(key)
        seen[value] = seen.get(value, 0) + 1
    if seen and max(seen.values()) > MAX_SAME_HASH:
        raise Malformed(f"more than {MAX_SAME_HASH} keys with one hash")


def _hex_int(text: str) -> int:
    if len(text) > MAX_HEX_DIGITS:
        raise Malformed(f"an integer of {len(text)} hex digits")
    return int(text, 16)


_FROM_HEX: dict[str, Callable[[Any], Any]] = {"i": _hex_int, "f": float.fromhex, "b": bytes.fromhex}
_BUILD: dict[str, Callable[[Any], Any]] = {"l": list, "t": tuple, "s": set, "z": frozenset}
_TAGS = frozenset({*_FROM_HEX, *_BUILD, "d"})
