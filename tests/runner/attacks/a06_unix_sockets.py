"""Reach services of the machine over unix sockets (by path and abstract) and vsock."""

import socket


def attack(world):
    reached = []
    paths = [world["unix_path"], "\0" + world["unix_abstract"], "/run/docker.sock", "/run/dbus/system_bus_socket"]
    for path in [*paths, f"/proc/1/root{world['unix_path']}"]:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(socket.AF_UNIX, kind) as connection:
                    connection.connect(path)
                reached.append(repr(path))
            except OSError:
                continue
    try:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.sendto(b"leak", "\0" + world["unix_datagrams"])
        ours.connect("\0" + world["unix_datagrams"])
        reached.append("a pair of datagram sockets was connected anew")
    except OSError:
        pass
    for cid in (1, 2):
        try:
            with socket.socket(40, socket.SOCK_STREAM) as connection:
                reached.append("a vsock was created")
                connection.settimeout(0.3)
                connection.connect((cid, 1024))
        except OSError:
            continue
    return reached
