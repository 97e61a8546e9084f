"""Puts back exactly what was there before us, last applied first; what others changed since is left, and said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from node_tuner.contract import Value
from node_tuner.durable import OnStep
from node_tuner.engine.journal import Journal
from node_tuner.engine.node import Node
from node_tuner.engine.plan import Action, Step, plan
from node_tuner.errors import GoneError, InUseError, UnavailableError
from node_tuner.state.record import Entry, Key, key_at, plain

_ROUNDS = 2
"""What is put back later may move what was put back before: fewer channels take their queues' masks with them."""


class Fate(Enum):
    """What became of an entry."""

    PUT_BACK = "put back"
    """Also: would be, in a dry run."""
    AS_IT_WAS = "as it was"
    GONE = "gone"
    """There is no such thing any more, so nothing to put back."""
    FOREIGN = "foreign"
    """Somebody else changed it after we did, or uses it: left, and still on record."""
    FAILED = "failed"
    """Still on record; `note` says why."""


_OF_ACTION = {
    Action.PUT_BACK: Fate.PUT_BACK,
    Action.FORGET: Fate.AS_IT_WAS,
    Action.GONE: Fate.GONE,
    Action.FOREIGN: Fate.FOREIGN,
    Action.SKIP: Fate.FAILED,
}
_BEGUN = (Action.PUT_BACK, Action.FORGET)
"""Written, once or again."""
_STAYING = (Fate.FOREIGN, Fate.FAILED)
"""On record."""


@dataclass(frozen=True, slots=True)
class Restored:
    """One row."""

    key: Key
    name: str
    kind: str
    fate: Fate
    found: Value
    """Before anything was put back."""
    original: Value
    note: str

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.name,
            "kind": self.kind,
            "fate": self.fate.value,
            "found": self.found,
            "original": self.original,
            "note": self.note,
        }


def foretell(node: Node, *, is_takeover: bool = False) -> tuple[tuple[Restored, ...], str]:
    """What `restore` would do, and its notice; nothing is changed."""
    record, notice = node.record()
    return tuple(_row(step) for step in plan((), record, node, is_takeover=is_takeover)), notice


def restore(
    node: Node, *, is_takeover: bool = False, on_begin: Callable[[], None] | None = None
) -> tuple[tuple[Restored, ...], str]:
    """Put everything back, and delete the record when nothing is left in it; the rows, and a notice where there is one.

    `on_begin` is called once nothing stands in the way any more, and before anything is changed. May be killed, and run
    again. StateError where the record cannot be relied on, locked or written.
    """
    with node.lock():
        record, notice = node.record()
        steps = plan((), record, node, is_takeover=is_takeover)
        journal = Journal(node.store, record, is_stale=bool(notice))
        if on_begin is not None:
            on_begin()
        rows = put_back(steps, journal, node)
        journal.flush()
        return rows, notice


def put_back(steps: Sequence[Step], journal: Journal, node: Node) -> tuple[Restored, ...]:
    """Carry out those steps that are no longer wanted. What is done is forgotten, with the journal's next flush."""
    errors: dict[Key, UnavailableError | None] = {}
    if any(step.action is Action.PUT_BACK for step in steps):
        _begin(steps, journal, node)
        for number in range(_ROUNDS):
            for step in steps:
                if step.action is Action.PUT_BACK or (number and step.action is Action.FORGET):
                    errors[step.key] = _write_original(step, node.on_step)
    judged = [(step, *_judged(step, errors.get(step.key))) for step in steps if step.action is not Action.HOLD]
    staying = {key for step, fate, _ in judged if fate in _STAYING for key in _moved(step, node)}
    for step, fate, _ in judged:
        if fate in _STAYING or ((step.is_held or step.key in staying) and fate is not Fate.GONE):
            _settle(step, journal)
        else:
            journal.forget(step.key)
    return tuple(_row(*each) for each in judged)


def _begin(steps: Sequence[Step], journal: Journal, node: Node) -> None:
    """On the disk before the first write, and for all of them, as one may move another: a qdisc of the kernel's own is
    what the default is at the time, and queues come with masks of the kernel's."""
    for step in steps:
        entry = _entry(step)
        if entry.is_touched and step.action in _BEGUN:
            journal.put(replace(entry, is_unsettled=True))
    strangers = {step.key for step in steps if step.action is Action.FOREIGN}
    for key in {key for step in steps if step.action is Action.PUT_BACK for key in _moved(step, node)} - strangers:
        journal.unsettle(key)
    journal.flush()


def _write_original(step: Step, on_step: OnStep) -> UnavailableError | None:
    """Why it could not be written; None when all is well."""
    entry, control = _entry(step), step.control
    if control is None or not entry.is_touched:
        return None
    try:
        if not entry.is_original(plain(control.read())):
            on_step(f"put back {step.name}: begin")
            control.write(entry.original)
            on_step(f"put back {step.name}: end")
    except UnavailableError as error:
        return error
    return None


def _settle(step: Step, journal: Journal) -> None:
    """What stays on record is left so: it could not be put back, or may be moved once more."""
    if step.control is not None and step.action in _BEGUN and _entry(step).is_touched:
        with suppress(UnavailableError):  # it is not settled then
            journal.settle(step.key, plain(step.control.read()))


def _moved(step: Step, node: Node) -> Iterator[Key]:
    return (key_at(*place) for place in node.moves(step.kind, _entry(step).where))


def _judged(step: Step, refusal: UnavailableError | None) -> tuple[Fate, str]:
    """By what is there now, whatever was planned."""
    entry, fate = _entry(step), _OF_ACTION[step.action]
    if step.control is None or fate is Fate.FAILED or not entry.is_touched:
        return fate, step.note
    try:
        found = plain(step.control.read())
    except GoneError as error:
        return Fate.GONE, str(error)
    except UnavailableError as error:
        return Fate.FAILED, str(error)
    if entry.is_original(found):
        return (Fate.AS_IT_WAS if fate is Fate.AS_IT_WAS else Fate.PUT_BACK), step.note
    if fate is Fate.FOREIGN:
        return fate, step.note
    if refusal is not None:
        return (Fate.FOREIGN if isinstance(refusal, InUseError) else Fate.FAILED), str(refusal)
    return Fate.FAILED, f"it was written, and reads {found}"


def _entry(step: Step) -> Entry:
    assert step.entry is not None, "what is put back is on record"
    return step.entry


def _row(step: Step, fate: Fate | None = None, note: str | None = None) -> Restored:
    return Restored(
        key=step.key,
        name=step.name,
        kind=step.kind,
        fate=fate or _OF_ACTION[step.action],
        found=step.found,
        original=_entry(step).original,
        note=step.note if note is None else note,
    )
