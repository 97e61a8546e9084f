"""What is left to a process in a pod: an account, a few capabilities, mounts that are read-only.

All of it is for a child of its own (`namespaces.in_child`, `Namespace.call`): no process gets such things back.
"""

import ctypes
import os
import struct
from pathlib import Path

from node_tuner.machine.capabilities import effective
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import call_libc

NOBODY = 65_534

_BITS = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21, "CAP_BPF": 39}
_PR_SET_KEEPCAPS = 8
_VERSION_3 = 0x2008_0522
_CLONE_NEWNS = 0x0002_0000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16_384, 1 << 18


def become(uid: int, *capabilities: str) -> None:
    """This account, with these capabilities and no other."""
    call_libc("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    mask = sum(1 << _BITS[name] for name in capabilities)
    low, high = mask & 0xFFFF_FFFF, mask >> 32
    # struct __user_cap_header_struct, and two of __user_cap_data_struct: effective, permitted, inheritable.
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    call_libc("capset", header, ctypes.create_string_buffer(struct.pack("=6I", low, low, 0, high, high, 0)))
    assert effective(Roots()) == set(capabilities)


def with_own_mounts() -> None:
    """What is mounted from here on nobody else sees."""
    call_libc("unshare", _CLONE_NEWNS)
    call_libc("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)


def bind(source: Path, target: Path) -> None:
    """As a hostPath volume."""
    call_libc("mount", bytes(source), bytes(target), None, _MS_BIND, None)


def make_read_only(path: Path) -> None:
    """As a container's /proc/sys and /sys are; after `with_own_mounts`."""
    bind(path, path)
    call_libc("mount", b"none", bytes(path), None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY, None)
