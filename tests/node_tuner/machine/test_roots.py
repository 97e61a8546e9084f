"""Where the kernel's trees are."""

from pathlib import Path

from node_tuner.machine.roots import Roots


def test_setting_is_a_path_in_proc() -> None:
    assert Roots().setting("net.ipv4.tcp_rmem") == Path("/proc/sys/net/ipv4/tcp_rmem")


def test_setting_is_taken_from_the_mount_that_has_its_part(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    roots = Roots(sysctl=tmp_path)
    assert roots.setting("net.core.nothing") == tmp_path / "net/core/nothing"
    assert roots.setting("vm.stat_interval") == Path("/proc/sys/vm/stat_interval")
