"""Channels and offloads of a veth and coalescing of a TAP are really set; ring sizes are a made-up card's.

No interface that can be made without hardware has ring sizes or rx_usecs: a card made up answers the bytes that are
sent, as numbered in include/uapi/linux/ethtool_netlink.h, and rounds as drivers do.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyroute2.ethtool import Ethtool  # type: ignore[import-untyped]

from node_tuner.aims import Keys
from node_tuner.contract import Control, Value
from node_tuner.controls import control_of, ethtool_netlink
from node_tuner.controls.ethtool import Channels, Coalescing, Offloads, Rings
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from tests.node_tuner.controls.card import Card
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


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    made = Card()
    monkeypatch.setattr(ethtool_netlink, "GenericNetlinkSocket", made.socket)
    return made


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


def test_rings_of_a_card_are_the_most_and_then_as_before(card: Card) -> None:
    rings = Rings(link("lo"), ["rx", "tx"])
    assert rings.limits() == {"rx": 4096, "tx": 2048}
    before = rings.read()
    assert before == {"rx": 512, "tx": 512}
    rings.write(rings.limits())
    assert rings.read() == {"rx": 4096, "tx": 2048}
    rings.write(before)
    assert rings.read() == before
    assert card.rings[card.RX_JUMBO] == 64, "what is not named was set"


def test_rings_that_the_driver_rounds_read_as_it_made_them(card: Card) -> None:
    rings = Rings(link("lo"), ["rx"])
    rings.write({"rx": 1000})
    assert rings.read() == {"rx": 1024}


def test_rings_beyond_the_most_are_refused_by_name(card: Card) -> None:
    rings = Rings(link("lo"), {"rx": 4096, "tx": 4096})
    reason = "the driver of lo (of unknown name) has at most 2048 tx ring sizes, not 4096"
    assert rings.obstacle() == reason
    with pytest.raises(UnavailableError, match="at most 2048 tx"):
        rings.write({"rx": 4096, "tx": 4096})
    assert card.rings[card.RX] == 512


def test_only_what_differs_is_told_to_the_card(card: Card) -> None:
    Rings(link("lo"), ["rx", "tx"]).write({"rx": 512, "tx": 256})
    assert card.told == [{card.TX: 256}]
    Rings(link("lo"), ["rx", "tx"]).write({"rx": 512, "tx": 256})
    assert len(card.told) == 1


def test_coalescing_of_a_card_is_numbers_and_switches(card: Card) -> None:
    coalescing = Coalescing(link("lo"), ["adaptive_rx", "rx_usecs", "tx_usecs"])
    before = coalescing.read()
    assert before == {"adaptive_rx": True, "rx_usecs": 50, "tx_usecs": 50}
    coalescing.write({"adaptive_rx": False, "rx_usecs": 16, "tx_usecs": 64})
    assert coalescing.read() == {"adaptive_rx": False, "rx_usecs": 16, "tx_usecs": 64}
    assert card.told == [{card.USE_ADAPTIVE_RX: 0, card.RX_USECS: 16, card.TX_USECS: 64}]
    coalescing.write(before)
    assert coalescing.read() == before


def test_coalescing_that_is_refused_at_once_is_set_in_turn(card: Card) -> None:
    coalescing = Coalescing(link("lo"), ["adaptive_rx", "rx_usecs"])
    coalescing.write({"adaptive_rx": False, "rx_usecs": 16})
    coalescing.write({"adaptive_rx": True, "rx_usecs": 50})
    assert coalescing.read() == {"adaptive_rx": True, "rx_usecs": 50}
    assert card.told[1:] == [{card.RX_USECS: 50}, {card.USE_ADAPTIVE_RX: 1}]


def test_coalescing_that_fails_half_way_is_undone(card: Card) -> None:
    coalescing = Coalescing(link("lo"), ["adaptive_rx", "rx_usecs"])
    coalescing.write({"adaptive_rx": False, "rx_usecs": 16})
    card.broken_switch = 1
    with pytest.raises(UnavailableError, match="refuses to set its coalescing: Input/output error"):
        coalescing.write({"adaptive_rx": True, "rx_usecs": 50})
    assert coalescing.read() == {"adaptive_rx": False, "rx_usecs": 16}


@pytest.mark.parametrize("values", [{"rx_usecs": 16}, {"adaptive_rx": False}])
def test_coalescing_that_is_refused_as_such_says_so(card: Card, values: Mapping[str, Any]) -> None:
    card.broken_switch = 0
    with pytest.raises(UnavailableError, match="refuses to set its coalescing"):
        Coalescing(link("lo"), values).write(values)
    assert card.told == []


@pytest.mark.parametrize("value", [None, "max", 5, ["rx"]])
def test_value_of_another_shape_is_refused(card: Card, value: Value) -> None:
    with pytest.raises(UnavailableError, match="values by key were expected"):
        Rings(link("lo")).write(value)
    assert card.told == []
