"""Which network namespace the gateway is in."""

import socket

import pytest

from gateway.node.namespace import cookie
from node_tuner.machine.namespace import identity
from tests.node_tuner.namespaces import namespace


def test_namespace_is_said_as_the_tuner_says_it() -> None:
    assert cookie() in (identity(), "")


@pytest.mark.netns
def test_namespaces_are_told_from_one_another() -> None:
    with namespace() as inside:
        assert inside.call(cookie) == inside.call(identity) != cookie()


def test_namespace_that_the_kernel_does_not_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.node.namespace._SO_NETNS_COOKIE", 0x7FFF)
    assert cookie() == ""


def test_namespace_is_unknown_where_no_socket_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Too many open files")

    monkeypatch.setattr(socket, "socket", refuse)
    assert cookie() == ""
