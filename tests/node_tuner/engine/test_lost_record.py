"""A record that is gone, as with a pod that kept it in memory: what can be told to be ours is put back all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node_tuner.controls.leftovers import Leftover
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node
from node_tuner.engine.restore import Fate, restore
from node_tuner.engine.verify import verify
from node_tuner.result import State
from tests.node_tuner.engine.fakes import FakeNode, node_of
from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.shell import Shell, shell_in

OURS = ("nft", "qdiscs")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with shell_in(tmp_path) as made:
        yield made


@pytest.mark.netns
@pytest.mark.nft
def test_restore_without_a_record_takes_away_what_is_ours_and_says_so(shell: Shell) -> None:
    before = shell.look()
    shell.tuner("apply")
    shell.state.unlink()
    assert set(OURS) <= {name for name, value in shell.look().items() if value != before[name]}
    restored = shell.tuner("restore")
    assert restored.status == 0
    assert restored.err.endswith(
        "is not there, yet some of what the tuner makes is: qdisc, conntrack.bypass, dscp.nft\n"
    )
    assert restored.out.splitlines()[-1] == "3 put back; nothing is left on record."
    assert {name: shell.look()[name] for name in OURS} == {name: before[name] for name in OURS}
    assert shell.tuner("restore").err == ""


@pytest.mark.netns
@pytest.mark.nft
def test_qdisc_of_ours_is_the_kernel_s_after_another_apply_and_restore(shell: Shell) -> None:
    before = shell.look()
    shell.tuner("apply")
    shell.state.unlink()
    assert shell.tuner("apply", "--strict").status == 0
    shell.tuner("restore")
    assert {name: shell.look()[name] for name in OURS} == {name: before[name] for name in OURS}
    assert not shell.state.exists()


@pytest.mark.netns
@pytest.mark.nft
def test_qdisc_of_ours_is_the_kernel_s_after_applies_of_other_limits_and_restore(shell: Shell) -> None:
    before = shell.look()
    shell.tuner("apply")
    shell.state.unlink()
    for limit_packets in (600, 700):
        profile = shell.directory / f"{limit_packets}.yml"
        text = write_profile(shell.directory).read_text()
        profile.write_text(text.replace("limit_packets: 500", f"limit_packets: {limit_packets}"))
        assert shell.tuner("apply", profile=profile).status == 0
    restored = shell.tuner("restore")
    assert (restored.status, shell.state.exists()) == (0, False), restored.out
    assert {name: shell.look()[name] for name in OURS} == {name: before[name] for name in OURS}


def lost(fake: FakeNode, record: Path) -> Node:
    node = node_of(fake, record)
    left = [Leftover("table", fake.control("table"), None)]
    return Node(node.store, node.boot_id, node.namespace, node.find, leftovers=lambda: left)


def test_what_is_ours_is_as_wanted_and_made_anew(tmp_path: Path) -> None:
    fake = FakeNode(own={"table"})
    knobs = [fake.knob("table", 1)]
    apply(knobs, node_of(fake, tmp_path / "lost"))
    node = lost(fake, tmp_path / "record")
    (row,) = verify(knobs, node).knobs
    assert (row.state, row.original) == (State.TUNED, None)
    assert apply(knobs, node).changed == ("table",), "nobody knows what is in it"
    assert apply(knobs, node).changed == ()


def test_what_is_ours_and_not_wanted_is_put_back_by_apply(tmp_path: Path) -> None:
    fake = FakeNode({"a": 0}, own={"table"})
    apply([fake.knob("table", 1)], node_of(fake, tmp_path / "lost"))
    applied = apply([fake.knob("a", 1)], lost(fake, tmp_path / "record"))
    assert (applied.put_back, fake.snapshot()) == (("table",), {"a": 1})
    assert applied.notices[0].endswith("is not there, yet some of what the tuner makes is: table")


def test_restore_of_what_is_ours_is_said_and_leaves_no_record(tmp_path: Path) -> None:
    fake = FakeNode(own={"table"})
    apply([fake.knob("table", 1)], node_of(fake, tmp_path / "lost"))
    rows, notice = restore(lost(fake, tmp_path / "record"))
    assert ([row.fate for row in rows], fake.snapshot()) == ([Fate.PUT_BACK], {})
    assert "table" in notice
    assert not (tmp_path / "record").exists()
