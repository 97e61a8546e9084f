"""What this process may do, and which settings it may write: the least that each part of a profile needs."""

import os
from collections.abc import Iterator, Mapping

from node_tuner.machine.capabilities import effective
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Section

PURPOSES: Mapping[str, str] = {
    "CAP_NET_ADMIN": "sysctls of net.*, nftables, qdiscs, network cards; without it nothing can be tuned",
    "CAP_BPF": "with CAP_NET_ADMIN: marks by eBPF (before Linux 5.8: CAP_SYS_ADMIN)",
    "CAP_SYS_ADMIN": "marks by eBPF where there is no CAP_BPF, kernel.numa_balancing, and this report's look at qdiscs",
    "CAP_SYS_MODULE": "nothing of ours: the kernel itself loads the modules of what CAP_NET_ADMIN asks for",
}
"""Of those that anything here needs, or that people think it does."""

_EXAMPLES: Mapping[str, tuple[str, str]] = {
    "/proc/sys/net": ("net.ipv4.ip_local_reserved_ports", "settings of net.*"),
    "/proc/sys": ("vm.stat_interval", "settings of kernel.* and vm.*"),
}
"""A tree -> a setting that every kernel has there, and what the tree is for."""


def privileges(roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    held = effective(roots)
    findings = [Finding(name, name in held, purpose) for name, purpose in PURPOSES.items()]
    findings.append(Finding("user", os.geteuid(), "" if os.geteuid() == 0 else "not root: kernel.* and vm.* need it"))
    yield Section("privileges", findings)
    yield Section("settings", [_tree(roots, tree, *example) for tree, example in _EXAMPLES.items()])


def _tree(roots: Roots, tree: str, setting: str, purpose: str) -> Finding:
    path = roots.setting(setting)
    name = f"{tree} can be written"
    if not path.exists():
        return Finding(name, None, f"{purpose}: there is no {path}")
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return Finding(name, False, f"{purpose}: mounted read-only, as a container's own is")
    may = os.access(path, os.W_OK, effective_ids=True)
    return Finding(name, may, purpose if may else f"{purpose}: this account may not write {path}")
