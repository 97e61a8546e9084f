"""Which kernel, and which network namespace: what is the whole node's can be set in the host's alone."""

import os
from collections.abc import Iterator

from node_tuner.machine.namespace import identity, is_host_namespace
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Section

_ELSEWHERE = "what is set for the whole node, such as net.core.rmem_max, cannot be set here"


def kernel(roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    system = os.uname()
    is_host = is_host_namespace(roots)
    yield Section(
        "kernel",
        [
            Finding("release", system.release),
            Finding("architecture", system.machine),
            Finding("network namespace", "the host's" if is_host else "another", "" if is_host else _ELSEWHERE),
            Finding("namespace identity", identity()),
        ],
    )
