"""Ports of the loopback interface that nobody uses."""

import random
import socket

FIRST_PORT = 12_000
LAST_PORT = 32_000  # below the range from which systems hand out ports by themselves


def free_ports(num_ports: int, *, interface: str = "127.0.0.1") -> list[int]:
    """Return ports that are free for TCP and for UDP."""
    found: list[int] = []
    chance = random.SystemRandom()
    while len(found) < num_ports:
        port = chance.randrange(FIRST_PORT, LAST_PORT)
        if port not in found and _is_free(interface, port):
            found.append(port)
    return found


def _is_free(interface: str, port: int) -> bool:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind((interface, port))
            udp.bind((interface, port))
        except OSError:
            return False
    return True
