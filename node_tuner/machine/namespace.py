"""Which network namespace we are in."""

import socket
from pathlib import Path

from node_tuner.machine.roots import Roots

_SO_NETNS_COOKIE = 71
"""Not in Python's socket module: include/uapi/asm-generic/socket.h, Linux 5.14."""

NAMESPACE_FILE = Path("/proc/self/ns/net")


def is_host_namespace(roots: Roots) -> bool:
    """Whether it is the host's own: only there the kernel registers what is set for the whole node."""
    return roots.setting("net.core.netdev_max_backlog").exists()


def identity() -> str:
    """Its cookie, which none gets again until the next boot; before Linux 5.14 its inode, which a later one may get."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            raw = any_socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8)
        except OSError:
            return f"inode-{NAMESPACE_FILE.stat().st_ino}"
    return f"cookie-{int.from_bytes(raw, 'little')}"
