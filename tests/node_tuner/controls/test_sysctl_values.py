"""Values that a setting cannot have: asked of this kernel, and of trees."""

import socket
from pathlib import Path

import pytest

from node_tuner.controls.sysctl import Sysctl
from node_tuner.controls.sysctl_values import obstacle
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import namespace
from tests.node_tuner.trees import SYSCTLS, FakeMachine

HERE = Roots()
DEFAULT_QDISC = "net.core.default_qdisc"
CONGESTION_CONTROL = "net.ipv4.tcp_congestion_control"
ALLOWED = "net.ipv4.tcp_allowed_congestion_control"


@pytest.fixture
def tree(tmp_path: Path) -> Roots:
    """A host that has cubic and bbr, of which it allows cubic to everybody."""
    return FakeMachine(sysctls={**SYSCTLS, CONGESTION_CONTROL: "cubic", ALLOWED: "reno cubic"}).build(tmp_path)


@pytest.mark.netns
def test_qdisc_that_the_kernel_has_not_is_foreseen_and_nothing_changed() -> None:
    with namespace() as inside:
        before = inside.run("tc", "qdisc", "show")
        told = inside.call(lambda: [obstacle(DEFAULT_QDISC, kind, HERE) for kind in ("nosuch", "pfifo", "")])
        assert told == ["this kernel has no qdisc nosuch", None, None]
        assert inside.run("tc", "qdisc", "show") == before


def test_qdisc_where_nobody_can_be_asked_is_left_to_the_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_interface(name: str) -> int:
        raise OSError

    monkeypatch.setattr(socket, "if_nametoindex", no_such_interface)
    assert obstacle(DEFAULT_QDISC, "nosuch", HERE) is None


def test_congestion_control_that_would_be_allowed_for_good_is_refused(tree: Roots) -> None:
    said = Sysctl(CONGESTION_CONTROL, tree, "bbr").obstacle()
    assert said == (
        "bbr is not in net.ipv4.tcp_allowed_congestion_control (reno cubic): to set it would allow it to every program,"
        " also after a restore; put it there first"
    )
    assert Sysctl(CONGESTION_CONTROL, tree, "reno").obstacle() is None
    assert Sysctl(CONGESTION_CONTROL, tree).obstacle() is None


def test_congestion_control_where_the_kernel_does_not_say_is_left_to_the_write(tree: Roots) -> None:
    tree.setting(ALLOWED).unlink()
    assert Sysctl(CONGESTION_CONTROL, tree, "bbr").obstacle() is None


def test_any_value_of_another_setting_is_none_of_these(tree: Roots) -> None:
    assert Sysctl("net.core.rmem_max", tree, "5").obstacle() is None
