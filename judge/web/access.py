"""Who is let in: which names a request may call this service by, and the token needed beyond loopback. Pure but for one file."""

import hmac
import ipaddress
import secrets
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from judge.errors import UserError
from runner.types import Value

TOKEN_BYTES = 32
SHORTEST_TOKEN = 16
"""Characters; a shorter one could be guessed."""


class Access(Value):
    """Who is let in."""

    host: str
    """Address that the service listens on."""
    names: frozenset[str] = frozenset()
    """Further names that it may be called by."""
    token: str | None = None
    """``None``: everybody on this machine."""

    @property
    def session(self) -> str:
        """What the cookie of somebody who knew the token holds: from it the token cannot be found."""
        return sign(self.token or "", "session")


def access_to(host: str, names: Collection[str], token_file: Path | None) -> tuple[Access, bool]:
    """Return who is let in, and whether the token was made up just now and has to be told."""
    allowed = frozenset(name.lower() for name in names)
    if token_file is not None:
        return Access(host=host, names=allowed, token=read_token(token_file)), False
    if is_loopback(host):
        return Access(host=host, names=allowed), False
    return Access(host=host, names=allowed, token=secrets.token_urlsafe(TOKEN_BYTES)), True


def read_token(file: Path) -> str:
    """Return the token in a file. Raises UserError when there is none worth the name."""
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--token-file {file}: cannot be read as text ({error}); name a file with a token") from error
    if len(token) < SHORTEST_TOKEN:
        raise UserError(
            f"--token-file {file}: the token has {len(token)} characters; use at least {SHORTEST_TOKEN}, chosen at random"
        )
    return token


def is_loopback(host: str) -> bool:
    """True for a name or address of this machine that no other can reach."""
    if host == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def is_allowed_host(header: str, access: Access) -> bool:
    """True when the Host header names this service.

    A page elsewhere can have its own name point here (DNS rebinding), but cannot make a browser send another name than that.
    So names have to be known; an address is no name. On loopback an address has to be one of loopback.
    """
    name = host_name(header)
    if name is None:
        return False
    if name in access.names or name == access.host.lower() or is_loopback(name):
        return True
    return not is_loopback(access.host) and _address(name) is not None


def host_name(header: str) -> str | None:
    """Return the name in a Host header, without port and brackets; ``None`` when it is none."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port  # raises for what is no port
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    return parts.hostname if plain else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def sign(key: str, text: str) -> str:
    """Return the keyed hash of a text (HMAC-SHA-256, hex)."""
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


def same(given: str, expected: str) -> bool:
    """True when both are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
