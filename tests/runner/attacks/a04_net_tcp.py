"""Connect to listeners of the machine and to the internet over TCP, and listen."""

import socket


def attack(world):
    reached = []
    for family, address in [
        (socket.AF_INET, ("127.0.0.1", world["tcp_port"])),
        (socket.AF_INET, (world["address"], world["tcp_port"])),
        (socket.AF_INET6, ("::1", world["tcp_port"])),
        (socket.AF_INET, ("1.1.1.1", 80)),
        (socket.AF_INET, ("169.254.169.254", 80)),
    ]:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.settimeout(0.3)
                connection.connect(address)
            reached.append(str(address))
        except OSError:
            continue
    try:
        socket.create_server(("0.0.0.0", 0)).close()
        reached.append("listening")
    except OSError:
        pass
    return reached
