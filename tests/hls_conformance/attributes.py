"""Attribute lists (section 4.2), read strictly: what the draft does not allow raises PlaylistError."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_DECIMAL_INTEGER: Final = 2**64 - 1


class PlaylistError(Exception):
    """The text is no legal playlist: what is wrong, and against which section."""

    def __init__(self, sentence: str, section: str = "4.2") -> None:
        super().__init__(sentence)
        self.section = section


_PAIR: Final = re.compile(r'(?P<name>[A-Z0-9-]+)=(?P<value>"[^"]*"|[^",\s]+)(?P<end>,|$)')

VALUE_TYPES: Final = {
    "decimal-integer": re.compile(r"[0-9]{1,20}"),
    "hexadecimal-sequence": re.compile(r"0[xX][0-9A-F]+"),
    "decimal-floating-point": re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+"),
    "signed-decimal-floating-point": re.compile(r"-?([0-9]+(\.[0-9]+)?|\.[0-9]+)"),
    "quoted-string": re.compile(r'"[^"\r\n]+"'),
    "quoted-string-or-empty": re.compile(r'"[^"\r\n]*"'),
    "quoted-integer": re.compile(r'"[0-9]{1,20}"'),
    "enumerated-string": re.compile(r"[^\",\s]+"),
    "enumerated-string-list": re.compile(r'"[^",\s]+(,[^",\s]+)*"'),
    "decimal-resolution": re.compile(r"[0-9]+x[0-9]+"),
    "byte-range": re.compile(r'"[0-9]+(@[0-9]+)?"'),
    "YES": re.compile(r"YES"),
    "YES-or-NO": re.compile(r"YES|NO"),
    "extension": re.compile(r'"[^"\r\n]*"|0[xX][0-9A-F]+|-?[0-9]*\.?[0-9]+'),
}
"""Each type of section 4.2, and those enumerations that several tags share."""


@dataclass(frozen=True)
class Form:
    """Which attributes a tag may have: name to type, and which of them it must have. `X-` stands for every X- name."""

    types: Mapping[str, str]
    required: frozenset[str] = frozenset()


class Attributes(dict[str, str]):
    """The list of one tag: name to the value as written."""

    def text(self, name: str) -> str:
        """A quoted-string without its quotes. KeyError where there is none."""
        return self[name][1:-1]

    def seconds(self, name: str) -> float:
        return float(self[name])

    def integer(self, name: str) -> int:
        return int(self[name])

    def says(self, name: str) -> bool:
        """Whether the attribute is there and YES."""
        return self.get(name) == "YES"


def read_attributes(text: str, form: Form) -> Attributes:
    """Read an attribute list. PlaylistError for bad syntax, a name twice or unknown, a wrong type, one missing."""
    attributes = Attributes()
    position = 0
    while position < len(text) or not attributes:
        pair = _PAIR.match(text, position)
        if pair is None or (pair["end"] == "," and pair.end() == len(text)):
            raise PlaylistError(f"no attribute list from {text[position : position + 40]!r} on")
        if pair["name"] in attributes:
            raise PlaylistError(f"{pair['name']} appears more than once")
        _check_type(pair["name"], pair["value"], form)
        attributes[pair["name"]] = pair["value"]
        position = pair.end()
    if missing := form.required - attributes.keys():
        raise PlaylistError(f"{', '.join(sorted(missing))} is missing")
    return attributes


def _check_type(name: str, value: str, form: Form) -> None:
    value_type = form.types.get(name) or form.types.get("X-" if name.startswith("X-") else "")
    if value_type is None:
        raise PlaylistError(f"the attribute {name} is not defined for this tag")
    if not VALUE_TYPES[value_type].fullmatch(value):
        raise PlaylistError(f"{name}={value} is no {value_type}")
    if value_type == "decimal-integer" and int(value) > MAX_DECIMAL_INTEGER:
        raise PlaylistError(f"{name}={value} is larger than 2^64-1")
