"""Programs of others at an interface's way out, as the kernel counts them."""

import socket

import pytest

from node_tuner.bpf.tcx import programs_at_egress
from tests.node_tuner.controls.bpf_node import TC_ACT_UNSPEC, add_program_of_others, add_tcx_program_of_others
from tests.node_tuner.namespaces import LINK, Namespace, namespace
from tests.node_tuner.privileges import NOBODY, become

pytestmark = pytest.mark.netns


def counted(node: Namespace) -> int:
    return node.call(lambda: programs_at_egress(socket.if_nametoindex(LINK)))


def test_programs_are_those_of_tcx_alone() -> None:
    with namespace() as node:
        node.run("ip", "tuntap", "add", LINK, "mode", "tun")
        assert counted(node) == 0
        add_program_of_others(node, 1, TC_ACT_UNSPEC)
        assert counted(node) == 0
        for count in (1, 2):
            add_tcx_program_of_others(node, TC_ACT_UNSPEC)
            assert counted(node) == count


def test_programs_are_none_where_nobody_can_say() -> None:
    def without_a_privilege() -> int:
        index = socket.if_nametoindex(LINK)
        become(NOBODY)
        return programs_at_egress(index)

    with namespace() as node:
        node.run("ip", "tuntap", "add", LINK, "mode", "tun")
        assert node.call(lambda: programs_at_egress(4711)) == 0
        add_tcx_program_of_others(node, TC_ACT_UNSPEC)
        assert node.call(without_a_privilege) == 0
