"""Sysctls: in fixture trees, in namespaces of their own, and on this host."""

from pathlib import Path

import pytest

from node_tuner.controls import control_of
from node_tuner.controls.sysctl import Sysctl
from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from node_tuner.profile.loading import load
from tests.node_tuner.host_sysctls import kept
from tests.node_tuner.namespaces import namespace

IN_EVERY_NAMESPACE = {
    "net.core.optmem_max": "262144",
    "net.core.somaxconn": "8192",
    "net.ipv4.ip_local_port_range": "20000 60000",
    "net.ipv4.ip_local_reserved_ports": "8189,9000-9010",
    "net.ipv4.tcp_congestion_control": "reno",
    "net.ipv4.tcp_mtu_probing": "1",
    "net.ipv4.tcp_notsent_lowat": "131072",
    "net.ipv4.tcp_rmem": "4096 131072 16777216",
    "net.ipv4.tcp_slow_start_after_idle": "0",
    "net.ipv4.tcp_wmem": "4096 16384 16777216",
    "net.ipv4.udp_rmem_min": "8192",
    "net.ipv4.udp_wmem_min": "8192",
}
HOST_WIDE = {
    "kernel.numa_balancing": "1",
    "kernel.timer_migration": "0",
    "net.core.busy_poll": "50",
    "net.core.busy_read": "50",
    "net.core.default_qdisc": "pfifo",
    "net.core.netdev_budget": "600",
    "net.core.netdev_max_backlog": "100000",
    "net.core.rmem_max": "26214400",
    "net.core.wmem_max": "26214400",
    "net.ipv4.udp_mem": "600000 800000 1200000",
    "net.netfilter.nf_conntrack_max": "1048576",
    "vm.stat_interval": "10",
}
HERE = Roots()


@pytest.fixture
def tree(tmp_path: Path) -> Roots:
    """A host of which next to nothing is there."""
    add(tmp_path, "net.core.netdev_max_backlog", "1000")
    return Roots(tmp_path)


def add(proc: Path, name: str, text: str, mode: int = 0o644) -> Path:
    path = proc / "sys" / Path(*name.split("."))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


def test_every_setting_of_the_shipped_profile_is_tried_here() -> None:
    assert load("media-edge").sysctls.keys() <= IN_EVERY_NAMESPACE.keys() | HOST_WIDE.keys()


def test_value_has_single_spaces_where_the_kernel_writes_tabs(tree: Roots) -> None:
    add(tree.proc, "net.ipv4.tcp_rmem", "4096\t131072\t6291456")
    assert Sysctl("net.ipv4.tcp_rmem", tree).read() == "4096 131072 6291456"


def test_sysctl_of_a_record_is_the_same_one(tree: Roots) -> None:
    sysctl = Sysctl("net.core.netdev_max_backlog", tree)
    again = control_of(sysctl.kind, sysctl.where, tree)
    again.write("5")
    assert sysctl.read() == "5"


@pytest.mark.parametrize(
    ("original", "applied", "found", "merged"),
    [
        ("", "8189", "8189,30000", "30000"),
        ("9000-9010", "8189,9000-9010", "8188-8190,9000-9010,30000", "8188,8190,9000-9010,30000"),
        ("8189", "8189-8190", "8189-8191", "8189,8191"),
        ("9000", "8189,9000", "8189", ""),
        ("", "8189", "30000", "30000"),
        ("", "8189", "", ""),
        ("0-1023", "0-1023,8189", "0-1023,8189,30000", "0-1023,30000"),
    ],
)
def test_ports_of_ours_are_told_from_those_of_others(original: str, applied: str, found: str, merged: str) -> None:
    assert Sysctl("net.ipv4.ip_local_reserved_ports", HERE).merged(original, applied, found) == merged


def test_values_that_are_no_sets_are_somebody_elses_as_a_whole() -> None:
    reserved = Sysctl("net.ipv4.ip_local_reserved_ports", HERE)
    assert reserved.merged("8189,9000", "8189", "8189,30000") is None
    assert reserved.merged("", "8189", "none") is None
    assert Sysctl("net.core.rmem_max", HERE).merged("1", "5", "7") is None


def test_absent_setting_on_the_host_is_the_kernels_lack(tree: Roots) -> None:
    for name in ("net.netfilter.nf_conntrack_max", "vm.stat_interval"):
        sysctl = Sysctl(name, tree)
        with pytest.raises(UnavailableError, match=f"this kernel has no setting {name}"):
            sysctl.read()
        assert f"this kernel has no setting {name}" in str(sysctl.obstacle())


def test_writing_an_absent_setting_makes_none(tree: Roots) -> None:
    with pytest.raises(UnavailableError, match=r"this kernel has no setting vm\.nothing"):
        Sysctl("vm.nothing", tree).write("1")
    assert not (tree.proc / "sys/vm/nothing").exists()


def test_absent_host_wide_setting_in_another_namespace_is_the_namespaces_lack(tmp_path: Path) -> None:
    add(tmp_path, "net.core.somaxconn", "4096")
    with pytest.raises(UnavailableError, match="not the host's network namespace"):
        Sysctl("net.core.netdev_budget", Roots(tmp_path)).read()
    with pytest.raises(UnavailableError, match=r"this kernel has no setting vm\.stat_interval"):
        Sysctl("vm.stat_interval", Roots(tmp_path)).read()


def test_setting_that_nobody_may_write_says_so(tree: Roots) -> None:
    add(tree.proc, "net.ipv4.tcp_available_congestion_control", "reno", 0o444)
    assert Sysctl("net.core.netdev_max_backlog", tree).obstacle() is None
    obstacle = Sysctl("net.ipv4.tcp_available_congestion_control", tree).obstacle()
    assert obstacle == "the kernel lets nobody write net.ipv4.tcp_available_congestion_control"


def test_setting_that_is_mounted_elsewhere_is_taken_from_there(tree: Roots, tmp_path: Path) -> None:
    add(tmp_path / "host", "net.core.netdev_max_backlog", "7")
    add(tree.proc, "vm.stat_interval", "1")
    roots = Roots(tree.proc, sysctl=tmp_path / "host/sys")
    assert Sysctl("net.core.netdev_max_backlog", roots).read() == "7"
    assert Sysctl("vm.stat_interval", roots).read() == "1"


@pytest.mark.netns
@pytest.mark.parametrize("name", sorted(IN_EVERY_NAMESPACE))
def test_setting_of_a_namespace_is_written_read_back_and_restored(name: str) -> None:
    sysctl = Sysctl(name, HERE)

    def turned() -> tuple[str | None, str, str, str]:
        original = sysctl.read()
        obstacle = sysctl.obstacle()
        sysctl.write(IN_EVERY_NAMESPACE[name])
        changed = sysctl.read()
        sysctl.write(original)
        return obstacle, original, changed, sysctl.read()

    outside = sysctl.read()
    with namespace() as inside:
        obstacle, original, changed, restored = inside.call(turned)
    assert obstacle is None
    assert changed == IN_EVERY_NAMESPACE[name] != original
    assert restored == original
    assert sysctl.read() == outside


@pytest.mark.netns
@pytest.mark.parametrize("name", sorted(HOST_WIDE))
def test_setting_of_the_host_is_written_read_back_and_restored(name: str) -> None:
    sysctl = Sysctl(name, HERE)
    if not sysctl._path.exists():
        pytest.skip(f"this kernel has no {name}")
    with kept(name):
        original = sysctl.read()
        assert sysctl.obstacle() is None
        sysctl.write(HOST_WIDE[name])
        assert sysctl.read() == HOST_WIDE[name] != original
        sysctl.write(original)
        assert sysctl.read() == original


@pytest.mark.netns
@pytest.mark.parametrize("name", [name for name in sorted(HOST_WIDE) if name.startswith("net.")])
def test_setting_of_the_host_in_another_namespace_is_not_to_be_had(name: str) -> None:
    sysctl = Sysctl(name, HERE)
    with kept(name), namespace() as inside:
        before = Path("/proc/sys", *name.split(".")).read_text()
        assert "not the host's network namespace" in str(inside.call(sysctl.obstacle))
        with pytest.raises(UnavailableError, match="not the host's network namespace"):
            inside.call(lambda: sysctl.write(HOST_WIDE[name]))
        assert Path("/proc/sys", *name.split(".")).read_text() == before


@pytest.mark.netns
def test_reserved_ports_read_as_ranges_and_may_be_none() -> None:
    sysctl = Sysctl("net.ipv4.ip_local_reserved_ports", HERE)

    def turned() -> list[str]:
        seen = [sysctl.read()]
        for value in ("8189,8190,8191,9000", ""):
            sysctl.write(value)
            seen.append(sysctl.read())
        return seen

    with namespace() as inside:
        assert inside.call(turned) == ["", "8189-8191,9000", ""]


@pytest.mark.netns
def test_reserved_ports_of_more_than_a_page_are_kept_whole() -> None:
    sysctl = Sysctl("net.ipv4.ip_local_reserved_ports", HERE)
    every_other = ",".join(str(port) for port in range(1, 65_536, 2))

    def turned() -> tuple[str, str]:
        sysctl.write("8190")
        sysctl.write(every_other)
        whole = sysctl.read()
        sysctl.write("8189")
        return whole, sysctl.read()

    with namespace() as inside:
        assert inside.call(turned) == (every_other, "8189")


@pytest.mark.netns
def test_value_that_the_kernel_refuses_changes_nothing() -> None:
    sysctl = Sysctl("net.ipv4.tcp_rmem", HERE)

    def turned() -> tuple[str, str, str]:
        original = sysctl.read()
        # The kernel has taken the first number when it comes to the last.
        with pytest.raises(UnavailableError) as raised:
            sysctl.write("8192 131072 -1")
        return original, sysctl.read(), str(raised.value)

    with namespace() as inside:
        original, afterwards, said = inside.call(turned)
    assert afterwards == original
    assert said == "net.ipv4.tcp_rmem cannot be set to 8192 131072 -1: Invalid argument"


@pytest.mark.netns
def test_name_that_the_kernel_does_not_know_is_told_from_an_absent_setting() -> None:
    sysctl = Sysctl("net.ipv4.tcp_congestion_control", HERE)
    with namespace() as inside, pytest.raises(UnavailableError, match="set to faster: this kernel has none of that"):
        inside.call(lambda: sysctl.write("faster"))
