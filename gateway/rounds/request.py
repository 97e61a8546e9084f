"""What a studio asks of a round: the body of a POST to its stream's rounds, read once and strictly. Pure."""

import json
import re
from typing import Any, NoReturn

from gateway.errors import SignallingError
from gateway.rounds.rounds import Command
from gateway.rounds.states import FIRST_STATES, RoundState

MAX_BODY_BYTES = 4096
MAX_RESULT_BYTES = 2048
"""Of the result as JSON: every player gets it."""
MAX_RESULT_DEPTH = 16
"""Of objects and arrays within one another: what can be read at the door may be too deep for who writes it later, with
less of the stack left."""
MAX_INTEGER_DIGITS = 18
"""Of the result: beyond 64 bits each reader sees another number."""
MIN_CLOSES_IN_MS, MAX_CLOSES_IN_MS = 100, 3_600_000

_ROUND_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_FIELDS = frozenset({"state", "roundId", "closesInMs", "result"})
_STATES = {state.value: state for state in RoundState}


def parse_command(body: str) -> Command:
    """SignallingError 400 for what is no command; its sentence says what is wrong."""
    fields = _object(body)
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise _bad(f"a command has {', '.join(sorted(_FIELDS))}, and nothing else")
    state = _STATES.get(fields["state"]) if isinstance(fields.get("state"), str) else None
    if state is None:
        raise _bad(f"state is one of {', '.join(_STATES)}")
    round_id = _round_id(fields.get("roundId"))
    if round_id is None and state not in FIRST_STATES:
        raise _bad(f"{state.value} needs roundId: which round is meant")
    return Command(state, round_id, _closes_in_s(fields.get("closesInMs"), state), _result(fields.get("result"), state))


def is_round_id(value: str) -> bool:
    """1 to 64 letters, digits, underscores, dots, colons or dashes: it goes into playlists and logs as it is."""
    return _ROUND_ID.fullmatch(value) is not None


def _object(body: str) -> dict[str, Any]:
    try:
        fields = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _bad("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise _bad("the body is not a JSON object")
    return fields


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _round_id(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and is_round_id(value):
        return value
    raise _bad("roundId has 1 to 64 letters, digits, underscores, dots, colons or dashes")


def _closes_in_s(value: Any, state: RoundState) -> float | None:
    if value is None:
        return None
    if state is not RoundState.BETTING_OPEN:
        raise _bad("closesInMs goes with betting_open alone")
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not MIN_CLOSES_IN_MS <= value <= MAX_CLOSES_IN_MS:
        raise _bad(f"closesInMs is a whole number from {MIN_CLOSES_IN_MS} to {MAX_CLOSES_IN_MS}")
    return int(value) / 1000


def _result(value: Any, state: RoundState) -> Any:
    if value is None:
        return None
    if state is not RoundState.RESULT:
        raise _bad("a result goes with the state result alone")
    _check_values(value, MAX_RESULT_DEPTH)
    try:
        # 1e999 is read as infinity, and "\ud800" is no text: neither could be told to anybody.
        size_bytes = len(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    except ValueError:
        raise _bad("result has a number or a text that JSON cannot carry") from None
    if size_bytes > MAX_RESULT_BYTES:
        raise _bad(f"result is longer than {MAX_RESULT_BYTES} bytes")
    return value


def _check_values(value: Any, depth: int) -> None:
    """SignallingError 400 for what is nested deeper than `depth`, and for integers that are too long."""
    if isinstance(value, int) and abs(value) >= 10**MAX_INTEGER_DIGITS:
        raise _bad(f"result has an integer of more than {MAX_INTEGER_DIGITS} digits")
    if isinstance(value, dict | list):
        if depth == 0:
            raise _bad(f"result is nested more than {MAX_RESULT_DEPTH} deep")
        for each in value.values() if isinstance(value, dict) else value:
            _check_values(each, depth - 1)


def _bad(what: str) -> SignallingError:
    return SignallingError(400, f"{what[0].upper()}{what[1:]}.")
