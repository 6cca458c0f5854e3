"""Ports of the loopback interface that nobody uses, and that no other simulated beamline is given."""

import random
import socket

FIRST_PORT = 12_000
LAST_PORT = 32_000  # below the range from which systems hand out ports by themselves
BLOCK = 8  # the first port of a block says that the others are taken, also those that nobody listens at yet

_claims: list[socket.socket] = []


class PortError(RuntimeError):
    """There are no free ports."""


def free_ports(num_ports: int, *, interface: str = "127.0.0.1") -> list[int]:
    """Return ports, at most seven, that are free for TCP and UDP and are given to nobody else while this process lives.

    Raises
    ------
    PortError
        If every block of ports is taken.
    """
    assert num_ports < BLOCK
    firsts = list(range(FIRST_PORT, LAST_PORT, BLOCK))
    random.SystemRandom().shuffle(firsts)
    for first in firsts:
        claim = socket.socket()
        try:
            claim.bind((interface, first))
            claim.listen()
        except OSError:
            claim.close()
            continue
        ports = list(range(first + 1, first + 1 + num_ports))
        if all(_is_free(interface, port) for port in ports):
            _claims.append(claim)
            return ports
        claim.close()
    raise PortError(f"no {num_ports} neighbouring ports of {FIRST_PORT} to {LAST_PORT} are free. End other programs.")


def _is_free(interface: str, port: int) -> bool:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind((interface, port))
            udp.bind((interface, port))
        except OSError:
            return False
    return True
