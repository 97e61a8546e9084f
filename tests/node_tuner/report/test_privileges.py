"""What may be done, of fixture trees and with capabilities taken away."""

from functools import partial
from pathlib import Path

import pytest

from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding
from node_tuner.report.privileges import privileges
from tests.node_tuner.namespaces import in_child
from tests.node_tuner.privileges import NOBODY, become, make_read_only, with_own_mounts

NET, ALL = "/proc/sys/net can be written", "/proc/sys can be written"


def _found() -> dict[str, Finding]:
    return {each.name: each for section in privileges(Roots()) for each in section.findings}


def _as_account(uid: int, *capabilities: str) -> dict[str, Finding]:
    become(uid, *capabilities)
    return _found()


def _in_container() -> dict[str, Finding]:
    with_own_mounts()
    make_read_only(Path("/proc/sys"))
    return _found()


@pytest.mark.netns
def test_privileges_of_an_account_with_net_admin_alone() -> None:
    found = in_child(partial(_as_account, NOBODY, "CAP_NET_ADMIN"))
    held = {name for name, each in found.items() if name.startswith("CAP_") and each.value is True}
    assert held == {"CAP_NET_ADMIN"}
    assert (found[NET].value, found[ALL].value) == (True, False)
    assert found["user"].value == NOBODY
    assert "not root" in found["user"].note


@pytest.mark.netns
def test_privileges_of_root_without_capabilities() -> None:
    found = in_child(partial(_as_account, 0))
    assert not [name for name, each in found.items() if name.startswith("CAP_") and each.value]
    assert found[ALL].value is True, "root of the node needs no capability for it"


@pytest.mark.netns
def test_privileges_in_a_container_whose_settings_are_read_only() -> None:
    found = in_child(_in_container)
    assert (found[NET].value, found[ALL].value) == (False, False)
    assert "read-only" in found[NET].note


def test_privileges_say_where_there_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/status").write_text("CapEff:\t0000000000001000\n")
    found = {each.name: each for section in privileges(Roots(proc=tmp_path)) for each in section.findings}
    assert (found["CAP_NET_ADMIN"].value, found["CAP_BPF"].value) == (True, False)
    assert found[NET].value is None
