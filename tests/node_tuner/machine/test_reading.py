"""What this machine is, read from a fixture tree and for real."""

import os
from pathlib import Path

import pytest

from node_tuner.errors import MissingError
from node_tuner.machine.choice import ByName
from node_tuner.machine.facts import Interface
from node_tuner.machine.namespace import identity
from node_tuner.machine.reading import read
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import LINK, pair

TREE = {
    "proc/meminfo": "MemTotal:       131895556 kB\nMemFree:        12345 kB\n",
    "proc/self/status": "Name:\tpython\nCapInh:\t0000000000000000\nCapEff:\t0000000000201000\n",
    "proc/net/softnet_stat": "00000010 00000001 00000003 0\n00000020 00000000 0000000b 0\n",
    "proc/sys/kernel/random/boot_id": "0b67cf11-427e-4a6e-85f1-6bcabf7283c8\n",
    "proc/sys/net/core/netdev_max_backlog": "1000\n",
    "sys/devices/system/cpu/online": "0-3,5,8-11\n",
    "sys/devices/system/cpu/isolated": "2-3\n",
    "sys/devices/system/cpu/nohz_full": "9\n",
    "sys/class/net/lo/ifindex": "1\n",
    "sys/class/net/lo/address": "00:00:00:00:00:00\n",
    "sys/class/net/lo/queues/rx-0/rps_cpus": "0\n",
    "sys/class/net/lo/queues/tx-0/tx_timeout": "0\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Roots:
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Roots(tmp_path / "proc", tmp_path / "sys")


def test_machine_of_a_tree_is_what_the_tree_says(tree: Roots) -> None:
    machine = read(tree, ByName("lo"))
    assert machine.cpus == (0, 1, 2, 3, 5, 8, 9, 10, 11)
    assert machine.cores == 9
    assert machine.isolated_cpus == {2, 3, 9}
    assert machine.receiving_cpus == (0, 1, 5, 8, 10, 11)
    assert machine.memory_bytes == 131_895_556 * 1024
    assert machine.boot_id == "0b67cf11-427e-4a6e-85f1-6bcabf7283c8"
    assert machine.capabilities == {"CAP_NET_ADMIN", "CAP_SYS_ADMIN"}
    assert machine.softnet_squeezed == 14
    assert machine.interface == Interface("lo", 1, None, 1, 1)


def test_kernel_that_does_not_count_what_it_left_has_left_nothing(tree: Roots) -> None:
    (tree.proc / "net/softnet_stat").unlink()
    assert read(tree, ByName("lo")).softnet_squeezed == 0


@pytest.mark.parametrize("text", [None, "\n", "(null)\n"])
def test_kernel_that_names_no_isolated_cores_has_none(tree: Roots, text: str | None) -> None:
    for name in ("isolated", "nohz_full"):
        path = tree.sys / "devices/system/cpu" / name
        path.unlink() if text is None else path.write_text(text)
    machine = read(tree, ByName("lo"))
    assert machine.isolated_cpus == frozenset()
    assert machine.receiving_cpus == machine.cpus


@pytest.mark.parametrize(
    "name", ["proc/meminfo", "proc/self/status", "proc/sys/kernel/random/boot_id", "sys/devices/system/cpu/online"]
)
@pytest.mark.parametrize("text", [None, "", "\n"])
def test_file_that_is_not_there_or_empty_is_named(tree: Roots, name: str, text: str | None) -> None:
    path = tree.proc.parent / name
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(MissingError, match=str(path)):
        read(tree, ByName("lo"))


@pytest.mark.parametrize("name", ["proc/meminfo", "proc/self/status", "sys/devices/system/cpu/online"])
def test_file_that_says_something_else_is_named(tree: Roots, name: str) -> None:
    (tree.proc.parent / name).write_text("nothing of the sort\n")
    with pytest.raises(MissingError, match=f"{name} does not say"):
        read(tree, ByName("lo"))


def test_machine_of_this_test_is_itself() -> None:
    machine = read(Roots(), ByName("lo"))
    assert machine.cores == os.cpu_count()
    assert set(machine.receiving_cpus) == set(machine.cpus) - machine.isolated_cpus
    assert machine.memory_bytes == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
    assert machine.kernel == os.uname().release
    assert machine.namespace == identity()


@pytest.mark.netns
def test_machine_of_another_namespace_is_the_same_with_another_interface() -> None:
    here = read(Roots(), ByName("lo"))
    with pair(queues=2) as joined:
        there = joined.near.namespace.call(lambda: read(Roots(), ByName(LINK)))
    assert there.namespace != here.namespace
    assert (there.boot_id, there.cores, there.memory_bytes) == (here.boot_id, here.cores, here.memory_bytes)
    assert (there.interface.name, there.interface.rx_queues) == (LINK, 2)
