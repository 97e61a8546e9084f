"""Which network namespace this process is in, said as the tuner's result says it."""

import socket
from contextlib import suppress

_SO_NETNS_COOKIE = 71
"""Not in Python's socket module: include/uapi/asm-generic/socket.h, Linux 5.14. Takes no privilege."""


def cookie() -> str:
    """`cookie-N`, which no other has until the next boot; empty where the kernel does not say."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return f"cookie-{int.from_bytes(any_socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), 'little')}"
    return ""
