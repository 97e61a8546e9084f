"""Sysctls, written by who may do little: what is foreseen, and what the kernel then says, are the same."""

import os
from pathlib import Path

import pytest

from node_tuner.controls.sysctl import Sysctl
from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from tests.node_tuner.host_sysctls import kept
from tests.node_tuner.namespaces import call_libc, in_child, namespace
from tests.node_tuner.privileges import NOBODY, become, bind, make_read_only, with_own_mounts

pytestmark = pytest.mark.netns

HERE = Roots()
NEEDS_MORE_THAN_ROOT = "kernel.numa_balancing"
NEEDS_ROOT = "needs root of the node (uid 0, outside of user namespaces); no capability stands for it"

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_PR_SET_DUMPABLE = 4


def refusal(name: str, value: str) -> tuple[str | None, str | None]:
    """What is foreseen, and what comes."""
    sysctl = Sysctl(name, HERE)
    foreseen = sysctl.obstacle()
    try:
        sysctl.write(value)
    except UnavailableError as error:
        return foreseen, str(error)
    return foreseen, None


def test_with_net_admin_alone_the_networks_settings_are_written_and_no_others() -> None:
    def attempted() -> list[tuple[str | None, str | None]]:
        become(NOBODY, "CAP_NET_ADMIN")
        return [
            refusal("net.ipv4.udp_rmem_min", "8192"),
            refusal("kernel.timer_migration", "1"),
            refusal("vm.stat_interval", "1"),
        ]

    with kept("kernel.timer_migration", "vm.stat_interval"), namespace() as inside:
        network, kernel, memory = inside.call(attempted)
    assert network == (None, None)
    assert kernel == memory == (NEEDS_ROOT, NEEDS_ROOT)


def test_with_nothing_the_networks_settings_want_net_admin() -> None:
    def attempted() -> tuple[str | None, str | None]:
        become(NOBODY)
        return refusal("net.ipv4.udp_rmem_min", "8192")

    with namespace() as inside:
        assert inside.call(attempted) == ("needs CAP_NET_ADMIN", "needs CAP_NET_ADMIN")


def test_root_of_a_pod_may_write_all_but_what_asks_for_more() -> None:
    def attempted() -> list[tuple[str | None, str | None]]:
        become(0, "CAP_NET_ADMIN")
        return [refusal("kernel.timer_migration", "0"), refusal(NEEDS_MORE_THAN_ROOT, "0")]

    if not Sysctl(NEEDS_MORE_THAN_ROOT, HERE)._path.exists():
        pytest.skip(f"this kernel has no {NEEDS_MORE_THAN_ROOT}")
    with kept("kernel.timer_migration", NEEDS_MORE_THAN_ROOT):
        migration, balancing = in_child(attempted)
    assert migration == (None, None)
    assert balancing == ("needs CAP_SYS_ADMIN", "needs CAP_SYS_ADMIN")


def test_root_of_a_user_namespace_has_its_networks_settings_and_no_others() -> None:
    def attempted() -> list[tuple[str | None, str | None]]:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        call_libc("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)
        call_libc("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
        Path("/proc/self/uid_map").write_text(f"0 {NOBODY} 1")
        assert os.geteuid() == 0
        return [refusal("net.ipv4.tcp_notsent_lowat", "131072"), refusal("kernel.timer_migration", "1")]

    with kept("kernel.timer_migration"):
        network, kernel = in_child(attempted)
    assert network == (None, None)
    assert kernel == (NEEDS_ROOT, NEEDS_ROOT)


def test_read_only_mount_says_so() -> None:
    def attempted() -> tuple[str | None, str | None]:
        with_own_mounts()
        make_read_only(Path("/proc/sys"))
        return refusal("net.ipv4.udp_rmem_min", "8192")

    with namespace() as inside:
        told = inside.call(attempted)
    assert told == ("/proc/sys is mounted read-only here, as a container's own is",) * 2


def test_pod_with_net_admin_and_the_nodes_net_settings_writes_those(tmp_path: Path) -> None:
    mounted = tmp_path / "sys/net"
    mounted.mkdir(parents=True)
    roots = Roots(sysctl=tmp_path / "sys")

    def attempted() -> tuple[str, str | None]:
        with_own_mounts()
        bind(Path("/proc/sys/net"), mounted)
        make_read_only(Path("/proc/sys"))
        os.chdir("/")
        become(0, "CAP_NET_ADMIN")
        sysctl = Sysctl("net.ipv4.udp_rmem_min", roots)
        sysctl.write("8192")
        return sysctl.read(), Sysctl("vm.stat_interval", roots).obstacle()

    with namespace() as inside:
        value, obstacle = inside.call(attempted)
    assert value == "8192"
    assert obstacle == "/proc/sys is mounted read-only here, as a container's own is"
