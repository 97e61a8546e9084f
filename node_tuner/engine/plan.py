"""What is to be done about each knob, and about what is on record and no longer wanted. Nothing is changed by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from node_tuner.contract import Aim, Control, Knob, Value
from node_tuner.controls import overlap
from node_tuner.engine.node import Node
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.state.record import Entry, Key, Record, is_number, is_rounded_up, key_at, key_of, plain


class Action(Enum):
    """What an apply does about it."""

    KEEP = "keep"
    """It is right."""
    CHANGE = "change"
    SKIP = "skip"
    """It is optional, or no longer wanted, and cannot be had."""
    NOT_NEEDED = "not needed"
    REFUSE = "refuse"
    """It is required and cannot be had: nothing at all is changed."""
    FOREIGN = "foreign"
    """Somebody else changed it after we did: it is left."""
    PUT_BACK = "put back"
    """It is on record and no longer wanted."""
    FORGET = "forget"
    """The same, and it is as it was before us."""
    GONE = "gone"
    """The same, and there is no such thing any more."""
    HOLD = "hold"
    """The same, but what is wanted has moved it: its original is kept until that is put back."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a plan."""

    name: str
    kind: str
    action: Action
    control: Control | None
    aim: Aim | None
    """None for what is no longer wanted."""
    required: bool
    why: str
    source: str
    is_read: bool = False
    """Whether it could be read."""
    found: Value = None
    target: Value = None
    """What is to be written; for CHANGE and PUT_BACK."""
    is_met: bool = False
    is_outgrown: bool = False
    """It is as an apply left it, and the machine has more by now: right until the next apply. See `Knob.floor`."""
    entry: Entry | None = None
    """What is on record of it."""
    note: str = ""
    obstacle: str = ""
    """Why it cannot be had, when that is why it is skipped or refused."""
    is_held: bool = False
    """It stays on record, also when it is put back: see HOLD."""

    @property
    def key(self) -> Key:
        """Tells it from all other steps."""
        if self.entry is not None:
            return self.entry.key
        return key_of(self.control) if self.control is not None else ("", self.name)

    @property
    def is_touched(self) -> bool:
        """Whether it is on record as written by us."""
        return self.entry is not None and self.entry.is_touched

    def as_json(self) -> dict[str, Any]:
        """For machines; what table and `--json` say is the same."""
        return {
            "name": self.name,
            "kind": self.kind,
            "required": self.required,
            "action": self.action.value,
            "found": self.found,
            "target": self.target,
            "wanted": self.wanted,
            "why": self.why,
            "source": self.source,
            "note": self.note,
        }

    @property
    def wanted(self) -> str:
        """For people."""
        return str(self.aim) if self.aim is not None else "as it was before"


_UNWANTED = "it is on record as changed by the tuner, and no longer wanted"

Plan = Sequence[Step]
"""First what is put back, last applied first; then the knobs, in the order in which they are applied."""


def plan(knobs: Sequence[Knob], record: Record, node: Node, *, is_takeover: bool = False) -> tuple[Step, ...]:
    """See `Plan`. No knobs at all: everything is put back. `is_takeover` changes what others have changed, too."""
    entries = {entry.key: entry for entry in record.entries}
    wanted = {key_of(knob.control) for knob in knobs if knob.control is not None and not knob.not_needed}
    moving = [entry for entry in record.entries if entry.key in wanted and entry.is_touched]
    held = {key_at(*place) for entry in moving for place in node.moves(entry.kind, entry.where)}
    unwanted = [entry for entry in reversed(record.entries) if entry.key not in wanted]
    back = [_of_entry(entry, node, is_takeover, is_held=entry.key in held) for entry in unwanted]
    foreign = [step for step in back if step.action is Action.FOREIGN]
    return (*back, *(_beside(foreign, _of_knob(knob, entries, is_takeover)) for knob in knobs))


def _beside(foreign: Sequence[Step], step: Step) -> Step:
    """What was changed by somebody else stays so, also where another profile names other keys of a card with it."""
    if step.action is not Action.CHANGE or step.control is None:
        return step
    for other in foreign:
        if other.entry is not None and other.kind == step.kind and overlap(other.entry.where, step.control.where):
            return replace(step, action=Action.FOREIGN, note=other.note)
    return step


def _of_knob(knob: Knob, entries: dict[Key, Entry], is_takeover: bool) -> Step:
    step = _blank(knob)
    if knob.not_needed:
        return replace(step, action=Action.NOT_NEEDED, note=knob.not_needed)
    if knob.control is None:
        return replace(step, note=knob.absent)
    step = replace(step, entry=entries.get(key_of(knob.control)))
    try:
        return _compared(step, knob.control, knob, is_takeover)
    except UnavailableError as error:
        return replace(step, note=str(error), obstacle=str(error))


def _blank(knob: Knob) -> Step:
    """As for a knob that cannot be had."""
    action = Action.REFUSE if knob.required else Action.SKIP
    kind = knob.control.kind if knob.control is not None else ""
    return Step(knob.name, kind, action, knob.control, knob.aim, knob.required, knob.why, knob.source)


def _compared(step: Step, control: Control, knob: Knob, is_takeover: bool) -> Step:
    found, aim = plain(control.read()), knob.aim
    step = replace(step, is_read=True, found=found, target=plain(aim.target(found)), is_met=aim.is_met(found))
    if _is_right(step, control):
        return replace(step, action=Action.KEEP)
    if _is_rounded(step):
        if ignored := _ignored(step, found):
            return replace(step, action=Action.SKIP, note=f"the driver leaves {' and '.join(ignored)} as it is")
        return replace(step, action=Action.KEEP, note=f"the driver made this of {step.target}")
    if _is_outgrown(step, knob.floor):
        note = f"this machine would have {step.target} by now: the next apply sets it"
        step, obstacle = replace(step, note=note, is_outgrown=True), control.obstacle()
        return replace(step, action=Action.KEEP if obstacle else Action.CHANGE, obstacle=obstacle or "")
    if is_foreign(step.entry, control, found) and not step.is_met and not is_takeover:
        return replace(step, action=Action.FOREIGN, note=_foreign_note(step.entry, control, found))
    if obstacle := control.obstacle():
        return replace(step, note=obstacle, obstacle=obstacle)
    return replace(step, action=Action.CHANGE)


def _is_right(step: Step, control: Control) -> bool:
    if not control.is_own:
        return step.is_met
    # Our own things are made anew unless they are known to be as we left them: by name alone nobody can tell.
    applied = step.entry.applied if step.entry is not None else None
    return step.is_met and applied is not None and applied.value == step.found


def _is_rounded(step: Step) -> bool:
    """Whether a driver made other numbers of those that are wanted, as of ring sizes, and would again: each write may
    take the link down for a moment."""
    entry, found, target = _as_left(step), step.found, step.target
    if entry is None or entry.wanted != target:
        return False
    if not isinstance(found, Mapping) or not isinstance(target, Mapping) or found.keys() != target.keys():
        return False
    return all(found[key] == value or (is_number(found[key]) and is_number(value)) for key, value in target.items())


def _ignored(step: Step, found: Mapping[str, Any]) -> list[str]:
    """Which numbers a driver took and did nothing about: they are what they were before us, and no rounding of what is
    wanted."""
    original: Any = step.entry.original if step.entry is not None else {}
    target: Any = step.target
    stayed = [key for key in target if found[key] != target[key] and found[key] == original.get(key)]
    return [key for key in stayed if not is_rounded_up(found[key], target[key])]


def _is_outgrown(step: Step, floor: Aim | None) -> bool:
    entry, found = _as_left(step), step.found
    if floor is None or entry is None:
        return False
    return found == entry.wanted != step.target and floor.is_met(found)


def _as_left(step: Step) -> Entry | None:
    """What is on record of it, where that is settled, and found is what we left there."""
    entry = step.entry
    if entry is None or entry.is_begun or entry.is_unsettled or entry.applied is None:
        return None
    return entry if entry.applied.value == step.found else None


def is_foreign(entry: Entry | None, control: Control, found: Value) -> bool:
    """Whether somebody else set it to `found`, or part of it, after we had set it."""
    if entry is None or not entry.is_touched or entry.is_unsettled or control.is_own:
        return False
    if entry.is_original(found) or entry.is_ours(found):
        return False
    merged = _merged(entry, control, found)
    return merged is None or merged != entry.original


def _merged(entry: Entry, control: Control, found: Value) -> Value:
    merged: Value = plain(control.merged(entry.original, entry.left, found))
    return merged


def _foreign_note(entry: Entry | None, control: Control, found: Value) -> str:
    applied = entry.applied.value if entry is not None and entry.applied is not None else None
    set_to = f"the tuner set it to {applied}, and " if applied is not None else ""
    way_out = "" if control.obstacle() else " (--take-over overwrites it)"
    return f"{set_to}somebody else to {found}: left as it is{way_out}"


def _of_entry(entry: Entry, node: Node, is_takeover: bool, *, is_held: bool) -> Step:
    step = Step(
        entry.name,
        entry.kind,
        Action.SKIP,
        None,
        None,
        False,
        _UNWANTED,
        "",
        entry=entry,
        target=entry.original,
        is_held=is_held,
    )
    try:
        control = node.find(entry.kind, entry.where)
        step = replace(step, control=control, is_read=True, found=plain(control.read()))
    except GoneError as error:
        return replace(step, action=Action.GONE, note=str(error))
    except UnavailableError as error:
        return replace(step, action=Action.HOLD if is_held else Action.SKIP, note=str(error))
    return _put_back(step, entry, control, is_takeover)


def _put_back(step: Step, entry: Entry, control: Control, is_takeover: bool) -> Step:
    right = Action.HOLD if step.is_held else Action.FORGET
    if not entry.is_touched:
        return replace(step, action=right)
    if is_foreign(entry, control, step.found):
        merged = _merged(entry, control, step.found)
        if merged is None and not is_takeover:
            return replace(step, action=Action.FOREIGN, note=_foreign_note(entry, control, step.found))
        if merged is not None:
            entry = replace(entry, original=merged)
            step = replace(step, entry=entry, target=merged, note=f"what others put in stays: {merged}")
    if entry.is_original(step.found):
        return replace(step, action=right)
    if obstacle := control.obstacle():
        return replace(step, note=obstacle, obstacle=obstacle)
    return replace(step, action=Action.PUT_BACK)
