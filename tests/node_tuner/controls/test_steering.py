"""RPS and XPS: in fixture trees of network cards that this machine has not, and on a veth with queues."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from node_tuner.contract import Value
from node_tuner.controls import control_of
from node_tuner.controls.steering import Rps, Xps, rps_masks, xps_masks
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import LINK, in_child, pair
from tests.node_tuner.privileges import NOBODY, become, make_read_only, with_own_mounts

CARD = Link("rbcard0", 4711)
HERE = Roots()


@pytest.fixture
def card(tmp_path: Path) -> Roots:
    """An interface with eleven queues, on a machine with 72 cores."""
    interface = tmp_path / "class/net" / CARD.name
    for queue in range(11):
        for direction, file in (("rx", "rps_cpus"), ("tx", "xps_cpus")):
            directory = interface / f"queues/{direction}-{queue}"
            directory.mkdir(parents=True)
            (directory / file).write_text("00,00000000,00000000\n")
    (interface / "ifindex").write_text(f"{CARD.index}\n")
    return Roots(sys=tmp_path)


def mask_file(roots: Roots, queue: str, file: str) -> Path:
    return roots.sys / "class/net" / CARD.name / "queues" / queue / file


@pytest.mark.parametrize(
    ("queues", "cores", "masks"),
    [
        (1, 1, {"rx-0": "0"}),
        (1, 2, {"rx-0": "3"}),
        (2, 6, {"rx-0": "3f", "rx-1": "3f"}),
        (2, 2, {"rx-0": "0", "rx-1": "0"}),
        (2, 1, {"rx-0": "0", "rx-1": "0"}),
        (1, 40, {"rx-0": "ffffffffff"}),
    ],
)
def test_rps_masks_are_all_cores_where_queues_are_fewer(queues: int, cores: int, masks: Mapping[str, str]) -> None:
    assert rps_masks(queues, range(cores)) == masks


@pytest.mark.parametrize(
    ("queues", "cores", "masks"),
    [
        (1, 2, {"tx-0": "3"}),
        (2, 2, {"tx-0": "1", "tx-1": "2"}),
        (2, 5, {"tx-0": "15", "tx-1": "a"}),
        (3, 2, {"tx-0": "1", "tx-1": "2", "tx-2": "1"}),
        (2, 40, {"tx-0": "5555555555", "tx-1": "aaaaaaaaaa"}),
    ],
)
def test_xps_masks_deal_the_cores_out(queues: int, cores: int, masks: Mapping[str, str]) -> None:
    assert xps_masks(queues, range(cores)) == masks


def test_masks_name_the_cores_that_are_there() -> None:
    online = (0, 2, 4, 70)
    assert rps_masks(1, online) == {"rx-0": "400000000000000015"}
    assert xps_masks(2, online) == {"tx-0": "11", "tx-1": "400000000000000004"}
    assert xps_masks(6, online) == {
        **{"tx-0": "1", "tx-1": "4", "tx-2": "10", "tx-3": "400000000000000000"},
        **{"tx-4": "1", "tx-5": "4"},
    }


def test_masks_have_neither_commas_nor_leading_zeros(card: Roots) -> None:
    mask_file(card, "rx-1", "rps_cpus").write_text("0f,00000000,00000001\n")
    masks = Rps(CARD, card).read()
    assert masks["rx-0"] == "0"
    assert masks["rx-1"] == "f0000000000000001"


def test_queues_are_in_the_order_of_their_numbers(card: Roots) -> None:
    assert list(Xps(CARD, card).read()) == [f"tx-{queue}" for queue in range(11)]


def test_masks_of_many_cores_are_written_as_the_kernel_reads_them(card: Roots) -> None:
    rps = Rps(CARD, card)
    rps.write({"rx-0": "f0000000000000001", "rx-1": "ffffffff", "rx-2": "3"})
    written = [mask_file(card, f"rx-{queue}", "rps_cpus").read_text() for queue in range(3)]
    assert written == ["f,00000000,00000001", "ffffffff", "3"]
    assert rps.read()["rx-0"] == "f0000000000000001"


def test_queue_that_is_not_there_any_more_is_left_out(card: Roots) -> None:
    xps = Xps(CARD, card)
    xps.write({"tx-10": "4", "tx-11": "8"})
    assert xps.read()["tx-10"] == "4"
    assert "tx-11" not in xps.read()


@pytest.mark.parametrize("value", [None, "f", 3])
def test_value_without_queues_is_refused(card: Roots, value: Value) -> None:
    with pytest.raises(UnavailableError, match="a mask for each queue"):
        Rps(CARD, card).write(value)


def test_kernel_without_steering_says_so(card: Roots) -> None:
    for queue in range(11):
        mask_file(card, f"rx-{queue}", "rps_cpus").unlink()
    rps = Rps(CARD, card)
    with pytest.raises(UnavailableError, match="this kernel has no RPS"):
        rps.read()
    assert "this kernel has no RPS" in str(rps.obstacle())
    assert Xps(CARD, card).read()


def test_steering_of_an_interface_that_is_gone_says_so(card: Roots) -> None:
    with pytest.raises(GoneError, match=f"no interface {CARD.name}"):
        Rps(CARD, Roots(sys=card.sys / "nothing")).read()


def test_steering_of_another_interface_with_that_name_is_left_alone() -> None:
    with pytest.raises(GoneError, match="there is no interface lo "):
        Rps(Link("lo", 4711), HERE).write({"rx-0": "1"})


def test_sysfs_of_another_namespace_is_not_believed(tmp_path: Path) -> None:
    interface = tmp_path / "class/net/lo"
    interface.mkdir(parents=True)
    (interface / "ifindex").write_text("17\n")
    with pytest.raises(UnavailableError, match="shows another network namespace") as raised:
        Rps(Link("lo", 1), Roots(sys=tmp_path)).read()
    assert not isinstance(raised.value, GoneError)


def link_here() -> Link:
    return Link(LINK, int(Path("/sys/class/net", LINK, "ifindex").read_text()))


@pytest.mark.netns
def test_steering_of_a_veth_is_written_read_back_and_restored() -> None:
    def turned() -> list[tuple[Value, Value, Value, Value]]:
        seen: list[tuple[Value, Value, Value, Value]] = []
        for control, masks in ((Rps(link_here(), HERE), {"rx-0": "1"}), (Xps(link_here(), HERE), {"tx-2": "1"})):
            original, obstacle = control.read(), control.obstacle()
            control.write(masks)
            changed = control.read()
            again = control_of(control.kind, control.where, HERE)
            again.write(original)
            seen.append((obstacle, original, changed, again.read()))
        return seen

    with pair(queues=3) as joined:
        rps, xps = joined.near.namespace.call(turned)
    unsteered = {"rx-0": "0", "rx-1": "0", "rx-2": "0"}
    assert rps == (None, unsteered, {**unsteered, "rx-0": "1"}, unsteered)
    obstacle, original, changed, restored = xps
    assert obstacle is None
    assert isinstance(original, Mapping)
    assert list(original) == ["tx-0", "tx-1", "tx-2"]
    assert changed == {**original, "tx-2": "1"} != original
    assert restored == original


@pytest.mark.netns
def test_mask_that_the_kernel_refuses_changes_no_queue() -> None:
    def turned() -> tuple[Value, Value, str]:
        rps = Rps(link_here(), HERE)
        original = rps.read()
        with pytest.raises(UnavailableError) as raised:
            rps.write({"rx-0": "1", "rx-1": "f" * 4096})
        return original, rps.read(), str(raised.value)

    with pair(queues=2) as joined:
        original, afterwards, said = joined.near.namespace.call(turned)
    assert afterwards == original
    assert said.startswith(f"rps_cpus of {LINK} cannot be set to")


@pytest.mark.netns
def test_xps_of_one_queue_is_nothing_to_steer() -> None:
    with pair() as joined, pytest.raises(UnavailableError, match="media0 has one tx queue: there is nothing to steer"):
        joined.near.namespace.call(lambda: Xps(link_here(), HERE).read())


@pytest.mark.netns
@pytest.mark.parametrize(
    ("uid", "capabilities", "lacking"),
    [
        (0, ("CAP_NET_ADMIN",), None),
        (0, (), "needs CAP_NET_ADMIN"),
        (NOBODY, (), "needs CAP_NET_ADMIN"),
        (NOBODY, ("CAP_NET_ADMIN",), "needs root, whose /sys/class/net/media0/queues/rx-0/rps_cpus is"),
    ],
)
def test_steering_says_which_privilege_it_lacks(uid: int, capabilities: tuple[str, ...], lacking: str | None) -> None:
    with pair(queues=2) as joined:
        told = joined.near.namespace.call(lambda: refusal(uid, *capabilities))
    assert told == (lacking, lacking)


def refusal(uid: int, *capabilities: str) -> tuple[str | None, str | None]:
    """What is foreseen, and what comes."""
    become(uid, *capabilities)
    rps = Rps(link_here(), HERE)
    foreseen = rps.obstacle()
    try:
        rps.write({"rx-0": "1"})
    except UnavailableError as error:
        return foreseen, str(error)
    return foreseen, None


@pytest.mark.netns
def test_steering_on_a_read_only_sysfs_says_so() -> None:
    def attempted() -> tuple[str | None, str]:
        with_own_mounts()
        make_read_only(Path("/sys"))
        rps = Rps(Link("lo", 1), HERE)
        with pytest.raises(UnavailableError) as raised:
            rps.write({"rx-0": "1"})
        return rps.obstacle(), str(raised.value)

    assert in_child(attempted) == ("/sys is mounted read-only here, as a container's own is",) * 2
