"""Which metrics, labels and values a PromQL expression names. No parser: what our own rules and dashboard need."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SELECTOR = re.compile(r"(?<![\w:])(?P<name>[a-zA-Z_][\w:]*)(?:\{(?P<matchers>[^}]*)\})?")
_MATCHER = re.compile(r'(?P<label>\w+)\s*(?P<operator>=~|!~|!=|=)\s*"(?P<value>[^"]*)"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\((?P<labels>[^)]*)\)")
_OURS = re.compile(r"railbird_|process_|instance:|instance_leg:")


@dataclass(frozen=True)
class Selector:
    """A metric, with what is asked of its labels."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    """(label, operator, value)."""


def selectors(expression: str) -> Iterator[Selector]:
    """Every metric of ours, in order."""
    for found in _SELECTOR.finditer(expression):
        if _OURS.match(found["name"]):
            matchers = _MATCHER.findall(found["matchers"] or "")
            yield Selector(found["name"], tuple(matchers))


def grouped_by(expression: str) -> set[str]:
    """The labels that anything is grouped or joined by."""
    return {label.strip() for found in _GROUPING.finditer(expression) for label in found["labels"].split(",") if label}
