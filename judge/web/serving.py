"""Listening: one process, one port, until it is interrupted."""

import socket

import uvicorn

from judge.errors import UserError
from judge.store import Store
from judge.web.access import Access
from judge.web.application import application
from judge.web.judging import Judging
from judge.web.service import Service

GRACE_S = 10
"""How long requests may take to end once the process is interrupted: a judge may think for minutes."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 takes a free one. Raises UserError when it cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(
            f"--host {host} --port {port}: {error.strerror or error}; use another --port or --host"
        ) from error


def serve(store: Store, access: Access, listener: socket.socket, judging: Judging | None = None) -> None:
    """Answer requests until the process is interrupted."""
    config = uvicorn.Config(
        application(Service(store, access, judging, works_ahead=True)),
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])
