"""Attribute lists of playlist tags (draft-pantos-hls-rfc8216bis section 4.2)."""

import re
from collections.abc import Mapping
from functools import lru_cache

from gateway.errors import WireError

Attributes = Mapping[str, str]
"""Name -> value as it was written, with its quotes."""

MAX_LISTS_KEPT = 4_096
"""Parsed ones: each stands in every playlist until it leaves the window, and is asked for by hundreds of players."""

_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]*)?", re.ASCII)
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)')


@lru_cache(MAX_LISTS_KEPT)
def parse_attributes(text: str) -> Attributes:
    """WireError for what is no list, or names an attribute twice."""
    attributes: dict[str, str] = {}
    position = 0
    while position < len(text) or not attributes:
        found = _ATTRIBUTE.match(text, position)
        if found is None or found[1] in attributes:
            raise WireError(f"{text[:80]!r} is no attribute list.")
        attributes[found[1]] = found[2]
        position = found.end()
    if text.endswith(","):
        raise WireError(f"{text[:80]!r} ends with a comma.")
    return attributes


def quoted(attributes: Attributes, name: str) -> str | None:
    """A quoted string, without its quotes; None when it is not there. WireError for another kind of value."""
    value = attributes.get(name)
    if value is None:
        return None
    if len(value) < 2 or value[0] != '"':
        raise WireError(f"{name}={value[:80]} is no quoted string.")
    return value[1:-1]


def required(attributes: Attributes, name: str) -> str:
    """A quoted string that must be there."""
    value = quoted(attributes, name)
    if value is None:
        raise WireError(f"There is no {name}.")
    return value


def seconds(attributes: Attributes, name: str) -> float | None:
    """A decimal number of seconds; None when it is not there. WireError for what is none."""
    value = attributes.get(name)
    return None if value is None else decimal(value)


def says_yes(attributes: Attributes, name: str) -> bool:
    """An enumerated string, of which YES is the one that counts."""
    return attributes.get(name) == "YES"


def decimal(text: str) -> float:
    """A decimal floating point number: no sign, no exponent."""
    if _DECIMAL.fullmatch(text) is None:
        raise WireError(f"{text[:80]!r} is no decimal number.")
    return float(text)


def integer(text: str) -> int:
    """A decimal integer, 0 to 2**64 - 1."""
    if re.fullmatch(r"[0-9]{1,20}", text, re.ASCII) is None or int(text) >= 1 << 64:
        raise WireError(f"{text[:80]!r} is no decimal integer.")
    return int(text)
