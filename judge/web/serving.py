"""Listening: one process, one port, until it is interrupted."""

import socket
from types import FrameType

import uvicorn

from judge.errors import UserError
from judge.web.application import application
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


class Server(uvicorn.Server):
    """Answers requests from ``service`` until it is told to end; streams end then, which it would wait for."""

    def __init__(self, service: Service) -> None:
        config = uvicorn.Config(
            application(service),
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the signal that ends the process."""
        self._service.stopping.set()
        super().handle_exit(sig, frame)


def serve(service: Service, listener: socket.socket) -> None:
    """Answer requests, and carry out jobs, until the process is interrupted."""
    Server(service).run(sockets=[listener])
