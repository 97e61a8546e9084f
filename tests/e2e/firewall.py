"""A firewall in a network namespace that lets no UDP through, as offices and hotels have it. Needs nft(8) and root."""

from __future__ import annotations

import subprocess

_TABLE = "inet railbird_test"
_RULES = f"""
table {_TABLE} {{
    chain out {{ type filter hook output priority filter; meta l4proto udp drop; }}
    chain in {{ type filter hook input priority filter; meta l4proto udp drop; }}
}}
"""


class Firewall:
    """Of the namespace of that name; open at first."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def block_udp(self) -> None:
        """From now on no datagram gets in or out."""
        self._nft("-f", "-", rules=_RULES)

    def open_udp(self) -> None:
        """All pass again."""
        self._nft("delete", "table", *_TABLE.split())

    def _nft(self, *arguments: str, rules: str = "") -> None:
        command = ("ip", "netns", "exec", self._namespace, "nft", *arguments)
        subprocess.run(command, input=rules, text=True, check=True, capture_output=True)
