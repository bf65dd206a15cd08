"""A model endpoint that costs next to nothing: after a fixed time it answers with the shortest JSON of the schema asked for.

python benchmarks/endpoint.py [--latency-ms 50]

Prints its URL, then serves until its standard input ends. It speaks just enough HTTP/1.1 for one client on loopback. ``GET /stats``
says how many requests came, how many were in flight at most, and how much of the time since the first one they were (request-seconds);
``POST /stats`` starts that anew.
"""

import argparse
import asyncio
import functools
import json
import sys
import time
from typing import Any

MODEL = "mock"
HEAD = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
END = b"\r\n\r\n"


class Stats:
    """Requests in flight over time."""

    def __init__(self) -> None:
        self.requests = self.in_flight = self.most_in_flight = 0
        self._changed_s = 0.0
        self._spent_s: dict[int, float] = {}

    def change(self, by: int) -> None:
        """Count a request that came (1) or was answered (-1)."""
        now_s = time.monotonic()
        if self._changed_s:
            self._spent_s[self.in_flight] = self._spent_s.get(self.in_flight, 0.0) + now_s - self._changed_s
        self._changed_s = now_s
        self.in_flight += by
        self.requests += max(0, by)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def report(self) -> dict[str, Any]:
        """Return the figures: seconds spent at each number of requests in flight among them."""
        return {"requests": self.requests, "most_in_flight": self.most_in_flight, "spent_s": self._spent_s}


class Connection(asyncio.Protocol):
    """One connection: requests in order, no pipelining."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is there as a whole."""
        self._buffer += data
        head, end, body = self._buffer.partition(END)
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0] or b"0")
        if len(body) < length:
            return
        self._buffer = body[length:]
        self._answer(head.partition(b" HTTP/")[0], body[:length])

    def _answer(self, line: bytes, body: bytes) -> None:
        global stats
        if line.endswith(b"/chat/completions"):
            stats.change(1)
            asyncio.get_running_loop().call_later(self._latency_s, self._complete, body)
        elif line.endswith(b"/models"):
            self._send({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif line == b"GET /stats":
            self._send(stats.report())
        elif line == b"POST /stats":
            stats = Stats()
            self._send({})
        else:
            self._send({"detail": "Not Found"}, b"404 Not Found")

    def _complete(self, body: bytes) -> None:
        stats.change(-1)
        self._send_bytes(completion(json.dumps(json.loads(body).get("response_format"))))

    def _send(self, value: Any, status: bytes = b"200 OK") -> None:
        self._send_bytes(json.dumps(value).encode(), status)

    def _send_bytes(self, body: bytes, status: bytes = b"200 OK") -> None:
        if isinstance(self._transport, asyncio.WriteTransport) and not self._transport.is_closing():
            self._transport.write(HEAD % (status, len(body), body))


stats = Stats()


@functools.lru_cache
def completion(wanted: str) -> bytes:
    """Return a chat completion that does what ``response_format`` (JSON) asks for."""
    schema = ((json.loads(wanted) or {}).get("json_schema") or {}).get("schema")
    text = json.dumps(shortest(schema)) if schema else "{}"
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020}
    body = {"id": "c", "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice], "usage": usage}
    return json.dumps(body).encode()


def shortest(schema: dict[str, Any]) -> Any:
    """Return a value that ``schema`` allows; of a menu the last entry."""
    if "enum" in schema:
        return schema["enum"][-1]
    if "anyOf" in schema:
        return shortest(schema["anyOf"][0])
    if schema.get("type") == "object":
        return {name: shortest(part) for name, part in schema["properties"].items()}
    return "as the answer shows"


async def main(latency_s: float) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(latency_s), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    asyncio.run(main(parser.parse_args().latency_ms / 1000))
