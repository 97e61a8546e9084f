"""Reads what this machine is, once."""

import os
import re
from contextlib import suppress
from pathlib import Path

from node_tuner.errors import MissingError
from node_tuner.machine import capabilities, interfaces
from node_tuner.machine.choice import Choice
from node_tuner.machine.counters import softnet
from node_tuner.machine.facts import Machine
from node_tuner.machine.namespace import identity
from node_tuner.machine.roots import Roots

_MEM_TOTAL = re.compile(r"^MemTotal:\s*(\d+) kB$", re.MULTILINE)
_BYTES_OF_KB = 1024


def read(roots: Roots, choice: Choice) -> Machine:
    """The machine, and the interface that `choice` means. MissingError for what is not there, or does not say."""
    counted = softnet(roots)
    return Machine(
        cpus=_online(roots),
        isolated_cpus=_isolated(roots),
        memory_bytes=_memory_bytes(roots),
        kernel=os.uname().release,
        boot_id=_text(roots.setting("kernel.random.boot_id")),
        namespace=identity(),
        capabilities=_capabilities(roots),
        softnet_squeezed=counted.squeezed if counted else 0,
        interface=interfaces.find(roots, choice),
    )


def _online(roots: Roots) -> tuple[int, ...]:
    """All of them: interrupts and queues know of no quota of ours."""
    path = roots.sys / "devices/system/cpu/online"
    try:
        return tuple(sorted(_listed(_text(path))))
    except ValueError:
        raise MissingError(f"{path} does not say which cores are online") from None


def _isolated(roots: Roots) -> frozenset[int]:
    """Where the kernel says nothing of it (`(null)` in nohz_full of some), there are none."""
    found: set[int] = set()
    for name in ("isolated", "nohz_full"):
        with suppress(OSError, ValueError):
            found |= _listed((roots.sys / "devices/system/cpu" / name).read_text().strip())
    return frozenset(found)


def _listed(text: str) -> set[int]:
    """Of `0-3,8`."""
    ranges = [part.partition("-") for part in text.split(",")]
    return {cpu for first, _, last in ranges for cpu in range(int(first), int(last or first) + 1)}


def _memory_bytes(roots: Roots) -> int:
    match = _MEM_TOTAL.search(_text(roots.proc / "meminfo"))
    if match is None:
        raise MissingError(f"{roots.proc / 'meminfo'} does not say MemTotal")
    return int(match[1]) * _BYTES_OF_KB


def _capabilities(roots: Roots) -> frozenset[str]:
    try:
        return capabilities.effective(roots)
    except (OSError, ValueError) as error:
        raise MissingError(f"{roots.proc}/self/status does not say what this process may do: {error}") from None


def _text(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except OSError as error:
        raise MissingError(f"{path}: {error.strerror}") from None
    if not text:
        raise MissingError(f"{path}: it is empty")
    return text
