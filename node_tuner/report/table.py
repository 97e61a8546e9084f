"""A report for people."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from node_tuner.contract import Value
from node_tuner.report.finding import Section

_WORDS: Mapping[object, str] = {True: "yes", False: "no", None: "unknown"}


def show(sections: Iterable[Section], console: Console) -> None:
    """A table; sections are told as they are found."""
    for section in sections:
        table = Table(title=Text(section.title), title_justify="left", show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold", no_wrap=True, min_width=26)
        table.add_column(min_width=10)
        table.add_column(style="dim")
        for finding in section.findings:
            table.add_row(*map(Text, (finding.name, told(finding.value), finding.note)))
        console.print(table)
        console.print()


def told(value: Value) -> str:
    """`yes`, `unknown`, `rx 256, tx 256`."""
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {told(each)}" for key, each in value.items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(told, value)) or "none"
    return str(value)
