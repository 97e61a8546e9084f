"""From a plan, as it reads after the deed, to the rows of the result."""

from collections.abc import Mapping

from node_tuner.engine.plan import Action, Plan, Step
from node_tuner.result import KnobResult, State
from node_tuner.state.record import Key

_STATES: Mapping[Action, State] = {
    Action.KEEP: State.TUNED,
    Action.CHANGE: State.FAILED,
    Action.SKIP: State.SKIPPED,
    Action.NOT_NEEDED: State.NOT_NEEDED,
    Action.REFUSE: State.FAILED,
    Action.FOREIGN: State.FOREIGN,
}

_UNWANTED_STATES: Mapping[Action, State] = {
    Action.PUT_BACK: State.FAILED,
    Action.SKIP: State.FAILED,
    Action.FOREIGN: State.NOT_NEEDED,
}
"""Of what is on record and no longer wanted. What is as it was before us, or gone, has no row."""

_NOTES: Mapping[Action, str] = {
    Action.CHANGE: "it is not as wanted",
    Action.PUT_BACK: "the next apply puts it back",
}


def rows(plan: Plan, notes: Mapping[Key, str] | None = None) -> tuple[KnobResult, ...]:
    """One for each knob, and for what could not be put back; `notes` say why one is not as it is wanted."""
    return tuple(
        _row(step, state, (notes or {}).get(step.key, "")) for step in plan if (state := _state(step)) is not None
    )


def _state(step: Step) -> State | None:
    if step.aim is None:
        return _UNWANTED_STATES.get(step.action)
    if step.action is Action.CHANGE and step.is_met and not step.is_touched:
        return State.TUNED  # a thing of our own from before the record was lost
    if step.action is Action.SKIP and step.is_touched:
        return State.FAILED  # it could be had once
    return _STATES[step.action]


def _row(step: Step, state: State, note: str) -> KnobResult:
    entry = step.entry if step.is_touched else None
    return KnobResult(
        name=step.name,
        kind=step.kind,
        required=step.required,
        state=state,
        wanted=str(step.aim) if step.aim is not None else "as it was before",
        found=step.found,
        original=entry.original if entry is not None else step.found,
        changed=entry is not None,
        why=step.why,
        note="" if state is State.TUNED else note or step.note or _NOTES.get(step.action, ""),
    )
