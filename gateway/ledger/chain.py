"""One line of a ledger, and how it hangs on the line before. Pure.

    {"seq":17,"prev":"<hash of line 16>","atUnixMs":1790000000000,"type":"round", ... ,"hash":"<64 hex digits>"}

`hash` is the SHA-256 of the line's own bytes with `,"hash":"..."` taken out, the newline left off: the bytes are what
is protected, so that no two readers can disagree about how JSON is written. The first line of all has 64 zeros as
`prev`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import RailbirdError

GENESIS = "0" * 64
"""`prev` of the first line."""

RESERVED = frozenset({"seq", "prev", "atUnixMs", "type", "hash"})
"""What a record may not call its own."""

_HASH_FIELD = re.compile(rb',"hash":"([0-9a-f]{64})"\}$')


class ChainError(RailbirdError):
    """A line is not what it was when it was written; the message says how that shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line whose own hash is right."""

    seq: int
    prev: str
    kind: str
    fields: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """What the next line hangs on."""

    seq: int = 0
    hash: str = GENESIS


def written(record: Mapping[str, Any]) -> str:
    """The fields of a record, as they stand in the line. ValueError for what JSON cannot say, such as NaN."""
    if RESERVED & record.keys():
        raise ValueError(f"a record cannot have {', '.join(sorted(RESERVED & record.keys()))}")
    return json.dumps(record, allow_nan=False, separators=(",", ":"))[1:-1]


def seal(before: Link, at_unix_ms: int, kind: str, fields: str) -> tuple[bytes, Link]:
    """The line that follows `before`, newline included, and what the next one hangs on. `fields` come from
    `written`."""
    seq = before.seq + 1
    head = f'"seq":{seq},"prev":"{before.hash}","atUnixMs":{at_unix_ms},"type":{json.dumps(kind)}'
    opened = "{" + head + (f",{fields}" if fields else "")
    digest = hashlib.sha256(f"{opened}}}".encode()).hexdigest()
    return f'{opened},"hash":"{digest}"}}\n'.encode(), Link(seq, digest)


def parse_line(line: bytes) -> Line:
    """A line without its newline. ChainError for one that was changed."""
    found = _HASH_FIELD.search(line)
    if found is None:
        raise ChainError("it does not end in its hash")
    if hashlib.sha256(line[: found.start()] + b"}").hexdigest() != found[1].decode():
        raise ChainError("it does not have the hash that it says")
    try:
        fields = json.loads(line)
        return Line(int(fields["seq"]), str(fields["prev"]), str(fields["type"]), fields, found[1].decode())
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ChainError("it is not a line of a ledger") from None


def check_follows(line: Line, before: Link) -> None:
    """ChainError unless `line` is the one after `before`."""
    if line.seq > before.seq + 1:
        raise ChainError(f"lines {before.seq + 1} to {line.seq - 1} should come before it")
    if line.seq <= before.seq:
        raise ChainError(f"line {line.seq} stands before it already")
    if line.prev != before.hash:
        raise ChainError("it does not hang on the line before: that one was changed, or this one inserted")
