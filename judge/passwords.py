"""Addresses as they may be stored and shown, and the passwords in them. Pure.

What people type is not always what they mean: a password with an unescaped slash, question mark or at sign is taken apart differently
by every reader. Here whatever may be part of a password counts as one.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

LEFT_OUT = "..."
_ADDRESS = re.compile(r"(?P<before>.*?)(?P<scheme>[a-z][\w+.-]*)://(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
_HOST = r"(?:\[[\da-fA-F:.]+\]|[\w.-]*)(?::\d+)?"
_PLACE = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/.*)?", re.DOTALL)
_SETTING = re.compile(r"\b(?P<name>\w*(?:pass|pwd)\w*\s*=\s*)(?P<value>'(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE)
"""``password=...`` as it stands in queries and in the settings of a driver."""


def without_password(text: str) -> str:
    """Return an argument, or an address, with user, host and path of an address at most; of anything else, without passwords."""
    address = _ADDRESS.fullmatch(text)
    if address is None:
        return _SETTING.sub(rf"\g<name>{LEFT_OUT}", text)
    return f"{address['before']}{address['scheme']}://{_shown(address['rest'])}"


def passwords(address: str) -> list[str]:
    """Return everything in the address of a store that may be a password, as it is written and as it is meant."""
    rest = address.partition("://")[2]
    readings = [*_of_account(rest), *(setting["value"].strip("'") for setting in _SETTING.finditer(address))]
    meant = (read(reading) for reading in readings for read in (str, unquote, unquote_plus))
    return [password for password in dict.fromkeys(meant) if password]


def has_password_setting(path: str) -> bool:
    """True for settings of a driver in the place of a path, when there is a password among them."""
    is_settings = "://" not in path and re.match(r"\s*\w+\s*=", path)
    return bool(is_settings and _SETTING.search(path))


def is_host(name: str) -> bool:
    """False for what cannot be a host, or several, and may be part of a password."""
    return "/" not in name and _PLACE.fullmatch(name) is not None


def _shown(rest: str) -> str:
    head, mark, query = re.fullmatch(r"([^?#]*)([?#]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    account, at, place = head.rpartition("@")
    if "@" in query or not _PLACE.fullmatch(place):
        return LEFT_OUT
    user, colon, _ = account.partition(":")
    name = f"{user}:{LEFT_OUT}" if colon and re.fullmatch(r"[\w.%+-]*", user) else LEFT_OUT
    return (f"{name}@" if at else "") + place + (f"{mark}{LEFT_OUT}" if mark else "")


def _of_account(rest: str) -> Iterator[str]:
    """Yield what may be the password before a host: to the first at sign, or to the last one that is not in a query, or at all."""
    for end in (rest.find("@"), rest.partition("?")[0].rfind("@"), rest.rfind("@")):
        if end >= 0:
            yield rest[:end].partition(":")[2]
