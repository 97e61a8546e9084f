"""JSON of a stranger, of which less is taken than there is (RFC 8259). Pure.

What comes out can be written again as JSON in UTF-8, and every reader of that sees the same values.
"""

import json
import math
from typing import Any, NoReturn

from gateway.errors import WireError

MAX_FIELDS = 64
"""Values in a message, nested ones included: a bet names an amount and a place, or a few of them."""
MAX_DEPTH = 4
"""Of objects and arrays in a message, itself included: an upstream reads it with whatever parser it has."""
MAX_INTEGER_DIGITS = 18
"""Of opaque fields: beyond 64 bits each reader sees another number."""


def parse_json(text: str, max_bytes: int) -> Any:
    """The value in `text`. WireError for whatever it cannot be."""
    if len(text) > max_bytes or (not text.isascii() and len(text.encode(errors="surrogatepass")) > max_bytes):
        raise WireError(f"A message has at most {max_bytes} bytes.")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse_constant, parse_int=_integer
        )
    except WireError:
        raise
    except (ValueError, RecursionError):
        raise WireError("The message is no JSON.") from None
    if _count(value, MAX_DEPTH) > MAX_FIELDS:
        raise WireError(f"A message has at most {MAX_FIELDS} values.")
    if not text.isascii() or "\\u" in text:
        _require_unicode(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of a duplicate key would see two different bets."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WireError("A key stands in an object twice.")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise WireError("A number is too large.")
    return number


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS:
        raise WireError("A number is too large.")
    return int(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise WireError(f"{name} is no number of JSON.")


def _count(value: Any, depth: int) -> int:
    """The values in `value`. WireError for what is nested deeper than `depth`."""
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    else:
        return 1
    if depth == 0:
        raise WireError(f"A message is nested at most {MAX_DEPTH} deep.")
    return 1 + sum(_count(each, depth - 1) for each in inner)


def _require_unicode(value: Any) -> None:
    """A half of a surrogate pair has no UTF-8: neither a log nor an upstream could be told of it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise WireError("A string holds half of a surrogate pair.") from None
