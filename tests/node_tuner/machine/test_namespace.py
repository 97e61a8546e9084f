"""Which network namespace a process is in."""

import socket
from pathlib import Path

import pytest

from node_tuner.machine.namespace import identity, is_host_namespace
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import namespace


def test_identity_is_the_same_each_time() -> None:
    assert identity() == identity()


def test_identity_is_a_cookie_where_the_kernel_has_them() -> None:
    assert identity().startswith("cookie-")


@pytest.mark.netns
def test_identity_is_each_namespaces_own() -> None:
    with namespace() as one, namespace() as other:
        seen = [identity(), one.call(identity), other.call(identity), one.call(identity)]
    assert len(set(seen)) == 3
    assert seen[1] == seen[3]


@pytest.mark.netns
def test_identity_of_a_namespace_is_no_later_ones() -> None:
    seen = set()
    for _ in range(5):
        with namespace() as inside:
            seen.add(inside.call(identity))
    assert len(seen) == 5


def test_identity_without_cookies_is_the_inode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node_tuner.machine.namespace._SO_NETNS_COOKIE", 9999)
    with socket.socket() as probe, pytest.raises(OSError, match="Protocol not available"):
        probe.getsockopt(socket.SOL_SOCKET, 9999, 8)
    assert identity() == f"inode-{Path('/proc/self/ns/net').stat().st_ino}"


@pytest.mark.netns
def test_host_namespace_is_told_from_others() -> None:
    assert is_host_namespace(Roots())
    with namespace() as inside:
        assert not inside.call(lambda: is_host_namespace(Roots()))
