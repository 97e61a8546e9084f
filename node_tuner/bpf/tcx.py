"""Programs that others have attached to an interface by tcx (Linux 6.6), which run before all that hangs in clsact."""

from __future__ import annotations

import ctypes

from node_tuner.bpf.loading import bpf
from node_tuner.errors import UnavailableError

_PROG_QUERY = 16
_TCX_EGRESS = 47


class _ProgQuery(ctypes.Structure):
    """union bpf_attr for BPF_PROG_QUERY, its first fields (include/uapi/linux/bpf.h)."""

    _fields_ = (
        ("target_ifindex", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("query_flags", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
        ("prog_ids", ctypes.c_uint64),
        ("count", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
        ("prog_attach_flags", ctypes.c_uint64),
        ("link_ids", ctypes.c_uint64),
        ("link_attach_flags", ctypes.c_uint64),
        ("revision", ctypes.c_uint64),
    )


def programs_at_egress(index: int) -> int:
    """How many the interface has on its way out; 0 also where nobody can say: an older kernel, no CAP_NET_ADMIN."""
    attributes = _ProgQuery(target_ifindex=index, attach_type=_TCX_EGRESS)
    try:
        bpf(_PROG_QUERY, attributes)
    except (OSError, UnavailableError):
        return 0
    return int(attributes.count)
