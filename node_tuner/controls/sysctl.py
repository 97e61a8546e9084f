"""Settings of the kernel in /proc/sys (sysctl(8)): host-wide ones, and each network namespace's own.

Who may write: for `net.*` whoever has CAP_NET_ADMIN, or root; for all others root of the node, whatever capabilities it
has (fs/proc/proc_sysctl.c `test_perm`, net/sysctl_net.c `net_ctl_permissions`). What is host-wide is in another network
namespace either absent or read-only.
"""

import errno
import os
from pathlib import Path

from node_tuner.contract import Value, Where
from node_tuner.controls import sysctl_values
from node_tuner.errors import UnavailableError
from node_tuner.machine.capabilities import effective
from node_tuner.machine.namespace import is_host_namespace
from node_tuner.machine.roots import Roots
from node_tuner.ports import Ports

_HOST_WIDE = ("net.core.", "net.netfilter.", "net.ipv4.udp_mem", "net.ipv4.tcp_mem", "net.ipv4.tcp_max_orphans")
"""What begins so and is absent or read-only in another namespace than the host's, is so because of that."""

_ALSO_NEEDS = {"kernel.numa_balancing": "CAP_SYS_ADMIN"}
"""Beyond root: kernel/sched/core.c `sysctl_numa_balancing`."""

_SETS_OF_PORTS = frozenset({"net.ipv4.ip_local_reserved_ports"})
"""Whoever sets one adds to what is there."""

_MAX_BYTES = 1 << 20
"""More than any setting has, of which the longest is a list of 32768 ports: only the first read gives all of it."""

_WRITABLE_BY_ANYBODY = 0o222
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class Sysctl:
    """One setting; its value is text, with single spaces where the kernel writes tabs. Of the value that is wanted,
    where it is told, `obstacle` says whether it can be had."""

    kind = "sysctl"
    is_own = False
    is_growing = False

    def __init__(self, name: str, roots: Roots, wanted: str = "") -> None:
        self._name = name
        self._roots = roots
        self._wanted = wanted
        self._path = roots.setting(name)

    @property
    def where(self) -> Where:
        """See `contract.Control`."""
        return {"name": self._name}

    def read(self) -> str:
        """See `contract.Control`."""
        try:
            return _normalised(_first_read(self._path))
        except OSError as error:
            raise self._unavailable(error, "read") from None

    def obstacle(self) -> str | None:
        """See `contract.Control`."""
        if not self._path.exists():
            return self._why_absent()
        if os.statvfs(self._path).f_flag & os.ST_RDONLY:
            return f"{self._mount} is mounted read-only here, as a container's own is"
        if not self._path.stat().st_mode & _WRITABLE_BY_ANYBODY:
            return self._why_read_only()
        if not os.access(self._path, os.W_OK, effective_ids=True):
            return self._lacking
        return self._also_lacking() or sysctl_values.obstacle(self._name, self._wanted, self._roots)

    def write(self, value: Value) -> None:
        """See `contract.Control`."""
        before = self.read()
        try:
            _write(self._path, str(value))
        except OSError as error:
            self._put_back(before)
            raise self._unavailable(error, f"set to {value}") from None

    def merged(self, original: Value, applied: Value, found: Value) -> Value:
        """See `contract.Control`."""
        if self._name not in _SETS_OF_PORTS:
            return None
        try:
            before, after, now = (Ports.parse(str(each), lowest=0) for each in (original, applied, found))
        except ValueError:
            return None
        # Where we took some out, nobody can say whether others have put them in again.
        return str(now - (after - before)) if before <= after else None

    def _put_back(self, before: str) -> None:
        """Of several numbers the kernel takes those that stand before the one that it refuses."""
        if self.read() != before:
            _write(self._path, before)

    def _unavailable(self, error: OSError, attempt: str) -> UnavailableError:
        if not self._path.exists():
            return UnavailableError(self._why_absent())
        if error.errno in _REFUSED:
            return UnavailableError(self.obstacle() or f"the kernel refuses it ({error.strerror}): {self._lacking}")
        # ENOENT of a file that is there: of a qdisc or a congestion control that this kernel has not.
        reason = "this kernel has none of that name" if error.errno == errno.ENOENT else error.strerror
        return UnavailableError(f"{self._name} cannot be {attempt}: {reason}")

    def _why_absent(self) -> str:
        if self._is_elsewhere:
            return f"not the host's network namespace: {self._name} is there alone, for the whole node"
        return f"this kernel has no setting {self._name} (is its module loaded?)"

    def _why_read_only(self) -> str:
        if self._is_elsewhere:
            return f"not the host's network namespace: {self._name} is read-only here, and set there for the whole node"
        return f"the kernel lets nobody write {self._name}"

    @property
    def _is_elsewhere(self) -> bool:
        return self._name.startswith(_HOST_WIDE) and not is_host_namespace(self._roots)

    @property
    def _lacking(self) -> str:
        if self._name.startswith("net."):
            return "needs CAP_NET_ADMIN"
        return "needs root of the node (uid 0, outside of user namespaces); no capability stands for it"

    def _also_lacking(self) -> str | None:
        needed = _ALSO_NEEDS.get(self._name)
        return f"needs {needed}" if needed and needed not in effective(self._roots) else None

    @property
    def _mount(self) -> Path:
        """The directory for which a reader knows what to do: of a whole /proc/sys, or of what is mounted for it."""
        return self._path.parents[self._name.count(".")]


def _normalised(text: str) -> str:
    return " ".join(text.split())


def _first_read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, _MAX_BYTES).decode()
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    """The line's end makes an empty list of ports a write at all; of a list that is longer than a page the kernel
    takes one page at a call, and adds the next ones to it."""
    rest = f"{text}\n".encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)
