"""Which cores take up what a queue received (RPS), and which send by it (XPS): Documentation/networking/scaling.rst.

A value is a mask of cores for each queue, `{"rx-0": "f", "rx-1": "f"}`: hexadecimal, without leading zeros and commas.
"""

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from node_tuner.contract import Undivided, Value, Where
from node_tuner.errors import UnavailableError
from node_tuner.machine.capabilities import effective
from node_tuner.machine.interfaces import index_in_sysfs
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots

_DIGITS_OF_A_GROUP = 8
"""The kernel reads and writes masks in words of 32 bits with commas between (lib/bitmap-str.c)."""

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_ONE_QUEUE = {errno.ENOENT, errno.EOPNOTSUPP}
"""What net/core/net-sysfs.c answers of `xps_cpus` where there is nothing to choose from."""


def rps_masks(queues: int, cpus: Sequence[int]) -> dict[str, str]:
    """All of these for each queue where there are fewer queues than cores; otherwise each queue's interrupt does it."""
    mask = mask_of(cpus) if queues < len(cpus) else "0"
    return {f"rx-{queue}": mask for queue in range(queues)}


def xps_masks(queues: int, cpus: Sequence[int]) -> dict[str, str]:
    """The cores dealt out to the queues; where there are more queues, the queues to the cores."""
    shares = [[cpu for place, cpu in enumerate(cpus) if place % queues == queue % len(cpus)] for queue in range(queues)]
    return {f"tx-{queue}": mask_of(share) for queue, share in enumerate(shares)}


def mask_of(cpus: Iterable[int]) -> str:
    """See the module."""
    return f"{sum(1 << cpu for cpu in cpus):x}"


class _Steering(Undivided):
    """What RPS and XPS have in common: a file a queue, with a mask in it."""

    kind: str
    is_own = False
    is_growing = True
    _direction: str
    _file: str

    def __init__(self, link: Link, roots: Roots) -> None:
        self._link = link
        self._roots = roots
        self._interface = roots.sys / "class/net" / link.name

    @property
    def where(self) -> Where:
        """See `contract.Control`."""
        return self._link.where

    def read(self) -> Mapping[str, str]:
        """See `contract.Control`."""
        self._check()
        try:
            return {path.parent.name: _normalised(path.read_text()) for path in self._files()}
        except OSError as error:
            raise self._unavailable(error, "read") from None

    def obstacle(self) -> str | None:
        """See `contract.Control`."""
        files = self._files()
        if not files:
            return self._why_absent
        if os.statvfs(files[0]).f_flag & os.ST_RDONLY:
            return f"{self._roots.sys} is mounted read-only here, as a container's own is"
        if "CAP_NET_ADMIN" not in effective(self._roots):
            return "needs CAP_NET_ADMIN"
        if not os.access(files[0], os.W_OK, effective_ids=True):
            return f"needs root, whose {files[0]} is"
        return None

    def write(self, value: Value) -> None:
        """See `contract.Control`. A queue that is not there (any more) is left out."""
        if not isinstance(value, Mapping):
            raise UnavailableError(f"a mask for each queue was expected, not {value!r}")
        before = self.read()
        try:
            self._write({queue: str(value[queue]) for queue in before if queue in value})
        except OSError as error:
            self._put_back(before)
            raise self._unavailable(error, f"set to {dict(value)}") from None

    def _put_back(self, before: Mapping[str, str]) -> None:
        """Those queues that were written before the one that failed."""
        now = self.read()
        self._write({queue: mask for queue, mask in before.items() if now.get(queue, mask) != mask})

    def _write(self, masks: Mapping[str, str]) -> None:
        for queue, mask in masks.items():
            (self._interface / "queues" / queue / self._file).write_text(_grouped(mask))

    def _files(self) -> list[Path]:
        """In the order of the queues' numbers."""
        found = (self._interface / "queues").glob(f"{self._direction}-*/{self._file}")
        return sorted(found, key=lambda path: int(path.parent.name.removeprefix(f"{self._direction}-")))

    def _check(self) -> None:
        if index_in_sysfs(self._roots, self._link.name) != self._link.index:
            self._link.check()
            raise UnavailableError(f"{self._roots.sys} shows another network namespace than this one")
        if not self._files():
            raise UnavailableError(self._why_absent)

    @property
    def _why_absent(self) -> str:
        return f"this kernel has no {self.kind.upper()}: {self._link.name} has no {self._direction}-*/{self._file}"

    def _unavailable(self, error: OSError, attempt: str) -> UnavailableError:
        if error.errno in _REFUSED:
            return UnavailableError(self.obstacle() or f"the kernel refuses it: {error.strerror}")
        if error.errno in _ONE_QUEUE and len(self._files()) == 1:
            return UnavailableError(f"{self._link.name} has one {self._direction} queue: there is nothing to steer")
        return UnavailableError(f"{self._file} of {self._link.name} cannot be {attempt}: {error.strerror}")


class Rps(_Steering):
    """Receive packet steering of all queues of an interface."""

    kind = "rps"
    _direction = "rx"
    _file = "rps_cpus"


class Xps(_Steering):
    """Transmit packet steering of all queues of an interface."""

    kind = "xps"
    _direction = "tx"
    _file = "xps_cpus"


def _normalised(text: str) -> str:
    return f"{int(text.replace(',', ''), 16):x}"


def _grouped(mask: str) -> str:
    starts = range(len(mask) % -_DIGITS_OF_A_GROUP, len(mask), _DIGITS_OF_A_GROUP)
    return ",".join(mask[max(start, 0) : start + _DIGITS_OF_A_GROUP] for start in starts)
