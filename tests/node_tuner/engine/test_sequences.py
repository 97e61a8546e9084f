"""Whatever happens in whatever order: in the end each value is as it was, or as a stranger left it last."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from node_tuner.aims import Exactly
from node_tuner.contract import Knob
from node_tuner.engine.apply import apply
from node_tuner.engine.restore import restore
from node_tuner.engine.verify import verify
from node_tuner.result import State
from node_tuner.state.store import Store
from tests.node_tuner.engine.fakes import FakeNode, KilledError, Steps, at_least, card, node_of, queues_of

Event = tuple[str, Any, Any]

_PLAIN = ("a", "b", "c")
_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""Thousands of durable writes need no disk."""

_KILL_AT = st.none() | st.integers(0, 45)

events: st.SearchStrategy[Event] = st.one_of(
    st.tuples(st.just("apply"), st.sampled_from(["one", "one channel", "two", "three"]), _KILL_AT),
    st.tuples(st.just("restore"), st.none(), _KILL_AT),
    # No aim has these values: what nobody could tell from ours would be put back, too.
    st.tuples(st.just("stranger"), st.sampled_from(_PLAIN), st.integers(-103, -100) | st.none()),
    st.tuples(st.just("stranger in our table"), st.none(), st.none()),
    st.tuples(st.just("refuse"), st.sampled_from([*_PLAIN, "channels", "rps", "table"]), st.booleans()),
)


def new_node() -> FakeNode:
    fake = card("1", "2")
    fake.values |= {"a": 0, "b": 50, "c": -1}
    fake.own.add("table")
    return fake


_PROFILES: dict[str, Callable[[FakeNode], list[Knob]]] = {
    "one": lambda fake: [
        fake.knob("a", 1),
        fake.knob("channels", 4),
        fake.knob("rps", Exactly(queues_of(4, "3"))),
        fake.knob("table", 1),
    ],
    "two": lambda fake: [
        fake.knob("b", at_least(60)),
        fake.knob("a", 2),
        fake.knob("channels", 2),
        fake.knob("rps", Exactly(queues_of(2, "1"))),
    ],
    "one channel": lambda fake: [fake.knob("channels", 1), fake.knob("a", 1)],
    "three": lambda fake: [fake.knob("c", 3), fake.knob("table", 2), fake.knob("b", at_least(40))],
}


class Story:
    """A node, its record, and what each value is to be in the end."""

    def __init__(self, directory: Path) -> None:
        self.fake = new_node()
        self.path = directory / "node-state.json"
        self.expected = self.fake.snapshot()

    def happen(self, event: Event) -> None:
        what, which, detail = event
        getattr(self, f"_{what.replace(' ', '_')}")(which, detail)

    def end(self) -> None:
        self.fake.refusing.clear()
        restore(node_of(self.fake, self.path))
        assert self.fake.snapshot() == self.expected

    def _apply(self, profile: str, kill_at: int | None) -> None:
        try:
            apply(_PROFILES[profile](self.fake), node_of(self.fake, self.path, Steps(kill_at)))
        except KilledError:
            return
        self._check_second_apply(profile)

    def _check_second_apply(self, profile: str) -> None:
        knobs = _PROFILES[profile](self.fake)
        states = {knob.state for knob in verify(knobs, node_of(self.fake, self.path)).knobs}
        if not self.fake.refusing:
            assert states <= {State.TUNED, State.FOREIGN, State.NOT_NEEDED}
            steps = Steps()
            apply(knobs, node_of(self.fake, self.path, steps))
            assert steps.names == []

    def _restore(self, _which: None, kill_at: int | None) -> None:
        try:
            restore(node_of(self.fake, self.path, Steps(kill_at)))
        except KilledError:
            return

    def _stranger(self, name: str, value: int | None) -> None:
        """None: back to what it was at the very first. Not while it is being put back: nobody could tell it then."""
        record = Store(self.path).load()
        if record is not None and any(entry.is_unsettled and entry.name == name for entry in record.entries):
            return
        self.fake.values[name] = new_node().values[name] if value is None else value
        self.expected[name] = self.fake.values[name]

    def _stranger_in_our_table(self, _which: None, _detail: None) -> None:
        if self.fake.values.get("table") is not None:
            self.fake.values["table"] = {**self.fake.values["table"], "content": "a stranger's"}

    def _refuse(self, name: str, is_refusing: bool) -> None:
        if is_refusing:
            self.fake.refusing[name] = "Invalid argument"
        else:
            self.fake.refusing.pop(name, None)


@settings(max_examples=200, deadline=None)
@given(st.lists(events, max_size=12))
@example([("apply", "one channel", None), ("refuse", "channels", True), ("restore", None, None)])
@example([("apply", "two", 17), ("apply", "one", None), ("apply", "three", None)])
@example([("apply", "two", None), ("refuse", "rps", True), ("apply", "one", None)])
@example([("apply", "two", 23), ("refuse", "rps", True), ("restore", None, None), ("apply", "one", None)])
def test_in_the_end_all_is_as_it_was_or_as_a_stranger_left_it(happenings: list[Event]) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as directory:
        story = Story(Path(directory))
        for event in happenings:
            story.happen(event)
        story.end()


@settings(max_examples=100, deadline=None)
@given(st.lists(events.filter(lambda event: not event[0].startswith("stranger")), max_size=8))
def test_without_strangers_nothing_is_left_on_record(happenings: list[Event]) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as directory:
        story = Story(Path(directory))
        for event in happenings:
            story.happen(event)
        story.end()
        assert not story.path.exists()
