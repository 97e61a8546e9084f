"""Runs a program in the kernel on a frame of ours, and on no interface (BPF_PROG_TEST_RUN).

The kernel takes no frame that ends within its IP header (EINVAL).
"""

import ctypes

from node_tuner.bpf.loading import bpf

_PROG_TEST_RUN = 10
_ROOM_BYTES = 4096


class _TestRun(ctypes.Structure):
    """union bpf_attr for BPF_PROG_TEST_RUN (include/uapi/linux/bpf.h)."""

    _fields_ = (
        ("prog_fd", ctypes.c_uint32),
        ("retval", ctypes.c_int32),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("data_in", ctypes.c_uint64),
        ("data_out", ctypes.c_uint64),
        ("repeat", ctypes.c_uint32),
        ("duration", ctypes.c_uint32),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_uint64),
        ("ctx_out", ctypes.c_uint64),
    )


def run(descriptor: int, frame: bytes) -> tuple[int, bytes]:
    """What the program answers, and the frame as it left it. OSError."""
    before, after = ctypes.create_string_buffer(frame, len(frame)), ctypes.create_string_buffer(_ROOM_BYTES)
    attributes = _TestRun(
        prog_fd=descriptor,
        data_size_in=len(frame),
        data_size_out=len(after),
        data_in=ctypes.addressof(before),
        data_out=ctypes.addressof(after),
    )
    bpf(_PROG_TEST_RUN, attributes)
    return attributes.retval, after.raw[: attributes.data_size_out]
