"""Whom an encrypted connection trusts, read when the first one is made.

Decision: aiohttp reads the certificates of the system twice when it is imported, for contexts of its own. That is a tenth of the time
of a short command, and most judges are asked over plain HTTP on this machine. So it is imported while there are none to be found, and
every session of ours brings a ``Trust``. ``tests/runner/test_connections.py`` holds what that must not change.
"""

import contextlib
import os
import ssl
from collections.abc import Iterator
from typing import Any

WHERE = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class Trust(ssl.SSLContext):
    """Trusts whom the system does, or ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name: as ``ssl.create_default_context()`` in all.

    An address with plain HTTP may lead to an encrypted one, by a redirection or a proxy, so every session has one of these.
    """

    _usual: ssl.SSLContext | None = None

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Begin an encrypted connection, by the usual context of this Python, which is made for the first one."""
        if self._usual is None:
            self._usual = ssl.create_default_context()
        return self._usual.wrap_bio(*args, **options)


@contextlib.contextmanager
def nobody_trusted() -> Iterator[None]:
    """Let OpenSSL find no certificates, for a moment."""
    said = {name: os.environ.pop(name, None) for name in WHERE}
    os.environ.update(dict.fromkeys(WHERE, os.devnull))
    try:
        yield
    finally:
        for name, value in said.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
