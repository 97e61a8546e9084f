"""What a process may do."""

import pytest

from node_tuner.machine.capabilities import effective, parse
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import call_libc, in_child
from tests.node_tuner.privileges import NOBODY, become

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        ("0000000000000000", set()),
        ("0000000000000001", {"CAP_CHOWN"}),
        ("0000000000001000", {"CAP_NET_ADMIN"}),
        ("0000000000200000", {"CAP_SYS_ADMIN"}),
        ("0000018000000000", {"CAP_BPF", "CAP_CHECKPOINT_RESTORE"}),
        ("8000000000001000", {"CAP_NET_ADMIN"}),
    ],
)
def test_mask_of_a_status_is_names(mask: str, names: set[str]) -> None:
    assert parse(f"Name:\tpython\nCapPrm:\tffffffffffffffff\nCapEff:\t{mask}\nCapBnd:\tffffffffffffffff\n") == names


def test_all_capabilities_of_linux_have_a_name() -> None:
    assert len(parse("CapEff:\t000001ffffffffff\n")) == 41


@pytest.mark.parametrize("status", ["", "CapEff:\t\n", "CapEff:\tnothing\n", "CapPrm:\t0000000000001000\n"])
def test_status_without_effective_capabilities_is_refused(status: str) -> None:
    with pytest.raises(ValueError, match="no line CapEff"):
        parse(status)


@pytest.mark.netns
def test_capabilities_that_were_given_up_are_gone() -> None:
    def left() -> frozenset[str]:
        become(NOBODY, "CAP_NET_ADMIN", "CAP_BPF")
        return effective(Roots())

    assert in_child(left) == {"CAP_NET_ADMIN", "CAP_BPF"}


@pytest.mark.netns
@pytest.mark.parametrize(("flags", "has_net_admin"), [(_CLONE_NEWUSER, False), (_CLONE_NEWUSER | _CLONE_NEWNET, True)])
def test_capability_in_a_user_namespace_holds_for_its_own_network_alone(flags: int, has_net_admin: bool) -> None:
    def look() -> frozenset[str]:
        call_libc("unshare", flags)
        return effective(Roots())

    found = in_child(look)
    assert ("CAP_NET_ADMIN" in found) is has_net_admin
    assert "CAP_SYS_ADMIN" in found
