"""Makes the node as it is wanted: plans all of it, records all original values, then writes, and reads everything back.

A knob that the kernel refuses half way does not stop the others: a node that is as fit as it can be is the better one
to stop at, and everything is on record. What does stop it is a record that can no longer be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from node_tuner.contract import Control, Knob, Value
from node_tuner.engine.journal import Journal
from node_tuner.engine.node import Node
from node_tuner.engine.plan import Action, Plan, Step, is_foreign, plan
from node_tuner.engine.restore import Fate, Restored, put_back
from node_tuner.engine.rows import rows
from node_tuner.errors import StateError, UnavailableError
from node_tuner.result import KnobResult
from node_tuner.state.record import Entry, Key, key_of, plain

_ROUNDS = 2
"""What is written later may undo what was written before, or what was right: a card's new channels its offloads."""

_DUE = (Action.CHANGE, Action.PUT_BACK)

_NOT_BEGUN = "nothing was changed, because a required knob cannot be had"


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it."""

    knobs: tuple[KnobResult, ...]
    refusals: tuple[Step, ...] = ()
    """Required, and cannot be had: nothing was changed."""
    changed: tuple[str, ...] = ()
    """The knobs that were written."""
    put_back: tuple[str, ...] = ()
    """What was no longer wanted."""
    notices: tuple[str, ...] = ()
    is_broken_off: bool = False
    """The record could no longer be written: what was due after that was not done."""


def apply(
    knobs: Sequence[Knob], node: Node, *, is_takeover: bool = False, on_plan: Callable[[Plan], None] | None = None
) -> Applied:
    """See the module; `on_plan` is told before anything is changed.

    StateError where the record cannot be relied on or locked: nothing was changed then.
    """
    with node.lock():
        record, notice = node.record()
        steps = plan(knobs, record, node, is_takeover=is_takeover)
        notices = (notice,) if notice else ()
        if on_plan is not None:
            on_plan(steps)
        if any(step.action is Action.REFUSE for step in steps):
            return _refused(steps, notices)
        journal = Journal(node.store, record, is_stale=bool(notice))
        return _Run(knobs, node, journal, is_takeover).carry_out(steps, notices)


def _refused(steps: Plan, notices: tuple[str, ...]) -> Applied:
    notes = {step.key: _NOT_BEGUN for step in steps if step.action in _DUE}
    refusals = tuple(step for step in steps if step.action is Action.REFUSE)
    return Applied(rows(steps, notes), refusals, notices=notices)


@dataclass(slots=True)
class _Run:
    """One apply, after it was planned."""

    knobs: Sequence[Knob]
    node: Node
    journal: Journal
    is_takeover: bool
    originals: Mapping[Key, Value] = field(default_factory=dict)
    """All that could be read before the first change of this run: another knob's write may move them."""
    failures: dict[Key, str] = field(default_factory=dict)
    """Why a knob is not as wanted."""
    written: dict[Key, Step] = field(default_factory=dict)

    def carry_out(self, first: Plan, notices: tuple[str, ...]) -> Applied:
        back: Sequence[Restored] = ()
        is_broken_off = False
        try:
            back = put_back([step for step in first if step.aim is None], self.journal, self.node)
            # Planned anew: what was put back may be part of what is wanted now, such as one of a card's two rings.
            steps = self._rounds(self._plan(is_takeover=self.is_takeover) if back else first)
        except StateError as error:
            is_broken_off = True
            notices = (*notices, f"{error}. Nothing was changed after that.")
            steps = plan(self.knobs, self.journal.saved, self.node)
            self.failures |= {step.key: str(error) for step in steps if step.action in _DUE}
        self.failures |= {row.key: row.note for row in back if row.fate is Fate.FAILED}
        for step in steps:
            if step.action is Action.CHANGE and step.key in self.written:
                self.failures.setdefault(step.key, "it was set, and the kernel made something else of it")
        return Applied(
            knobs=rows(steps, self.failures),
            changed=tuple(step.name for step in self.written.values()),
            put_back=tuple(row.name for row in back if row.fate is Fate.PUT_BACK),
            notices=notices,
            is_broken_off=is_broken_off,
        )

    def _rounds(self, steps: Plan) -> Plan:
        """The plan after all was written: what it would change is what could not be had."""
        self.originals = {step.key: step.found for step in steps if step.is_read}
        for _ in range(_ROUNDS):
            self._arrange(steps)
            due = [step for step in steps if step.action is Action.CHANGE and step.key not in self.failures]
            for step in due:
                self._write(step)
            self._read_back()
            self.journal.flush()
            steps = self._plan()
            if not due:
                break
        return steps

    def _plan(self, *, is_takeover: bool = False) -> Plan:
        return plan(self.knobs, self.journal.record, self.node, is_takeover=is_takeover)

    def _arrange(self, steps: Plan) -> None:
        """All originals, before the first change; what could not be put back stays in front."""
        knobs = [step for step in steps if step.aim is not None and step.action is not Action.NOT_NEEDED]
        wanted = {step.key for step in knobs}
        left = [entry for entry in self.journal.record.entries if entry.key not in wanted]
        entries = [entry for step in knobs if (entry := self._entry(step)) is not None]
        known = {entry.key for entry in (*left, *entries)}
        moved = [self._moved(step, control) for step in knobs for control in self._moves(step)]
        self.journal.arrange([*left, *(entry for entry in moved if entry.key not in known), *entries])

    def _moves(self, step: Step) -> Iterator[Control]:
        """What the write of a step that is due may move beside its own control."""
        if step.action is not Action.CHANGE or step.control is None:
            return
        for kind, where in self.node.moves(step.kind, step.control.where):
            with suppress(UnavailableError):  # it is not there to be moved
                control = self.node.find(kind, where)
                control.read()
                yield control

    def _moved(self, step: Step, control: Control) -> Entry:
        found = plain(control.read())
        return Entry(f"{step.name}.{control.kind}", control.kind, plain(dict(control.where)), found, found)

    def _entry(self, step: Step) -> Entry | None:
        entry, control = step.entry, step.control
        if control is None or step.action not in (Action.KEEP, Action.CHANGE):
            return entry
        if entry is not None and entry.is_touched:
            taken_over = self.is_takeover and is_foreign(entry, control, step.found) and not step.is_met
            if not taken_over:
                entry = replace(entry, name=step.name, where=plain(dict(control.where)))
                return entry.settled(step.found, is_own=control.is_own)
        if step.action is Action.KEEP:
            return None
        original = None if control.is_own else self.originals.get(step.key, step.found)
        return Entry(step.name, step.kind, plain(dict(control.where)), original, step.target)

    def _write(self, step: Step) -> None:
        control, aim = step.control, step.aim
        if control is None or aim is None:
            return  # never: what is changed is there, and has an aim
        try:
            found = plain(control.read())
            if aim.is_met(found) and not control.is_own:
                return  # another knob's write has made it right
            self._begin(step, control, found, aim.target(found))
        except UnavailableError as error:
            self.failures[step.key] = str(error)

    def _begin(self, step: Step, control: Control, found: Value, target: Value) -> None:
        moved = {key_of(each): each for each in self._moves(step) if self._is_ours(each)}
        before = [self.journal[key] for key in (step.key, *moved)]
        self.journal.begin(step.key, target, moved, came=found if control.is_growing else None)
        self.node.on_step(f"write {step.name}: begin")
        try:
            control.write(plain(target))
        except UnavailableError:
            if plain(control.read()) == found:
                for entry in before:
                    self.journal.put(entry)
            else:
                self._settle(step.key, control, moved)
            raise
        self.node.on_step(f"write {step.name}: end")
        self.written[step.key] = step
        self._settle(step.key, control, moved)

    def _is_ours(self, control: Control) -> bool:
        key = key_of(control)
        return key in self.journal and not is_foreign(self.journal[key], control, plain(control.read()))

    def _settle(self, key: Key, control: Control, moved: Mapping[Key, Control]) -> None:
        for each, other in moved.items():
            with suppress(UnavailableError):  # it is not settled then, as of queues that went
                self.journal.settle(each, plain(other.read()))
        self.journal.settle(key, plain(control.read()))

    def _read_back(self) -> None:
        """What one write has moved of another's is our doing, too, and no stranger's."""
        for key, step in self.written.items():
            if step.control is not None and key not in self.failures:
                try:
                    self.journal.move(key, plain(step.control.read()))
                except UnavailableError as error:
                    self.failures[key] = str(error)
