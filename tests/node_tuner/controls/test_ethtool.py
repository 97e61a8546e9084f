"""Channels and offloads of a veth and coalescing of a TAP, really set; ring sizes are those of `test_ethtool_card`."""

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyroute2.ethtool import Ethtool  # type: ignore[import-untyped]

from node_tuner.aims import Keys
from node_tuner.contract import Control
from node_tuner.controls import control_of
from node_tuner.controls.ethtool import Channels, Coalescing, Offloads, Rings
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import LINK, Namespace, namespace, pair
from tests.node_tuner.privileges import NOBODY, become

SEGMENTATION = "tx-udp-segmentation"
TAP = "tap0"


def link(name: str = LINK) -> Link:
    return Link(name, socket.if_nametoindex(name))


@pytest.fixture(scope="module")
def veth() -> Iterator[Namespace]:
    """A namespace whose `media0` has four queues each way."""
    with pair(queues=4) as joined:
        yield joined.near.namespace


@pytest.fixture
def tap() -> Iterator[Namespace]:
    with namespace() as inside:
        inside.run("ip", "tuntap", "add", TAP, "mode", "tap")
        yield inside


def feature_by_ioctl(name: str) -> bool:
    with Ethtool() as ethtool:
        return bool(ethtool.get_features(LINK).features[name].enable)


def queues_in_sysfs() -> list[str]:
    return sorted(path.name for path in Path(f"/sys/class/net/{LINK}/queues").iterdir())


@pytest.mark.netns
def test_channels_are_fewer_and_then_as_before(veth: Namespace) -> None:
    def turn() -> None:
        channels = Channels(link())
        assert channels.limits() == {"combined": 0, "rx": 4, "tx": 4}
        before = channels.read()
        assert before == {"rx": 4, "tx": 4}
        channels.write({"rx": 2, "tx": 1})
        assert channels.read() == {"rx": 2, "tx": 1}
        assert queues_in_sysfs() == ["rx-0", "rx-1", "tx-0"]
        channels.write(before)
        assert len(queues_in_sysfs()) == 8

    veth.call(turn)


@pytest.mark.netns
def test_key_that_is_not_named_is_neither_read_nor_put_back(veth: Namespace) -> None:
    def turn() -> Mapping[str, Any]:
        transmitting = Channels(link(), ["tx"])
        before = transmitting.read()
        transmitting.write({"tx": 2})
        Channels(link()).write({"rx": 3})
        transmitting.write(before)
        found = Channels(link()).read()
        Channels(link()).write({"rx": 4})
        return found

    assert veth.call(turn) == {"rx": 3, "tx": 4}


@pytest.mark.netns
def test_channels_beyond_the_most_are_refused_by_name(veth: Namespace) -> None:
    def turn() -> None:
        reason = r"the driver of media0 \(veth\) has at most 4 tx channels, not 8"
        with pytest.raises(UnavailableError, match=reason):
            Channels(link()).write({"rx": 1, "tx": 8})
        assert Channels(link()).read() == {"rx": 4, "tx": 4}
        obstacle = Channels(link(), {"rx": 1, "tx": 8}).obstacle()
        assert obstacle == "the driver of media0 (veth) has at most 4 tx channels, not 8"
        assert Channels(link(), {"rx": 1, "tx": 4}).obstacle() is None

    veth.call(turn)


@pytest.mark.netns
def test_channels_that_the_kernel_refuses_say_its_reason(veth: Namespace) -> None:
    def turn() -> None:
        # Not for us to know: a veth without receiving channels.
        with pytest.raises(UnavailableError, match=r"refuses to set its channels: .*RX or TX"):
            Channels(link()).write({"rx": 0, "tx": 0})
        assert Channels(link()).read() == {"rx": 4, "tx": 4}

    veth.call(turn)


@pytest.mark.netns
def test_channels_that_the_driver_counts_otherwise_are_said_to_be_so(veth: Namespace) -> None:
    def turn() -> None:
        with pytest.raises(UnavailableError, match=r"\(veth\) has no combined channels; it has rx, tx"):
            Channels(link(), ["combined"]).read()
        with pytest.raises(UnavailableError, match=r"\(veth\) has no combined channels"):
            Channels(link()).write({"combined": 2})

    veth.call(turn)


@pytest.mark.netns
def test_offload_is_off_and_then_as_before(veth: Namespace) -> None:
    def turn() -> None:
        offloads = Offloads(link(), [SEGMENTATION])
        aim = Keys({SEGMENTATION: False})
        before = offloads.read()
        assert before == {SEGMENTATION: True}
        offloads.write(aim.target(before))
        assert aim.is_met(offloads.read())
        assert not feature_by_ioctl(SEGMENTATION)
        assert feature_by_ioctl("tx-generic-segmentation"), "another was switched off, too"
        offloads.write(before)
        assert feature_by_ioctl(SEGMENTATION)

    veth.call(turn)


@pytest.mark.netns
def test_offloads_on_and_off_at_once(veth: Namespace) -> None:
    def turn() -> None:
        names = ("rx-gro", SEGMENTATION, "tx-udp_tnl-segmentation")
        offloads = Offloads(link(), names)
        before = offloads.read()
        turned = {name: not is_on for name, is_on in before.items()}
        assert len(set(before.values())) == 2, "the test is about both directions"
        offloads.write(turned)
        assert {name: feature_by_ioctl(name) for name in names} == turned
        offloads.write(before)
        assert offloads.read() == before

    veth.call(turn)


@pytest.mark.netns
def test_offload_that_is_fixed_is_an_obstacle_where_it_would_change(veth: Namespace) -> None:
    def turn() -> None:
        fixed = {"rx-lro": True, SEGMENTATION: False}
        assert Offloads(link(), ["rx-lro"]).read() == {"rx-lro": False}
        assert Offloads(link(), {"rx-lro": False, SEGMENTATION: False}).obstacle() is None
        reason = "the driver of media0 (veth) lets nobody change rx-lro: [fixed], as ethtool -k says"
        assert Offloads(link(), fixed).obstacle() == reason
        with pytest.raises(UnavailableError, match="lets nobody change rx-lro"):
            Offloads(link(), fixed).write(fixed)
        assert feature_by_ioctl(SEGMENTATION), "half of what was refused was done"

    veth.call(turn)


@pytest.mark.netns
def test_offload_that_hangs_on_another_is_not_left_to_come_on_later(veth: Namespace) -> None:
    def turn() -> None:
        about, needed = Offloads(link(), [SEGMENTATION]), Offloads(link(), ["tx-checksum-ip-generic"])
        about.write({SEGMENTATION: False})
        needed.write({"tx-checksum-ip-generic": False})
        with pytest.raises(UnavailableError, match="leaves tx-udp-segmentation as it is: it hangs on other offloads"):
            about.write({SEGMENTATION: True})
        needed.write({"tx-checksum-ip-generic": True})
        assert about.read() == {SEGMENTATION: False}
        about.write({SEGMENTATION: True})
        assert about.read() == {SEGMENTATION: True}

    veth.call(turn)


@pytest.mark.netns
def test_offload_of_no_kernel_is_named(veth: Namespace) -> None:
    def turn() -> None:
        with pytest.raises(UnavailableError, match="this kernel knows no offload tx-telepathy"):
            Offloads(link(), ["tx-telepathy"]).read()

    veth.call(turn)


@pytest.mark.netns
def test_coalescing_of_a_tap_is_set_rounded_and_as_before(tap: Namespace) -> None:
    def turn() -> None:
        coalescing = Coalescing(link(TAP), ["rx_frames"])
        before = coalescing.read()
        assert before == {"rx_frames": 0}
        coalescing.write({"rx_frames": 16})
        with Ethtool() as ethtool:
            assert ethtool.get_coalesce(TAP)["rx_max_coalesced_frames"] == 16
        coalescing.write({"rx_frames": 100})
        assert coalescing.read() == {"rx_frames": 64}, "NAPI_POLL_WEIGHT is the most of drivers/net/tun.c"
        coalescing.write(before)
        assert coalescing.read() == before

    tap.call(turn)


@pytest.mark.netns
def test_coalescing_that_the_driver_has_not_is_named(tap: Namespace) -> None:
    def turn() -> None:
        with pytest.raises(UnavailableError, match=r"\(tun\) has no rx_usecs coalescing; it has rx_frames"):
            Coalescing(link(TAP), ["rx_frames", "rx_usecs"]).read()

    tap.call(turn)


@pytest.mark.netns
@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (Rings, r"the driver of media0 \(veth\) has no ring sizes"),
        (Coalescing, r"the driver of media0 \(veth\) has no coalescing"),
    ],
)
def test_what_a_veth_has_not_is_said(veth: Namespace, control: Callable[[Link], Control], reason: str) -> None:
    def turn() -> None:
        with pytest.raises(UnavailableError, match=reason):
            control(link()).read()
        with pytest.raises(UnavailableError, match=reason):
            control(link()).write({"rx": 1, "rx_usecs": 1})

    veth.call(turn)


@pytest.mark.netns
@pytest.mark.parametrize(
    ("control", "value"),
    [(Channels, {"rx": 2, "tx": 2}), (Offloads, {SEGMENTATION: False})],
)
def test_who_may_not_is_told_which_capability_is_missing(
    veth: Namespace, control: Callable[[Link, Mapping[str, Any]], Control], value: Mapping[str, Any]
) -> None:
    def turn() -> None:
        become(NOBODY)
        about = control(link(), value)
        before = about.read()
        assert about.obstacle() == "needs CAP_NET_ADMIN"
        with pytest.raises(UnavailableError, match=r"^needs CAP_NET_ADMIN$"):
            about.write(value)
        assert about.read() == before

    veth.call(turn)


@pytest.mark.netns
def test_net_admin_alone_is_enough(veth: Namespace) -> None:
    def turn() -> None:
        become(NOBODY, "CAP_NET_ADMIN")
        offloads = Offloads(link(), {SEGMENTATION: False})
        assert offloads.obstacle() is None
        offloads.write({SEGMENTATION: False})
        assert offloads.read() == {SEGMENTATION: False}
        offloads.write({SEGMENTATION: True})

    veth.call(turn)


@pytest.mark.netns
def test_interface_that_was_made_anew_is_gone() -> None:
    with pair(queues=2) as joined:
        inside = joined.near.namespace
        old = inside.call(link)
        inside.run("ip", "link", "delete", LINK)
        with pytest.raises(GoneError, match="no interface media0"):
            inside.call(lambda: Channels(old).read())
        inside.run("ip", "link", "add", LINK, "type", "veth")
        for attempt in (lambda: Channels(old).read(), lambda: Offloads(old).write({SEGMENTATION: False})):
            with pytest.raises(GoneError, match="no interface media0"):
                inside.call(attempt)


@pytest.mark.parametrize(
    ("control", "keys"), [(Channels, ("tx", "rx")), (Offloads, (SEGMENTATION, "rx-gro")), (Coalescing, ()), (Rings, ())]
)
def test_control_is_found_again_by_its_record(control: type[Channels], keys: tuple[str, ...]) -> None:
    about = control(Link(LINK, 7), keys)
    again = control_of(about.kind, about.where, Roots())
    assert (type(again), again.where) == (control, about.where)
    assert about.where == {"interface": LINK, "index": 7, "keys": ",".join(sorted(keys))}
