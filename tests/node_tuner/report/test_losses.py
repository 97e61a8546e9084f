"""Losses, where the kernel counts them and where it does not."""

from pathlib import Path

from node_tuner.machine.roots import Roots
from node_tuner.report.losses import losses, tracking


def test_losses_are_those_of_the_counters(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/softnet_stat").write_text("0a 0b 0c\n")
    (tmp_path / "net/snmp").write_text("Udp: RcvbufErrors\nUdp: 7\n")
    (section,) = losses(Roots(proc=tmp_path))
    assert [(each.name, each.value) for each in section.findings] == [
        ("backlog full", 11),
        ("budget used up", 12),
        ("sockets full, IPv4", 7),
        ("sockets full, IPv6", None),
    ]
    assert "does not say" in section.findings[3].note


def test_losses_that_nobody_counts_are_unknown(tmp_path: Path) -> None:
    (section,) = losses(Roots(proc=tmp_path))
    assert {each.value for each in section.findings} == {None}


def test_tracking_has_entries_and_their_limit(tmp_path: Path) -> None:
    directory = tmp_path / "sys/net/netfilter"
    directory.mkdir(parents=True)
    (directory / "nf_conntrack_count").write_text("5\n")
    (directory / "nf_conntrack_max").write_text("9\n")
    (section,) = tracking(Roots(proc=tmp_path))
    assert [each.value for each in section.findings] == [5, 9]


def test_tracking_of_a_kernel_without_it_is_unknown(tmp_path: Path) -> None:
    (section,) = tracking(Roots(proc=tmp_path))
    assert [each.value for each in section.findings] == [None]
