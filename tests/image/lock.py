"""Lock files as pip reads them: what is pinned, and to which hashes."""

from __future__ import annotations

import re
from pathlib import Path

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
HASH = re.compile(r"^ +--hash=(sha256:[0-9a-f]{64})")

Pins = dict[str, set[str]]


def pins(path: Path) -> Pins:
    """`name==version` -> hashes; one name may have several versions, each for its Pythons."""
    read: Pins = {}
    hashes: set[str] = set()
    for line in path.read_text().splitlines():
        if pin := PIN.match(line):
            hashes = read.setdefault(pin[0], set())
        elif found := HASH.match(line):
            hashes.add(found[1])
    return read


def names(pinned: Pins) -> set[str]:
    return {pin.partition("==")[0] for pin in pinned}
