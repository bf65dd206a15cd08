"""Is a server that was just started there yet, and what does it list? Asked over ``httpx``, again and again.

The one part of the control plane that is not ``runner.client``'s: a server that is still loading refuses, resets or answers with
anything, none of which is an error, and nothing is asked of a judge. Imported late: judges at an endpoint are never waited for.
"""

from typing import Self

import httpx

from runner.types import Endpoint

ANSWER_S = 10.0
"""A server that took the connection and says nothing for so long is asked again."""


class Readiness:
    """Asks one server of this machine. Use as an async context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = f"{endpoint.base_url.removesuffix('/')}/models"
        self._client = httpx.AsyncClient(timeout=ANSWER_S, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def listed(self) -> list[str] | None:
        """Return the names that the server lists; ``None`` while it does not list any, whatever it does instead."""
        try:
            reply = (await self._client.get(self._url)).raise_for_status().json()
            return [str(entry["id"]) for entry in reply["data"]]
        except (httpx.HTTPError, ValueError, TypeError, LookupError):
            return None
