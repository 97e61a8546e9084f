"""What profiles' rules and decisions depend on, read once at the start."""

from dataclasses import dataclass

from node_tuner.machine.link import Link


@dataclass(frozen=True, slots=True)
class Interface(Link):
    """A network interface of this namespace, and what is known of it."""

    speed_bps: int | None
    """None where the driver does not say, as virtual ones do not."""
    rx_queues: int
    tx_queues: int


@dataclass(frozen=True, slots=True)
class Machine:
    """See the module."""

    cpus: tuple[int, ...]
    """Numbers of those that are online, in order: some may be missing between them."""
    isolated_cpus: frozenset[int]
    """Of these, those that the kernel was told to leave alone (isolcpus, nohz_full): it takes them
    out of RPS masks by itself, and refuses a mask of nothing else."""
    memory_bytes: int
    kernel: str
    """`uname -r`."""
    boot_id: str
    namespace: str
    """Of the network namespace we are in; another one, also a later one, has another."""
    capabilities: frozenset[str]
    """Effective ones, as capabilities(7) writes them: `CAP_NET_ADMIN`."""
    softnet_squeezed: int
    """Times that the kernel left datagrams for later because its budget was used up, since boot: column 3 of
    /proc/net/softnet_stat, over all cores."""
    interface: Interface

    @property
    def cores(self) -> int:
        """How many are online."""
        return len(self.cpus)

    @property
    def receiving_cpus(self) -> tuple[int, ...]:
        """Those to which the kernel hands on what another one received."""
        return tuple(cpu for cpu in self.cpus if cpu not in self.isolated_cpus)
