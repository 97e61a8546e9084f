"""What this process may do: its effective capabilities (capabilities(7), include/uapi/linux/capability.h)."""

import errno
import fcntl
import os
import re
from pathlib import Path

from node_tuner.machine.roots import Roots

_NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
"""By bit."""

_EFFECTIVE = re.compile(r"^CapEff:\s*([0-9a-f]+)$", re.MULTILINE)


_OF_NETWORK = frozenset(name for name in _NAMES if name.startswith("CAP_NET_"))
_NS_GET_USERNS = 0xB701
"""ioctl_nsfs(2)."""


def effective(roots: Roots) -> frozenset[str]:
    """Of this process: `CAP_NET_ADMIN` and so on; OSError or ValueError where /proc does not say.

    In a user namespace of its own a process has them all, and those of the network hold for what belongs to it alone.
    """
    capabilities = parse((roots.proc / "self/status").read_text())
    return capabilities if _is_network_ours(roots.proc / "self/ns/net") else capabilities - _OF_NETWORK


def _is_network_ours(namespace: Path) -> bool:
    """Whether its user namespace is ours, or one below: of another the kernel does not even say which."""
    try:
        descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True  # nobody says otherwise
    try:
        os.close(fcntl.ioctl(descriptor, _NS_GET_USERNS))
    except OSError as error:
        return error.errno != errno.EPERM
    finally:
        os.close(descriptor)
    return True


def parse(status: str) -> frozenset[str]:
    """Those of the text of a /proc/PID/status. ValueError for any other."""
    match = _EFFECTIVE.search(status)
    if match is None:
        raise ValueError("there is no line CapEff in it")
    mask = int(match[1], 16)
    return frozenset(name for bit, name in enumerate(_NAMES) if mask >> bit & 1)
