"""What people read: a table of a plan, a result or a restore, and one sentence below it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from node_tuner.contract import Value
from node_tuner.engine.plan import Action, Plan, Step
from node_tuner.engine.restore import Fate, Restored
from node_tuner.result import KnobResult, Overall, State, overall

_MAX_VALUE_CHARACTERS = 60
"""Of a value in a table; --json has all of it."""

_NO_TERMINAL_COLUMNS = 160

_PRIVILEGE = "needs "
"""So begins what controls say is in the way where it is a privilege."""

_ACTION_STYLES = {
    Action.CHANGE: "cyan",
    Action.PUT_BACK: "cyan",
    Action.SKIP: "yellow",
    Action.FOREIGN: "yellow",
    Action.REFUSE: "bold red",
    Action.NOT_NEEDED: "dim",
}
_STATE_STYLES = {State.SKIPPED: "yellow", State.FOREIGN: "yellow", State.FAILED: "bold red", State.NOT_NEEDED: "dim"}
_FATE_STYLES = {Fate.FOREIGN: "yellow", Fate.FAILED: "bold red", Fate.GONE: "dim", Fate.AS_IT_WAS: "dim"}

_PLANNED = {
    Action.CHANGE: "to be changed",
    Action.PUT_BACK: "to be put back",
    Action.FOREIGN: "changed by somebody else",
    Action.SKIP: "skipped",
    Action.NOT_NEEDED: "not needed here",
    Action.REFUSE: "required and not to be had",
}
_STATES = {
    State.TUNED: "as wanted",
    State.SKIPPED: "skipped",
    State.NOT_NEEDED: "not needed here",
    State.FOREIGN: "changed by somebody else",
    State.FAILED: "failed",
}


def show(table: Table | None, sentence: str = "") -> None:
    """On standard output."""
    console = output()
    if table is not None:
        console.print(table)
    console.print(sentence, soft_wrap=True)


def output() -> Console:
    """Standard output, as wide as a terminal is; a log gets wide lines. Values are nobody's markup."""
    console = Console(markup=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, width=_NO_TERMINAL_COLUMNS)


def plan_table(plan: Plan) -> Table:
    """A row for each step."""
    table = _table("what", "", "now", "wanted", "why")
    for step in plan:
        action = Text(step.action.value, style=_ACTION_STYLES.get(step.action, ""))
        table.add_row(step.name, action, shown(step.found), step.wanted, _reason(step.note, step.why))
    return table


def plan_sentence(plan: Plan) -> str:
    """What apply would come to."""
    refused = [step for step in plan if step.action is Action.REFUSE]
    if refused:
        return f"apply would change nothing, because it is required and cannot be had: {_names(refused)}."
    counts = Counter(step.action for step in plan)
    due = _counted(_PLANNED, counts)
    right = counts[Action.KEEP]
    if not counts[Action.CHANGE] and not counts[Action.PUT_BACK]:
        return f"There is nothing to change: {', '.join([f'{right} as wanted', *due])}."
    return f"{', '.join([f'{right} as wanted already', *due])}."


def refused_sentence(refusals: Sequence[Step]) -> str:
    """Why apply did nothing."""
    return f"Nothing was changed, because it is required and cannot be had: {_names(refusals)}."


def result_table(knobs: Iterable[KnobResult]) -> Table:
    """A row for each knob."""
    table = _table("what", "", "now", "wanted", "why")
    for knob in knobs:
        state = Text(knob.state.value.replace("_", " "), style=_STATE_STYLES.get(knob.state, "green"))
        table.add_row(knob.name, state, shown(knob.found), knob.wanted, _reason(knob.note, knob.why))
    return table


def result_sentence(knobs: Sequence[KnobResult]) -> str:
    """The verdict; what stands in the way is named."""
    verdict = overall(knobs)
    counted = ", ".join(_counted(_STATES, Counter(knob.state for knob in knobs))) or "no knobs"
    if verdict is not Overall.FAILED:
        return f"The node is {verdict.value}: {counted}."
    off = [knob for knob in knobs if knob.required and not knob.state.is_as_wanted]
    return f"The node is not fit for media, for want of {_names(off)}: {counted}."


def restored_table(rows: Iterable[Restored]) -> Table:
    """A row for each entry of the record, in the order in which they are put back."""
    table = _table("what", "", "was found", "originally", "note")
    for row in rows:
        fate = Text(row.fate.value, style=_FATE_STYLES.get(row.fate, "green"))
        table.add_row(row.name, fate, shown(row.found), shown(row.original), row.note)
    return table


def restored_sentence(rows: Sequence[Restored], *, is_dry_run: bool) -> str:
    """What is left of us."""
    if not rows:
        return "Nothing is on record, so there is nothing to put back."
    counts = Counter(row.fate for row in rows)
    counted = ", ".join(f"{counts[fate]} {fate.value}" for fate in Fate if counts[fate])
    if is_dry_run:
        return f"restore would come to: {counted}."
    left = counts[Fate.FAILED] + counts[Fate.FOREIGN]
    return f"{counted}; {f'{left} still on record' if left else 'nothing is left on record'}."


def lacking(plan: Iterable[Step]) -> list[str]:
    """`needs CAP_NET_ADMIN: conntrack.bypass, dscp.nft`: one for each privilege that this process would need."""
    by_privilege: dict[str, list[str]] = {}
    for step in plan:
        if step.obstacle.startswith(_PRIVILEGE):
            by_privilege.setdefault(step.obstacle, []).append(step.name)
    return [f"{privilege}: {', '.join(names)}" for privilege, names in by_privilege.items()]


def shown(value: Value) -> str:
    """A value in a few words."""
    if value is None:
        return "-"
    if isinstance(value, str | int):
        return _short(str(value) or '""')
    if isinstance(value, Sequence):
        return _short(", ".join(shown(each) for each in value))
    return _short(", ".join(f"{key} {shown(each)}" for key, each in value.items()))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    table.columns[0].no_wrap = True
    return table


def _reason(note: str, why: str) -> str:
    return note or why


def _names(of: Sequence[Step] | Sequence[KnobResult]) -> str:
    return "; ".join(f"{each.name} ({each.note})" if each.note else each.name for each in of)


def _counted(words: dict[Action, str] | dict[State, str], counts: Counter[Action] | Counter[State]) -> list[str]:
    return [f"{counts[each]} {said}" for each, said in words.items() if counts[each]]  # type: ignore[index]


def _short(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[: _MAX_VALUE_CHARACTERS - 1]}…"
