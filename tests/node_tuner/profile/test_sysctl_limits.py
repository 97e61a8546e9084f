"""The numbers that a profile may name are those that the kernel takes."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from node_tuner.profile.rules import MAX_INT
from node_tuner.profile.sysctl_limits import LIMITS, MEMORY_UNITS, limits
from node_tuner.profile.sysctl_names import FIELDS, NAMES, PORT_LISTS, TEXTS
from tests.node_tuner.namespaces import namespace

HERE = Path("/proc/sys")
NUMBERS = sorted(NAMES - TEXTS - PORT_LISTS)

ROOM = {
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ipfrag_low_thresh": "0",
    "net.ipv4.ipfrag_high_thresh": str(2**64 - 1),
    "net.ipv4.tcp_max_reordering": str(MAX_INT),
    "net.ipv6.ip6frag_low_thresh": "0",
    "net.ipv6.ip6frag_high_thresh": str(2**64 - 1),
}
"""What bounds others, put out of their way."""

TAKEN_BY_SOME = {"net.ipv4.tcp_ecn": 2, "net.ipv4.tcp_min_tso_segs": 255}
"""What all kernels take, where some take more: AccECN came late, and a byte was an int before 5.13."""
LIMITED_LATE = {"net.ipv4.tcp_max_reordering", "net.ipv4.tcp_reordering"}
"""Older kernels take 0 as well, which can mean nothing."""
JIFFIES = (MAX_INT // 100, (2**32 - 1) // 100)
"""A kernel with faster ones takes less."""
FASTEST_HZ = 1024


def _here(name: str) -> Path:
    return HERE / name.replace(".", "/")


@pytest.mark.parametrize("name", [name for name in NUMBERS if _here(name).exists()])
def test_what_is_known_of_a_sysctl_is_so_on_this_kernel(name: str) -> None:
    fields = _here(name).read_text().split()
    smallest, largest = limits(name)
    assert len(fields) == FIELDS.get(name, 1)
    assert all(smallest <= int(number) <= largest for number in fields)


@pytest.mark.netns
def test_kernel_takes_the_least_and_the_greatest_and_nothing_beyond() -> None:
    with namespace() as fresh:
        tried, wrong = fresh.call(lambda: _tried(NUMBERS))
    assert {"net.ipv4.ip_default_ttl", "net.ipv4.tcp_rmem", "net.ipv4.ipfrag_low_thresh", "net.ipv4.tcp_sack"} <= tried
    assert wrong == []


def _tried(names: Collection[str]) -> tuple[set[str], list[str]]:
    """Those of the namespace's own, and what the kernel did otherwise: the whole node's are not touched."""
    own = {name: path for name in names if (path := _here(name)).exists() and _is_own(name, path)}
    for name, text in ROOM.items():
        _is_taken(_here(name), text)
    return set(own), [said for name, path in own.items() for said in _wrong(name, path)]


def _is_own(name: str, path: Path) -> bool:
    return name.startswith("net.") and bool(path.stat().st_mode & 0o222)


def _wrong(name: str, path: Path) -> Iterator[str]:
    smallest, largest = limits(name)
    most = largest * 100 // FASTEST_HZ if largest in JIFFIES else TAKEN_BY_SOME.get(name, largest)
    before = path.read_text()
    beyond = [largest + 1] + [smallest - 1] * (smallest > 0 and name not in LIMITED_LATE)
    for number, is_to_be_taken in [(smallest, True), (most, True), *((each, False) for each in beyond)]:
        if _is_taken(path, " ".join([str(number)] * FIELDS.get(name, 1))) is not is_to_be_taken:
            yield f"{name} {number}"
        path.write_text(before)


def _is_taken(path: Path, text: str) -> bool:
    with suppress(OSError):
        path.write_text(f"{text}\n")
        return path.read_text().split() == text.split()
    return False


def test_limits_and_units_are_of_sysctls_that_there_are() -> None:
    assert LIMITS.keys() | MEMORY_UNITS.keys() <= NAMES
    assert limits("net.core.of_a_newer_kernel") == (0, MAX_INT)


@pytest.mark.parametrize(
    ("name", "least", "greatest"),
    [
        ("kernel.nmi_watchdog", 0, 1),
        ("kernel.numa_balancing", 0, 4),
        ("net.core.gro_normal_batch", 1, MAX_INT),
        ("net.core.high_order_alloc_disable", 0, 1),
        ("net.core.max_skb_frags", 1, 45),
        ("net.core.rmem_max", 2304, MAX_INT),
        ("net.core.rps_sock_flow_entries", 0, 1 << 29),
        ("net.netfilter.nf_conntrack_max", 1, MAX_INT),
        ("vm.min_free_kbytes", 0, MAX_INT),
        ("vm.stat_interval", 1, MAX_INT // 100),
        ("vm.swappiness", 0, 200),
    ],
)
def test_limits_of_what_is_the_whole_node_s(name: str, least: int, greatest: int) -> None:
    assert limits(name) == (least, greatest)
