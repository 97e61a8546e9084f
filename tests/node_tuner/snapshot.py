"""All of a namespace that the tuner could have changed, to be compared before and after."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from node_tuner.controls.ethtool import Channels, Offloads
from node_tuner.machine.link import Link
from tests.node_tuner.namespaces import LINK

_COUNTING = ("nf_conntrack_count",)
"""Files of /proc/sys that say how much there is."""

_WRITABLE = 0o222
"""What is read-only in a namespace is the host's, and others may turn it meanwhile."""

Snapshot = dict[str, str]


def snapshot(index: int) -> Snapshot:
    """Of the namespace that this process is in, and of its media interface; for `Namespace.call`."""
    link = Link(LINK, index)
    return {
        **dict(_files(Path("/proc/sys/net"), "*")),
        **dict(_files(Path("/sys/class/net", LINK, "queues"), "*ps_cpus")),
        "nft": _said("nft", "-s", "list", "ruleset"),
        "qdiscs": _said("tc", "qdisc", "show"),
        "egress": _said("tc", "filter", "show", "dev", LINK, "egress"),
        "ingress": _said("tc", "filter", "show", "dev", LINK, "ingress"),
        "offloads": str(Offloads(link).read()),
        "channels": str(Channels(link).read()),
    }


def _files(directory: Path, pattern: str) -> Iterator[tuple[str, str]]:
    for path in sorted(directory.rglob(pattern)):
        if path.is_file() and path.stat().st_mode & _WRITABLE and path.name not in _COUNTING:
            try:
                yield str(path), path.read_text()
            except OSError:
                continue  # to be written only, or nothing to say


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout
