"""Send replies without end: well-formed ones, as large as may be."""

import json
import os
import struct


def attack(world):
    return []


def solve(n):
    body = json.dumps({"id": "0" * 16, "state": "returned", "value": "x" * 900_000}).encode()
    frame = struct.pack(">I", len(body)) + body
    while True:
        for fd in range(3, 64):
            try:
                os.write(fd, frame)
            except OSError:
                continue
