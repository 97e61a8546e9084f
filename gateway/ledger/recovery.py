"""Where a ledger goes on after its process has ended, in whatever way.

A crash leaves at most an incomplete last line: it is cut off, and its bytes are kept in a `recovered` line. Anything
else that is amiss was done to the files: the ledger goes on all the same, as rounds go on, and says so in a `recovered`
line, for which verification fails.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

from gateway.ledger.chain import ChainError, Line, Link, check_follows, parse_line
from gateway.ledger.files import Files

MAX_KEPT_BYTES = 65_536
"""Of what is cut off: a line is a few kilobytes. What is longer was never one."""


@dataclass(slots=True)
class Tail:
    """The place where the next line goes."""

    number: int
    """Of the file; 0: there is none yet."""
    size_bytes: int
    """Of what is whole in it; 0: it has no header yet."""
    last: Link
    recovered: dict[str, Any] | None = None
    """What a `recovered` line has to say, if any."""
    hashes: dict[int, str] = field(default_factory=dict)
    """Of the lines that were read to find it, and of the one before them: the head has to name one of these."""


def find_tail(files: Files) -> Tail:
    """Read the end of the ledger. OSError where it cannot be read."""
    head, numbers = files.head(), files.numbers()
    tail = _read_tail(files, numbers) if numbers else Tail(0, 0, Link())
    problem = tail.recovered["problem"] if tail.recovered is not None else None
    problem = problem or _problem_with_head(head, tail)
    if problem is not None:
        tail.recovered = (tail.recovered or {"cut": None}) | {"problem": problem}
    return tail


def _read_tail(files: Files, numbers: list[int]) -> Tail:
    """The end of the last file; a header that is not whole makes it the last file's before."""
    number = numbers[-1]
    payload = files.path(number).read_bytes()
    size_bytes = payload.rfind(b"\n") + 1
    cut = _cut(files, number, payload[size_bytes:])
    lines = payload[:size_bytes].splitlines()
    if not lines:
        before = _read_tail(files, numbers[:-1]) if numbers[:-1] else Tail(0, 0, Link())
        return Tail(number, 0, before.last, cut, before.hashes)
    hashes, problem = _follow(lines, files.path(number).name)
    last_seq = max(hashes, default=0)
    last = Link(last_seq, hashes[last_seq]) if hashes else Link()
    if problem is None:
        return Tail(number, size_bytes, last, cut, hashes)
    # What was tampered with stays as it is: the next line begins another file.
    return Tail(number + 1, 0, last, {"cut": None, "problem": problem}, hashes)


def _follow(lines: list[bytes], name: str) -> tuple[dict[int, str], str | None]:
    """The hashes of the lines that hang on those before them, and what is wrong with the next one."""
    hashes: dict[int, str] = {}
    before: Link | None = None
    for number, each in enumerate(lines, 1):
        try:
            line = parse_line(each)
            if before is not None:
                check_follows(line, before)
        except ChainError as error:
            return hashes, f"{name}:{number}: {error}"
        hashes.setdefault(line.seq - 1, line.prev)
        before = Link(line.seq, line.hash)
        hashes[before.seq] = before.hash
    return hashes, None


def _cut(files: Files, number: int, incomplete: bytes) -> dict[str, Any] | None:
    if not incomplete:
        return None
    kept = base64.b64encode(incomplete[:MAX_KEPT_BYTES]).decode()
    cut = {"file": files.path(number).name, "bytes": len(incomplete), "base64": kept}
    return {"cut": cut, "problem": None}


def _problem_with_head(head: Link | None, tail: Tail) -> str | None:
    """What a crash cannot have done: a line is on the disk before the head names it."""
    if head is None:
        return "the head was missing" if tail.last.seq > 1 else None
    if head.seq > tail.last.seq:
        return f"the head named line {head.seq} with the hash {head.hash}, but line {tail.last.seq} was the last"
    if tail.hashes.get(head.seq, head.hash) != head.hash:
        return f"the head named line {head.seq} with the hash {head.hash}, but it had another"
    return None


def is_tampering(line: Line) -> bool:
    """Whether a line tells of what no crash does."""
    return line.kind == "recovered" and line.fields.get("problem") is not None
