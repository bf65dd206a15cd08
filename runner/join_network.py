"""Joins the network of a sandbox, opens a listening socket there and hands it back. A program of its own: joining a
user namespace takes a process with one thread, and nothing else of the service may ever be in there. Standard library
only.

Arguments: the process id of the sandbox, and the descriptor of the socket over which to send the listening one.
"""

import ctypes
import fcntl
import os
import socket
import sys

_NS_GET_USERNS = 0xB701
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_BACKLOG = 512


def main(pid: str, channel_fd: str) -> None:
    """Send one listening socket on the loopback of the sandbox."""
    network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    # The owner of the network namespace: joining it gives the right to join the network.
    _join(fcntl.ioctl(network, _NS_GET_USERNS), _CLONE_NEWUSER)
    _join(network, _CLONE_NEWNET)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    with socket.socket(fileno=int(channel_fd)) as channel:
        socket.send_fds(channel, [b"listener"], [listener.fileno()])


def _join(namespace: int, kind: int) -> None:
    # os.setns exists only from Python 3.12 on.
    if ctypes.CDLL(None, use_errno=True).setns(namespace, kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
