"""Where datagrams were lost before anybody read them, and how full connection tracking is."""

from collections.abc import Iterator

from node_tuner.machine.counters import conntrack, softnet, udp_receive_buffer_errors
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Section

_ABSENT = "this kernel does not say"


def losses(roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    counted = softnet(roots)
    full = udp_receive_buffer_errors(roots)
    yield Section(
        "losses",
        [
            Finding(
                "backlog full",
                counted.dropped if counted else None,
                "datagrams, since boot: net.core.netdev_max_backlog" if counted else _ABSENT,
            ),
            Finding(
                "budget used up",
                counted.squeezed if counted else None,
                "times, since boot: net.core.netdev_budget" if counted else _ABSENT,
            ),
            *(
                Finding(
                    f"sockets full, IPv{version}",
                    full.get(version),
                    "datagrams of UDP, of this namespace: net.core.rmem_max" if version in full else _ABSENT,
                )
                for version in ("4", "6")
            ),
        ],
    )


def tracking(roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    found = conntrack(roots)
    if found is None:
        yield Section("conntrack", [Finding("entries", None, "this kernel has no connection tracking (loaded)")])
        return
    yield Section(
        "conntrack",
        [
            Finding("entries", found.entries, "of this namespace; it is in force wherever a rule asks for connections"),
            Finding("most", found.most, "net.netfilter.nf_conntrack_max"),
        ],
    )
