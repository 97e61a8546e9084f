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

_UNWANTED = (Action.PUT_BACK, Action.SKIP, Action.FOREIGN)
"""Of what is on record and no longer wanted, that which has a row: not what is as it was before us, or gone."""

_NOTES: Mapping[Action, str] = {
    Action.CHANGE: "it is not as wanted",
    Action.PUT_BACK: "it is no longer wanted: the next apply puts it back",
}


def rows(plan: Plan, failures: Mapping[Key, str] | None = None) -> tuple[KnobResult, ...]:
    """One for each knob, and for what is left of earlier ones; `failures` says why one is not as it was to be."""
    failures = failures or {}
    return tuple(_row(step, failures) for step in plan if step.aim is not None or step.action in _UNWANTED)


def _state(step: Step, is_failure: bool) -> State:
    if step.aim is None:
        return State.FAILED if is_failure else State.NOT_NEEDED
    if step.action is Action.CHANGE and step.is_met and not step.is_touched:
        return State.TUNED  # a thing of our own from before the record was lost
    if step.action is Action.SKIP and step.is_touched:
        return State.FAILED  # it could be had once
    return _STATES[step.action]


def _row(step: Step, failures: Mapping[Key, str]) -> KnobResult:
    entry = step.entry if step.is_touched else None
    state = _state(step, step.key in failures)
    return KnobResult(
        name=step.name,
        kind=step.kind,
        required=step.required,
        state=state,
        wanted=step.wanted,
        found=step.found,
        original=entry.original if entry is not None else step.found,
        changed=entry is not None,
        why=step.why,
        note="" if state is State.TUNED else failures.get(step.key) or step.note or _NOTES.get(step.action, ""),
    )
