"""Whether a ledger is what was written: the first fault, with the file and the line where it shows.

What the chain cannot show is in docs/ledger.md: above all, somebody who writes all of it anew, head included. For that
an anchor helps: a head's hash that was kept elsewhere.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import RailbirdError
from gateway.ledger.chain import ChainError, Line, Link, check_follows, parse_line
from gateway.ledger.files import Files
from gateway.ledger.recovery import is_tampering


class VerificationError(RailbirdError):
    """The first fault. `file` and `line_number` say where (0: the file as a whole), `what` is one of changed, removed,
    reordered, inserted, truncated, head missing, anchor missing."""

    def __init__(self, file: str, line_number: int, what: str, how: str) -> None:
        super().__init__(f"{file}:{line_number}: {what}: {how}")
        self.file = file
        self.line_number = line_number
        self.what = what


@dataclass(slots=True)
class Verified:
    """What a ledger without fault has."""

    kinds: Counter[str] = field(default_factory=Counter)
    """Lines by their type."""
    head: Link = field(default_factory=Link)
    behind: int = 0
    """Lines that are not named by the head file yet, as after a crash, or while somebody writes."""
    after_anchor: int = 0
    """Lines that were written since the anchor was taken."""

    @property
    def lines(self) -> int:
        """All of them, headers included."""
        return self.kinds.total()


@dataclass(frozen=True, slots=True)
class _Place:
    file: str
    line_number: int
    is_last_file: bool

    def fault(self, what: str, how: str) -> VerificationError:
        return VerificationError(self.file, self.line_number, what, how)


def verify(directory: Path, name: str = "ledger", anchor: str | None = None) -> Verified:
    """Read the whole ledger. VerificationError for the first thing that is not as it was written; OSError where it
    cannot be read."""
    files = Files(directory, name)
    head = files.head()  # before the lines: somebody may be writing
    verified, anchored_seq, head_hash = Verified(), None, None
    place = _Place(files.path(1).name, 0, True)
    for place, raw in _raw_lines(files):
        line = _checked(files, place, raw, verified.head)
        verified.kinds[line.kind] += 1
        verified.head = Link(line.seq, line.hash)
        if head is not None and line.seq == head.seq:
            head_hash = line.hash
        if line.hash == anchor:
            anchored_seq = line.seq
    _check_head(files, place, head, head_hash, verified.head)
    if anchor is not None and anchored_seq is None:
        raise place.fault("anchor missing", "no line has that hash: what was anchored is changed, or gone")
    verified.behind = verified.head.seq - (head.seq if head is not None else 0)
    verified.after_anchor = verified.head.seq - (anchored_seq or 0)
    return verified


def _raw_lines(files: Files) -> Iterator[tuple[_Place, bytes]]:
    """Every line with its newline, if it has one. VerificationError for a file that is gone, or has nothing."""
    numbers = files.numbers()
    for position in range(1, max(numbers, default=1) + 1):
        file = files.path(position)
        if position not in numbers:
            raise VerificationError(file.name, 0, "removed", "there is no such file")
        is_last_file, line_number = position == numbers[-1], 0
        with file.open("rb") as opened:
            for line_number, raw in enumerate(opened, 1):
                yield _Place(file.name, line_number, is_last_file), raw
        if line_number == 0:
            raise VerificationError(file.name, 0, "truncated", "the file is empty")


def _checked(files: Files, place: _Place, raw: bytes, before: Link) -> Line:
    if not raw.endswith(b"\n"):
        raise place.fault("truncated", "the line is incomplete; after a crash the gateway's next start mends that")
    try:
        line = parse_line(raw[:-1])
    except ChainError as error:
        raise place.fault("changed", str(error)) from None
    try:
        check_follows(line, before)
    except ChainError as error:
        raise place.fault(_what_happened(files, line, before), str(error)) from None
    _check_header(files, place, line)
    if is_tampering(line):
        raise place.fault("changed", f"a start of the gateway found that {line.fields['problem']}")
    return line


def _what_happened(files: Files, line: Line, before: Link) -> str:
    """To a line with the right hash at the wrong place."""
    if line.seq <= before.seq:
        return "inserted"
    if line.seq == before.seq + 1:
        return "changed"
    return "reordered" if _exists(files, before.seq + 1) else "removed"


def _exists(files: Files, seq: int) -> bool:
    start = f'{{"seq":{seq},'.encode()
    for number in files.numbers():
        with files.path(number).open("rb") as opened:
            if any(raw.startswith(start) for raw in opened):
                return True
    return False


def _check_header(files: Files, place: _Place, line: Line) -> None:
    """A file begins by its own name: one that was renamed, or put in another's place, does not."""
    if (place.line_number == 1) != (line.kind == "file"):
        raise place.fault("changed", "a file begins with its header, and has no other")
    if line.kind == "file" and line.fields.get("file") != place.file:
        raise place.fault("reordered", f"the header is that of {line.fields.get('file')}")


def _check_head(files: Files, place: _Place, head: Link | None, head_hash: str | None, last: Link) -> None:
    if not last.seq:
        raise place.fault("removed", "there is no ledger here")
    if head is None:
        raise VerificationError(
            files.head_path.name, 0, "head missing", f"nothing says whether line {last.seq} was the last"
        )
    if head.seq > last.seq:
        raise place.fault("truncated", f"line {last.seq} is the last, but the head names line {head.seq}")
    if head.hash != head_hash:
        raise place.fault("changed", f"the head names line {head.seq} with another hash")
