"""What one write moves of another control: on record before, put back after, and nobody else's doing meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from node_tuner.aims import Exactly
from node_tuner.contract import Knob
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node
from node_tuner.engine.restore import Fate, restore
from node_tuner.result import State
from tests.node_tuner.engine.fakes import FakeNode, KilledError, Steps, card, node_of, queues_of

Profile = Callable[[FakeNode], Sequence[Knob]]

MASKS = {"rx-0": "1", "rx-1": "0", "rx-2": "4", "rx-3": "2"}
"""As an admin had set them, of a card with four channels."""


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "node-state.json"


def admin_s_card() -> FakeNode:
    return card(*MASKS.values())


def with_default() -> FakeNode:
    """As net.core.default_qdisc and a qdisc: when ours goes, the kernel makes what is the default at the time."""

    def choose(node: FakeNode) -> None:
        if node.values["qdisc"] in ("first", "second"):
            node.values["qdisc"] = node.values["default"]

    return FakeNode({"default": "first", "qdisc": "first"}, side_effects={"qdisc": choose})


def default_and_qdisc(fake: FakeNode) -> Sequence[Knob]:
    return [fake.knob("default", Exactly("second")), fake.knob("qdisc", Exactly("ours"))]


def fewer_channels(fake: FakeNode) -> Sequence[Knob]:
    return [fake.knob("channels", 2)]


def fewer_channels_and_masks(fake: FakeNode) -> Sequence[Knob]:
    return [fake.knob("channels", 2), fake.knob("rps", Exactly(queues_of(2, "3")))]


def masks_alone(fake: FakeNode) -> Sequence[Knob]:
    return [fake.knob("rps", Exactly(queues_of(4, "f")))]


def rounding_card() -> FakeNode:
    def round_up(node: FakeNode) -> None:
        node.values["rings"] = {"rx": -(-node.values["rings"]["rx"] // 64) * 64, "push": False}

    return FakeNode({"rings": {"rx": 256, "push": False}}, side_effects={"rings": round_up})


def rounded_rings(fake: FakeNode) -> Sequence[Knob]:
    return [fake.knob("rings", Exactly({"rx": 1000, "push": False}))]


def nothing(_fake: FakeNode) -> Sequence[Knob]:
    return []


_CASES = [
    (with_default, default_and_qdisc),
    (admin_s_card, fewer_channels),
    (admin_s_card, fewer_channels_and_masks),
    (rounding_card, rounded_rings),
]


@pytest.mark.parametrize(("new", "profile"), _CASES)
def test_apply_and_restore_killed_at_any_step_are_undone_exactly(
    record: Path, new: Callable[[], FakeNode], profile: Profile
) -> None:
    for kill_at in range(len(steps_of(new, profile, record))):
        fake = new()
        node = node_of(fake, record, Steps(kill_at))
        with pytest.raises(KilledError):
            apply_and_restore(profile(fake), node)
        restore(node_of(fake, record))
        assert (fake.values, record.exists()) == (new().values, False), kill_at


@pytest.mark.parametrize(("new", "profile"), _CASES)
def test_apply_of_another_profile_killed_at_any_step_is_undone_exactly(
    record: Path, new: Callable[[], FakeNode], profile: Profile
) -> None:
    others: list[Profile] = [nothing, masks_alone, fewer_channels] if new is admin_s_card else [nothing]
    for other in others:
        for kill_at in range(60):
            fake = new()
            apply(profile(fake), node_of(fake, record))
            try:
                apply(other(fake), node_of(fake, record, Steps(kill_at)))
            except KilledError:
                apply(other(fake), node_of(fake, record))
            restore(node_of(fake, record))
            assert (fake.values, record.exists()) == (new().values, False), (other, kill_at)


def apply_and_restore(knobs: Sequence[Knob], node: Node) -> None:
    apply(knobs, node)
    restore(node)


def steps_of(new: Callable[[], FakeNode], profile: Profile, record: Path) -> list[str]:
    fake, steps = new(), Steps()
    apply_and_restore(profile(fake), node_of(fake, record, steps))
    assert (fake.values, record.exists()) == (new().values, False)
    return steps.names


def test_masks_that_channels_took_along_outlive_a_second_apply(record: Path) -> None:
    fake = admin_s_card()
    apply(fewer_channels(fake), node_of(fake, record))
    steps = Steps()
    apply(fewer_channels(fake), node_of(fake, record, steps))
    assert steps.names == []
    restore(node_of(fake, record))
    assert fake.values == admin_s_card().values


def test_masks_no_longer_wanted_are_put_back_and_those_of_queues_that_are_gone_kept(record: Path) -> None:
    fake = admin_s_card()
    apply(fewer_channels_and_masks(fake), node_of(fake, record))
    applied = apply(fewer_channels(fake), node_of(fake, record))
    assert (fake.values["rps"], applied.put_back) == ({"rx-0": "1", "rx-1": "0"}, ("rps",))
    assert [knob.name for knob in applied.knobs] == ["channels"]
    restore(node_of(fake, record))
    assert fake.values == admin_s_card().values


def test_masks_that_cannot_be_read_any_more_do_not_fail_the_channels(record: Path) -> None:
    fake = admin_s_card()
    follow = fake.side_effects["channels"]

    def hide(node: FakeNode) -> None:
        masks = node.values.setdefault("rps", {})
        follow(node)
        if node.values["channels"] == 1:
            del node.values["rps"]
        else:
            assert masks == {}

    fake.side_effects["channels"] = hide
    (row,) = apply([fake.knob("channels", 1)], node_of(fake, record)).knobs
    assert row.state is State.TUNED
    restore(node_of(fake, record))
    restore(node_of(fake, record))
    assert (fake.values, record.exists()) == (admin_s_card().values, False), "the second sees them again"


def test_masks_of_new_queues_that_are_no_longer_wanted_are_as_the_kernel_made_them(record: Path) -> None:
    fake = card("1", "2")
    more = [fake.knob("channels", 4)]
    apply(more, node_of(fake, record))
    apply([*more, *masks_alone(fake)], node_of(fake, record))
    apply(more, node_of(fake, record))
    assert fake.values["rps"] == {"rx-0": "1", "rx-1": "2", "rx-2": "0", "rx-3": "0"}


def test_masks_are_wanted_anew_after_the_channels_are_put_back(record: Path) -> None:
    fake = admin_s_card()
    apply(fewer_channels_and_masks(fake), node_of(fake, record))
    applied = apply(masks_alone(fake), node_of(fake, record))
    assert (fake.values["rps"], [knob.state for knob in applied.knobs]) == (queues_of(4, "f"), [State.TUNED])


def test_stranger_s_mask_stays_when_channels_are_put_back(record: Path) -> None:
    fake = admin_s_card()
    apply(fewer_channels(fake), node_of(fake, record))
    fake.values["rps"]["rx-0"] = "7"
    rows, _ = restore(node_of(fake, record))
    assert {row.name: row.fate for row in rows}["channels.fake"] is Fate.FOREIGN
    assert fake.values["rps"]["rx-0"] == "7"


def test_stranger_s_mask_stays_when_channels_are_changed(record: Path) -> None:
    fake = admin_s_card()
    apply(masks_alone(fake), node_of(fake, record))
    fake.values["rps"]["rx-0"] = "7"
    knobs = [*fewer_channels(fake), *masks_alone(fake)]
    apply(knobs, node_of(fake, record))
    assert fake.values["rps"] == {"rx-0": "7", "rx-1": "f"}
    restore(node_of(fake, record))
    assert fake.values["rps"]["rx-0"] == "7"


@pytest.mark.parametrize("is_takeover", [False, True])
def test_restore_of_a_set_leaves_what_others_put_in(record: Path, is_takeover: bool) -> None:
    fake = FakeNode({"ports": "20"}, sets={"ports"})
    apply([fake.knob("ports", Exactly("20 30"))], node_of(fake, record))
    fake.values["ports"] = "20 30 40"
    rows, _ = restore(node_of(fake, record), is_takeover=is_takeover)
    assert (fake.values["ports"], record.exists()) == ("20 40", False)
    assert [(row.fate, row.note) for row in rows] == [(Fate.PUT_BACK, "what others put in stays: 20 40")]


def test_restore_of_a_set_that_is_killed_still_leaves_what_others_put_in(record: Path) -> None:
    for kill_at in range(9):
        fake = FakeNode({"ports": "20"}, sets={"ports"})
        apply([fake.knob("ports", Exactly("20 30"))], node_of(fake, record))
        fake.values["ports"] = "20 30 40"
        with pytest.raises(KilledError):
            restore(node_of(fake, record, Steps(kill_at)))
        restore(node_of(fake, record))
        assert (fake.values["ports"], record.exists()) == ("20 40", False), kill_at


def test_set_without_ours_is_the_others_and_forgotten(record: Path) -> None:
    fake = FakeNode({"ports": "20"}, sets={"ports"})
    apply([fake.knob("ports", Exactly("20 30"))], node_of(fake, record))
    fake.values["ports"] = "20 40"
    rows, _ = restore(node_of(fake, record))
    assert (fake.values["ports"], rows[0].fate, record.exists()) == ("20 40", Fate.AS_IT_WAS, False)


def test_number_that_a_driver_rounds_is_written_once_and_kept(record: Path) -> None:
    fake = rounding_card()
    knobs = rounded_rings(fake)
    for _ in range(3):
        (row,) = apply(knobs, node_of(fake, record)).knobs
        assert (row.state, row.found) == (State.TUNED, {"rx": 1024, "push": False})
        assert row.note == "the driver made this of {'push': False, 'rx': 1000}"
    assert fake.writes == ["rings"]
    restore(node_of(fake, record))
    assert (fake.values, record.exists()) == (rounding_card().values, False)


def test_number_that_a_driver_rounds_is_kept_by_the_apply_after_a_kill(record: Path) -> None:
    for kill_at in range(len(steps_of(rounding_card, rounded_rings, record))):
        fake = rounding_card()
        with pytest.raises(KilledError):
            apply_and_restore(rounded_rings(fake), node_of(fake, record, Steps(kill_at)))
        (row,) = apply(rounded_rings(fake), node_of(fake, record)).knobs
        assert (row.state, row.found) == (State.TUNED, {"rx": 1024, "push": False}), kill_at
        restore(node_of(fake, record))
        assert (fake.values, record.exists()) == (rounding_card().values, False), kill_at


@pytest.mark.parametrize(
    ("original", "wanted"), [({"rx": 512}, {"rx": 4096}), ({"rx": 512, "tx": 64}, {"rx": 500, "tx": 128})]
)
def test_number_that_a_driver_takes_and_leaves_is_failed_and_not_written_again(
    record: Path, original: dict[str, int], wanted: dict[str, int]
) -> None:
    fake = FakeNode({"rings": original}, side_effects={"rings": lambda node: node.values.update(rings=original)})
    knobs = [fake.knob("rings", Exactly(wanted), required=True)]
    for _ in range(3):
        (row,) = apply(knobs, node_of(fake, record)).knobs
        assert (row.state, row.found) == (State.FAILED, original)
        assert row.note == f"the driver leaves {list(wanted)[-1]} as it is"
    assert fake.writes == ["rings"]
    rows, _ = restore(node_of(fake, record))
    assert ([row.fate for row in rows], record.exists()) == ([Fate.AS_IT_WAS], False)


def test_number_that_was_what_a_driver_rounds_up_to_is_no_failure(record: Path) -> None:
    original = {"rx": 1024}
    fake = FakeNode({"rings": original}, side_effects={"rings": lambda node: node.values.update(rings=original)})
    (row,) = apply([fake.knob("rings", Exactly({"rx": 1000}))], node_of(fake, record)).knobs
    assert (row.state, row.note) == (State.TUNED, "the driver made this of {'rx': 1000}")


def test_switch_that_a_driver_leaves_is_not_taken_for_rounded(record: Path) -> None:
    fake = rounding_card()
    (row,) = apply([fake.knob("rings", Exactly({"rx": 1000, "push": True}))], node_of(fake, record)).knobs
    assert row.state is State.FAILED


def test_number_that_another_knob_moved_is_not_taken_for_rounded(record: Path) -> None:
    moves = iter([512, 512])

    def move(node: FakeNode) -> None:
        node.values["rings"] = {"rx": next(moves)}

    fake = FakeNode({"rings": {"rx": 256}, "mtu": 1}, side_effects={"mtu": move})
    applied = apply([fake.knob("rings", Exactly({"rx": 1000})), fake.knob("mtu", 2)], node_of(fake, record))
    assert (fake.values["rings"], fake.writes) == ({"rx": 1000}, ["rings", "mtu", "rings"])
    assert {knob.state for knob in applied.knobs} == {State.TUNED}
    assert applied.knobs[0].note == ""


def test_foreign_value_that_nobody_can_take_over_is_not_said_to_be(record: Path) -> None:
    fake: FakeNode = FakeNode({"qdisc": "kernel's"})
    knobs: list[Any] = [fake.knob("qdisc", Exactly("ours"))]
    apply(knobs, node_of(fake, record))
    fake.values["qdisc"] = "a stranger's"
    assert "--take-over" in apply(knobs, node_of(fake, record)).knobs[0].note
    fake.obstacles["qdisc"] = "somebody else's, which is left alone"
    assert "--take-over" not in apply(knobs, node_of(fake, record)).knobs[0].note
