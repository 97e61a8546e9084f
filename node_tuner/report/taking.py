"""All probes, in the order in which people read them."""

from collections.abc import Iterator, Mapping

from node_tuner.errors import TunerError
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Probe, Section
from node_tuner.report.interfaces import interfaces
from node_tuner.report.kernel import kernel
from node_tuner.report.losses import losses, tracking
from node_tuner.report.mechanisms import ebpf, nftables
from node_tuner.report.privileges import privileges
from node_tuner.report.qdiscs import qdiscs

PROBES: Mapping[str, Probe] = {
    "kernel": kernel,
    "privileges": privileges,
    "nftables": nftables,
    "eBPF": ebpf,
    "qdiscs": qdiscs,
    "interfaces": interfaces,
    "conntrack": tracking,
    "losses": losses,
}


def take(roots: Roots, probes: Mapping[str, Probe] = PROBES) -> Iterator[Section]:
    """What each finds; a probe that fails says so in its place, and the others go on."""
    for name, probe in probes.items():
        try:
            yield from probe(roots)
        except (TunerError, OSError, ValueError) as error:
            yield Section(name, [Finding("probe", None, f"it could not look: {error}")])
