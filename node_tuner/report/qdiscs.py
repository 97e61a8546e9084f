"""Which qdiscs this kernel has. Nothing lists them, so each is tried: in a network namespace of a forked child's own,
where nothing of the node is touched. The kernel may load a module for it, as it would for an apply."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
from collections.abc import Iterator, Mapping
from typing import NoReturn

from node_tuner.controls.qdisc_netlink import is_unknown
from node_tuner.errors import UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Section

PURPOSES: Mapping[str, str] = {
    "fq": "paces each flow; what the profile wants",
    "fq_codel": "keeps queues short, flow by flow",
    "cake": "shapes, and keeps queues short",
    "pfifo": "a plain queue",
    "htb": "limits rates by class",
    "tbf": "limits one rate",
    "mq": "one queue for each of the card's",
    "prio": "bands by priority",
    "netem": "delay and loss, for tests",
    "clsact": "where an eBPF program hangs",
}

_CLONE_NEWNET = 0x4000_0000
_LOOPBACK = Link("lo", 1)
_HANDLE = 0x7262_0000
_LIMIT_S = 20.0

Answer = Mapping[str, bool | str]
"""Whether the kernel has it, or why nobody can say."""


def qdiscs(_roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    answer = _tried()
    why_not = answer.get("")
    yield Section(
        "qdiscs",
        [
            Finding(name, None, f"{purpose}; unknown: {why_not}") if why_not else _finding(name, purpose, answer[name])
            for name, purpose in PURPOSES.items()
        ],
    )


def _finding(name: str, purpose: str, answer: bool | str) -> Finding:
    return Finding(name, answer, purpose) if isinstance(answer, bool) else Finding(name, None, f"{purpose}; {answer}")


def _tried() -> Answer:
    """What a child says; under the empty name why it says nothing."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _answer(theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as answers:
        is_there = bool(select.select([answers], [], [], _LIMIT_S)[0])
        if not is_there:
            os.kill(child, signal.SIGKILL)
        text = answers.read()
    os.waitpid(child, 0)
    if not text:
        return {"": "the attempt ended without an answer" if is_there else f"no answer within {_LIMIT_S:g} s"}
    answer: Answer = json.loads(text)
    return answer


def _answer(pipe: int) -> NoReturn:
    """In the child, which must not go on as its parent does."""
    status = 1
    try:
        os.write(pipe, json.dumps(_in_own_namespace()).encode())
        status = 0
    finally:
        os._exit(status)


def _in_own_namespace() -> Answer:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        number = ctypes.get_errno()
        return {"": "needs CAP_SYS_ADMIN" if number == errno.EPERM else f"no namespace: {os.strerror(number)}"}
    return {name: _is_there(name) for name in PURPOSES}


def _is_there(name: str) -> bool | str:
    try:
        return not is_unknown(_LOOPBACK, _HANDLE, name)
    except UnavailableError as error:
        return str(error)
