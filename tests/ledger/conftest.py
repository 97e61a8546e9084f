"""Ledgers in directories of their own, and hands that meddle with their files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.clock import WallClock, monotonic_s
from gateway.ledger.ledger import Ledger

FILE_BYTES = 4096
CLOCK = WallClock(1_790_000_000.0 - monotonic_s())

Open = Callable[..., Ledger]


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Open]:
    """Opens the ledger of `tmp_path`, or another; closes what the test leaves open."""
    opened: list[Ledger] = []

    def open_one(name: str = "ledger", file_bytes: int = FILE_BYTES) -> Ledger:
        opened.append(Ledger(tmp_path, name, file_bytes, CLOCK))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


def append(ledger: Ledger, *names: object) -> None:
    """A round of each name, on the disk."""
    for name in names:
        ledger.append("round", {"roundId": str(name), "padding": "x" * 200}, monotonic_s())
    assert ledger.flush(10.0)


def lines_of(directory: Path, number: int) -> list[bytes]:
    """Of one file, with their newlines."""
    return (directory / f"ledger-{number:06d}.jsonl").read_bytes().splitlines(keepends=True)


def all_lines(directory: Path) -> list[bytes]:
    """Of all files."""
    return [line for path in sorted(directory.glob("ledger-*.jsonl")) for line in path.read_bytes().splitlines()]


def put_lines(directory: Path, number: int, lines: list[bytes]) -> None:
    """Instead of those of the file."""
    (directory / f"ledger-{number:06d}.jsonl").write_bytes(b"".join(lines))
