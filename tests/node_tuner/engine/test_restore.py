"""What was there before comes back, last applied first; what others changed since stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node_tuner.aims import Exactly
from node_tuner.engine.apply import apply
from node_tuner.engine.restore import Fate, Restored, foretell, restore
from node_tuner.errors import StateError
from node_tuner.state.lock import lock
from node_tuner.state.store import Store
from tests.node_tuner.engine.fakes import FakeNode, KilledError, Steps, card, node_of, queues_of


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "node-state.json"


def tuned(record: Path) -> FakeNode:
    """With a, b and a table of ours changed."""
    fake = FakeNode({"a": 0, "b": 7}, own={"table"})
    apply([fake.knob("a", 1), fake.knob("b", 2), fake.knob("table", 3)], node_of(fake, record))
    fake.writes.clear()
    return fake


def fates(rows: tuple[Restored, ...]) -> dict[str, Fate]:
    return {row.name: row.fate for row in rows}


def test_all_is_put_back_in_reverse_and_the_record_deleted(record: Path) -> None:
    fake = tuned(record)
    rows, notice = restore(node_of(fake, record))
    assert (fake.snapshot(), fake.writes) == ({"a": 0, "b": 7}, ["table", "b", "a"])
    assert fates(rows) == {"table": Fate.PUT_BACK, "b": Fate.PUT_BACK, "a": Fate.PUT_BACK}
    assert (record.exists(), notice) == (False, "")


def test_second_restore_has_nothing_to_do(record: Path) -> None:
    fake = tuned(record)
    restore(node_of(fake, record))
    steps = Steps()
    assert restore(node_of(fake, record, steps)) == ((), "")
    assert (steps.names, len(fake.writes)) == ([], 3)


def test_foretold_restore_changes_nothing(record: Path) -> None:
    fake = tuned(record)
    before, text = dict(fake.values), record.read_text()
    rows, _ = foretell(node_of(fake, record))
    assert fates(rows) == {"table": Fate.PUT_BACK, "b": Fate.PUT_BACK, "a": Fate.PUT_BACK}
    assert (fake.values, record.read_text(), fake.writes) == (before, text, [])


def test_restore_that_is_killed_at_any_step_is_finished_by_the_next(record: Path) -> None:
    whole = Steps()
    restore(node_of(tuned(record), record, whole))
    assert len(whole.names) == 4 + 3 * 2 + 3
    for number in range(len(whole.names)):
        fake = tuned(record)
        with pytest.raises(KilledError):
            restore(node_of(fake, record, Steps(number)))
        restore(node_of(fake, record))
        assert fake.snapshot() == {"a": 0, "b": 7}, whole.names[number]
        assert not record.exists(), whole.names[number]


def test_stranger_s_value_is_left_and_stays_on_record(record: Path) -> None:
    fake = tuned(record)
    fake.values["a"] = 100
    rows, _ = restore(node_of(fake, record))
    assert fates(rows) == {"table": Fate.PUT_BACK, "b": Fate.PUT_BACK, "a": Fate.FOREIGN}
    assert fake.snapshot() == {"a": 100, "b": 7}
    assert [entry["name"] for entry in json.loads(record.read_text())["entries"]] == ["a"]


def test_stranger_s_value_is_overwritten_when_taken_over(record: Path) -> None:
    fake = tuned(record)
    fake.values["a"] = 100
    restore(node_of(fake, record))
    rows, _ = restore(node_of(fake, record), is_takeover=True)
    assert fates(rows) == {"a": Fate.PUT_BACK}
    assert (fake.values["a"], record.exists()) == (0, False)


def test_value_that_somebody_put_back_is_as_it_was(record: Path) -> None:
    fake = tuned(record)
    fake.values["a"] = 0
    rows, _ = restore(node_of(fake, record))
    assert fates(rows)["a"] is Fate.AS_IT_WAS
    assert "a" not in fake.writes


def test_what_is_gone_is_said_and_forgotten(record: Path) -> None:
    fake = tuned(record)
    fake.gone.add("a")
    rows, _ = restore(node_of(fake, record))
    assert fates(rows)["a"] is Fate.GONE
    assert rows[-1].note == "a is gone"
    assert not record.exists()


def test_what_goes_with_another_s_restore_is_gone(record: Path) -> None:
    fake = tuned(record)
    fake.side_effects["b"] = lambda node: node.gone.add("a")
    rows, _ = restore(node_of(fake, record))
    assert fates(rows)["a"] is Fate.GONE
    assert not record.exists()


@pytest.mark.parametrize("fault", ["refusing", "obstacles"])
def test_what_cannot_be_put_back_stays_on_record(record: Path, fault: str) -> None:
    fake = tuned(record)
    getattr(fake, fault)["b"] = "needs CAP_NET_ADMIN"
    rows, _ = restore(node_of(fake, record))
    assert fates(rows) == {"table": Fate.PUT_BACK, "b": Fate.FAILED, "a": Fate.PUT_BACK}
    assert rows[1].note == "needs CAP_NET_ADMIN"
    getattr(fake, fault).clear()
    restore(node_of(fake, record))
    assert (fake.snapshot(), record.exists()) == ({"a": 0, "b": 7}, False)


def test_stranger_s_value_of_what_could_not_be_put_back_is_left(record: Path) -> None:
    fake = tuned(record)
    fake.refusing["b"] = "Device busy"
    restore(node_of(fake, record))
    fake.refusing.clear()
    fake.values["b"] = 100
    rows, _ = restore(node_of(fake, record))
    assert (fates(rows), fake.values["b"]) == ({"b": Fate.FOREIGN}, 100)


def test_what_the_kernel_made_something_else_of_is_put_back_by_the_next_restore(record: Path) -> None:
    fake = tuned(record)
    fake.side_effects["a"] = lambda node: node.values.update(a=5)
    restore(node_of(fake, record))
    fake.side_effects.clear()
    restore(node_of(fake, record))
    assert (fake.snapshot(), record.exists()) == ({"a": 0, "b": 7}, False)


def test_what_cannot_be_read_is_not_taken_for_gone(record: Path) -> None:
    fake = tuned(record)
    hidden = fake.values.pop("b")
    rows, _ = restore(node_of(fake, record))
    assert fates(rows)["b"] is Fate.FAILED
    fake.values["b"] = hidden
    restore(node_of(fake, record))
    assert fake.snapshot() == {"a": 0, "b": 7}


def test_what_the_kernel_makes_something_else_of_is_a_failure(record: Path) -> None:
    fake = tuned(record)
    fake.side_effects["a"] = lambda node: node.values.update(a=5)
    rows, _ = restore(node_of(fake, record))
    assert (rows[-1].fate, rows[-1].note) == (Fate.FAILED, "it was written, and reads 5")


def test_what_others_use_by_now_is_left(record: Path) -> None:
    fake = tuned(record)
    fake.in_use.add("table")
    rows, _ = restore(node_of(fake, record))
    assert (rows[0].fate, rows[0].note) == (Fate.FOREIGN, "table is in use")
    fake.in_use.clear()
    restore(node_of(fake, record))
    assert fake.snapshot() == {"a": 0, "b": 7}


def test_what_a_later_restore_moved_is_put_back_again(record: Path) -> None:
    fake = tuned(record)
    fake.side_effects["a"] = lambda node: node.values.update(b=50)
    restore(node_of(fake, record))
    assert fake.snapshot() == {"a": 0, "b": 7}


def test_queues_that_were_not_there_before_do_not_stop_it_when_killed(record: Path) -> None:
    def changed() -> FakeNode:
        fake = card()
        apply([fake.knob("channels", 4), fake.knob("rps", Exactly(queues_of(4, "3")))], node_of(fake, record))
        return fake

    whole = Steps()
    restore(node_of(changed(), record, whole))
    for number in range(len(whole.names)):
        fake = changed()
        with pytest.raises(KilledError):
            restore(node_of(fake, record, Steps(number)))
        restore(node_of(fake, record))
        assert fake.values == {"channels": 1, "rps": {"rx-0": "0"}}, whole.names[number]
        assert not record.exists(), whole.names[number]


def test_void_record_is_deleted_and_nothing_put_back(record: Path) -> None:
    fake = FakeNode({"a": 0})
    apply([fake.knob("a", 1)], node_of(fake, record, boot_id="boot-0"))
    rows, notice = restore(node_of(fake, record))
    assert (rows, fake.values["a"], record.exists()) == ((), 1, False)
    assert "of an earlier boot" in notice


def test_restore_while_another_tuner_works_is_sent_away(record: Path) -> None:
    fake = tuned(record)
    with lock(record), pytest.raises(StateError, match="another tuner"):
        restore(node_of(fake, record))
    assert fake.writes == []


def test_record_that_cannot_be_deleted_is_an_error_after_all_is_put_back(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tuned(record)
    monkeypatch.setattr(Store, "delete", _refuse)
    with pytest.raises(StateError, match="cannot be deleted: Read-only file system"):
        restore(node_of(fake, record))
    assert fake.snapshot() == {"a": 0, "b": 7}


def _refuse(_store: Store) -> None:
    raise StateError("it cannot be deleted: Read-only file system")
