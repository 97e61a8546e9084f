"""From a plan, as it reads after the deed, to the rows of the result."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

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
    shown = [step for step in plan if step.aim is not None or step.action in _UNWANTED]
    names = _names(shown)
    return tuple(_row(step, name, failures or {}) for step, name in zip(shown, names, strict=True))


def _names(steps: Sequence[Step]) -> Iterator[str]:
    """They are labels of a metric, where none may be there twice: what is left on another interface is marked."""
    counts: Counter[str] = Counter()
    for step in steps:
        counts[step.name] += step.aim is None
        number = "" if counts[step.name] < 2 else f".{counts[step.name]}"
        yield step.name if step.aim is not None else f"{step.name}.unwanted{number}"


def _state(step: Step, is_failure: bool) -> State:
    if step.aim is None:
        return State.FAILED if is_failure else State.NOT_NEEDED
    if step.action is Action.CHANGE and step.is_met and (step.entry is None or step.entry.applied is None):
        return State.TUNED  # a thing of our own from before the record was lost
    if step.is_outgrown and not is_failure:
        return State.TUNED
    if step.action is Action.SKIP and step.is_touched:
        return State.FAILED  # it could be had once
    return _STATES[step.action]


def _row(step: Step, name: str, failures: Mapping[Key, str]) -> KnobResult:
    entry = step.entry if step.is_touched else None
    state = _state(step, step.key in failures)
    return KnobResult(
        name=name,
        kind=step.kind,
        required=step.required,
        state=state,
        wanted=step.wanted,
        found=step.found,
        original=entry.original if entry is not None else step.found,
        changed=entry is not None,
        why=step.why,
        note=step.note if state is State.TUNED else failures.get(step.key) or step.note or _NOTES.get(step.action, ""),
    )
