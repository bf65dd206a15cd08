"""What the `openai` package takes for the requests of a scoring with nothing around it: the yardstick of benchmarks/scoring.py.

python benchmarks/bare_loop.py URL REQUEST.json [--requests 1000] [--in-flight 64]
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import openai


async def main(url: str, request: dict[str, Any], requests: int, in_flight: int) -> None:
    """Send ``requests`` equal requests, and read the JSON in each reply."""
    turns = asyncio.Semaphore(in_flight)

    async def ask(client: openai.AsyncOpenAI) -> None:
        async with turns:
            completion = await client.chat.completions.create(**request)
        json.loads(completion.choices[0].message.content or "")

    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        await asyncio.gather(*(ask(client) for _ in range(requests)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("request", type=Path, help="file with the body of the request")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=64)
    options = parser.parse_args()
    body = json.loads(options.request.read_text())
    asyncio.run(main(options.url, body, options.requests, options.in_flight))
