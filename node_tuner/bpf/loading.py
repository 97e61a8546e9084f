"""bpf(2), which Python does not have: loads a program, or says why it cannot be loaded here."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from node_tuner.bpf.instructions import INSTRUCTION_BYTES, Register, compute, encode, leave
from node_tuner.errors import UnavailableError

BPF_SYSCALLS: Mapping[str, int] = {"x86_64": 321, "aarch64": 280}
"""The call's number, by `uname -m`: both are little-endian, as the assembler is."""

MAX_LOG_BYTES = 1 << 20
"""What the verifier may write; it tells the end if it has more to say."""

_TOLD_LINES = 4

_PROG_LOAD = 5
_SCHED_CLS = 3
_LICENSE = b""
"""Nothing is claimed: none of the helpers that we call asks for a GPL-compatible one."""

_SENTENCES = {
    errno.EPERM: "needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN",
    errno.ENOSYS: "this kernel has no bpf(2)",
}


class _ProgLoad(ctypes.Structure):
    """union bpf_attr for BPF_PROG_LOAD, its first fields (include/uapi/linux/bpf.h)."""

    _fields_ = (
        ("prog_type", ctypes.c_uint32),
        ("insn_cnt", ctypes.c_uint32),
        ("insns", ctypes.c_uint64),
        ("license", ctypes.c_uint64),
        ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32),
        ("log_buf", ctypes.c_uint64),
        ("kern_version", ctypes.c_uint32),
        ("prog_flags", ctypes.c_uint32),
        ("prog_name", ctypes.c_char * 16),
    )


@contextmanager
def loaded(program: bytes, name: str) -> Iterator[int]:
    """A file descriptor of the program, as a classifier; it is closed afterwards, the filter keeps the program.

    UnavailableError with the kernel's reason, and the verifier's last lines where it was the verifier.
    """
    descriptor = _load(program, name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def obstacle() -> str | None:
    """Why this process could not load any program here; found by trying with one that does nothing."""
    try:
        with loaded(encode([compute(Register.R0, "=", 0), leave()]), "railbird_probe"):
            return None
    except UnavailableError as error:
        return str(error)


def bpf(command: int, attributes: ctypes.Structure) -> int:
    """The system call. OSError; UnavailableError on a machine whose call number is not known."""
    machine = platform.machine()
    if machine not in BPF_SYSCALLS:
        raise UnavailableError(f"eBPF programs are written for {' and '.join(BPF_SYSCALLS)}, this is {machine}")
    libc = ctypes.CDLL(None, use_errno=True)
    size = ctypes.c_ulong(ctypes.sizeof(attributes))
    result: int = libc.syscall(
        ctypes.c_long(BPF_SYSCALLS[machine]), ctypes.c_int(command), ctypes.byref(attributes), size
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def verifier_log(program: bytes, log_level: int = 1) -> str:
    """What the verifier says of a program: where it stands to lose, with level 4 only how much it had to walk."""
    log = ctypes.create_string_buffer(MAX_LOG_BYTES)
    try:
        os.close(_prog_load(program, "railbird_log", log, log_level))
    except OSError as error:
        if not log.value:
            return os.strerror(error.errno or 0)
    return log.value.decode(errors="replace")


def _load(program: bytes, name: str) -> int:
    try:
        return _prog_load(program, name)
    except OSError as error:
        if error.errno in _SENTENCES:
            raise UnavailableError(_SENTENCES[error.errno]) from None
        said = " / ".join(verifier_log(program).split("\n")[-_TOLD_LINES:])
        raise UnavailableError(f"the kernel refuses the eBPF program: {error.strerror}: {said}") from None


def _prog_load(program: bytes, name: str, log: ctypes.Array[ctypes.c_char] | None = None, log_level: int = 0) -> int:
    instructions = ctypes.create_string_buffer(program, len(program))
    license_text = ctypes.create_string_buffer(_LICENSE)
    attributes = _ProgLoad(
        prog_type=_SCHED_CLS,
        insn_cnt=len(program) // INSTRUCTION_BYTES,
        insns=ctypes.addressof(instructions),
        license=ctypes.addressof(license_text),
        prog_name=name.encode(),
    )
    if log is not None:
        attributes.log_level, attributes.log_size, attributes.log_buf = log_level, len(log), ctypes.addressof(log)
    return bpf(_PROG_LOAD, attributes)
