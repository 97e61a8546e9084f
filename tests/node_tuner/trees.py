"""Machines that are not there: trees in place of /proc and /sys, and what is known of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from node_tuner.machine.facts import Interface, Machine
from node_tuner.machine.roots import Roots

INDEX = 4711
"""Of the interface: no machine that runs this has so many."""

_READ_ONLY = 0o444
_MIB = 1 << 20

SYSCTLS: Mapping[str, str] = {
    "kernel.numa_balancing": "1",
    "kernel.random.boot_id": "00000000-0000-4000-8000-000000000001",
    "kernel.timer_migration": "1",
    "net.core.busy_poll": "0",
    "net.core.default_qdisc": "pfifo_fast",
    "net.core.netdev_budget": "300",
    "net.core.netdev_max_backlog": "1000",
    "net.core.optmem_max": "131072",
    "net.core.rmem_max": "212992",
    "net.core.wmem_max": "212992",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.tcp_notsent_lowat": "4294967295",
    "net.ipv4.tcp_rmem": "4096\t131072\t6291456",
    "net.ipv4.tcp_slow_start_after_idle": "1",
    "net.ipv4.tcp_wmem": "4096\t16384\t4194304",
    "net.ipv4.udp_rmem_min": "4096",
    "net.netfilter.nf_conntrack_max": "65536",
    "vm.stat_interval": "1",
}
"""What a kernel has to begin with."""


@dataclass(frozen=True)
class FakeMachine:
    """Says what the machine has; `build` writes it down, `facts` is what the tuner knows of it."""

    cores: int = 4
    online: Sequence[int] = ()
    """Numbers of the cores; not said: 0 and up."""
    isolated: Collection[int] = ()
    memory_mib: int = 16_384
    rx_queues: int = 8
    tx_queues: int = 8
    speed_mbps: int | None = 10_000
    """None: the driver does not say."""
    softnet_squeezed: int = 0
    sysctls: Mapping[str, str] = field(default_factory=lambda: SYSCTLS)
    read_only: Collection[str] = ()
    """Sysctls that nobody may write, as in a namespace that is not the host's."""
    capabilities: int = (1 << 41) - 1
    """Mask of the effective ones; all to begin with."""

    @property
    def _cpus(self) -> tuple[int, ...]:
        return tuple(self.online or range(self.cores))

    @property
    def facts(self) -> Machine:
        """As `machine.reading.read` would tell them."""
        speed_bps = None if self.speed_mbps is None else self.speed_mbps * 1_000_000
        return Machine(
            cpus=self._cpus,
            isolated_cpus=frozenset(self.isolated),
            memory_bytes=self.memory_mib * _MIB,
            kernel="6.18.0",
            boot_id=SYSCTLS["kernel.random.boot_id"],
            namespace="1",
            capabilities=frozenset(),
            softnet_squeezed=self.softnet_squeezed,
            interface=Interface("rbcard0", INDEX, speed_bps, self.rx_queues, self.tx_queues),
        )

    def build(self, directory: Path) -> Roots:
        """Write the two trees below `directory`."""
        roots = Roots(directory / "proc", directory / "sys")
        for name, value in self.sysctls.items():
            setting = _written(roots.proc / "sys" / name.replace(".", "/"), value)
            if name in self.read_only:
                setting.chmod(_READ_ONLY)
        _written(roots.proc / "meminfo", f"MemTotal: {self.memory_mib * 1024} kB")
        _written(roots.proc / "self/status", f"CapEff:\t{self.capabilities:016x}")
        _written(roots.proc / "net/softnet_stat", f"00000000 00000000 {self.softnet_squeezed:08x}")
        _written(roots.sys / "devices/system/cpu/online", ",".join(map(str, self._cpus)))
        _written(roots.sys / "devices/system/cpu/isolated", ",".join(map(str, self.isolated)))
        self._build_interface(roots.sys / "class/net/rbcard0")
        return roots

    def _build_interface(self, directory: Path) -> None:
        _written(directory / "ifindex", str(INDEX))
        if self.speed_mbps is not None:
            _written(directory / "speed", str(self.speed_mbps))
        for queue in range(self.rx_queues):
            _written(directory / f"queues/rx-{queue}/rps_cpus", "00000000,00000000")
        for queue in range(self.tx_queues):
            _written(directory / f"queues/tx-{queue}/xps_cpus", "00000000,00000000")


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")
    return path
