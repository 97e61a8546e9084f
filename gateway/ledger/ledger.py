"""Writes a ledger: one thread that appends, syncs and names the head, so that nobody waits for a disk.

A line counts once it is synced. What cannot be written is tried again, from where the chain stands; what finds no room
meanwhile is lost, counted, and told in the ledger itself as soon as there is room again.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from gateway.clock import WallClock, monotonic_s
from gateway.errors import ConfigError
from gateway.ledger.chain import Link, seal, written
from gateway.ledger.files import FILE_MODE, Files
from gateway.ledger.recovery import find_tail
from gateway.metrics import Sample

log = structlog.get_logger()

MAX_WAITING = 10_000
"""Records that wait for the disk: three minutes of fifty tables with a round each second, some 20 MB."""
MAX_BATCH = 256
"""Lines between two syncs: one sync for all that came while the disk was busy with the last."""
RETRY_S = 1.0
CLOSE_WITHIN_S = 3.0


class _Waiting(NamedTuple):
    at_unix_ms: int
    kind: str
    fields: str


class Ledger:
    """See the module. `append` and `flush` are for any thread."""

    def __init__(self, directory: Path, name: str, file_bytes: int, clock: WallClock) -> None:
        """Take up the ledger `name` in `directory`, which is made if need be. A file ends at `file_bytes`.

        ConfigError when another process writes it, or nothing can be written there.
        """
        self.lines = 0
        """Written and synced since the start, headers included."""
        self.failures = 0
        """Attempts that the disk refused, and records that were lost."""
        self._file_bytes = file_bytes
        self._clock = clock
        self._files = Files(directory, name)
        self._waiting: deque[_Waiting] = deque()
        self._lost = 0
        self._is_closing = False
        self._changed = threading.Condition()
        try:
            directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._lock = self._files.lock()
            self._take_up()
        except OSError as error:
            raise ConfigError(f"the {name} in {directory} cannot be written: {error.strerror or error}") from error
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def head(self) -> Link:
        """The last line that is on the disk."""
        return self._last

    def samples(self) -> Iterator[Sample]:
        """For a scrape, of the ledger of rounds."""
        yield "railbird_ledger_lines_total", (), self.lines
        yield "railbird_ledger_failures_total", (), self.failures

    # For everybody

    def append(self, kind: str, record: Mapping[str, Any], now_s: float) -> None:
        """Have a line of that type written, with what `record` is now. Never waits, never raises."""
        try:
            waiting = _Waiting(self._unix_ms(now_s), kind, written(record))
        except (ValueError, TypeError, RecursionError):
            self.failures += 1
            log.exception("record cannot be written", ledger=self._files.name, kind=kind)
            return
        with self._changed:
            if self._is_closing or len(self._waiting) >= MAX_WAITING:
                self.failures += 1
                self._lost += 1
                return
            self._own_up(waiting.at_unix_ms)
            self._waiting.append(waiting)
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was appended is on the disk; False when it is not by then."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def close(self) -> None:
        """Write what waits, within CLOSE_WITHIN_S, and let go of the directory. Again: nothing."""
        with self._changed:
            if self._is_closing:
                return
            self._own_up(self._unix_ms(monotonic_s()))
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_WITHIN_S)
        if self._waiting:
            self.failures += len(self._waiting)
            log.error("records are lost", ledger=self._files.name, records=len(self._waiting))
        if not self._thread.is_alive():
            os.close(self._descriptor)
            os.close(self._lock)

    def _own_up(self, at_unix_ms: int) -> None:
        """Let the ledger say what is missing from it, at the place where that should stand."""
        if self._lost:
            self._waiting.append(_Waiting(at_unix_ms, "lost", written({"records": self._lost})))
            self._lost = 0

    def _unix_ms(self, now_s: float) -> int:
        return int(self._clock.unix_s(now_s) * 1000)

    # The thread

    def _run(self) -> None:
        is_closing = False
        while not is_closing:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
            while self._waiting and self._write_some():
                pass
            with self._changed:
                is_closing = self._changed.wait_for(lambda: self._is_closing, RETRY_S if self._waiting else 0)
        # Once more: what came last, or what the disk refused before.
        while self._waiting and self._write_some():
            pass

    def _write_some(self) -> bool:
        with self._changed:
            batch = list(islice(self._waiting, MAX_BATCH))
        try:
            took = self._write(batch)
        except OSError as error:
            self._fail(error)
            return False
        with self._changed:
            for _ in range(took):
                self._waiting.popleft()
            self._changed.notify_all()
        return True

    def _fail(self, error: OSError) -> None:
        self.failures += 1
        log.error("ledger cannot be written", ledger=self._files.name, error=error.strerror or str(error))

    # The files

    def _take_up(self) -> None:
        tail = find_tail(self._files)
        self._number, self._size_bytes, self._last = max(tail.number, 1), tail.size_bytes, tail.last
        self._descriptor = self._open(self._number)
        recovered = []
        if tail.recovered is not None:
            cut = tail.recovered["cut"]
            cut_bytes, problem = cut["bytes"] if cut is not None else 0, tail.recovered["problem"]
            log.warning("ledger was recovered", ledger=self._files.name, cut_bytes=cut_bytes, problem=problem)
            recovered.append(_Waiting(self._unix_ms(monotonic_s()), "recovered", written(tail.recovered)))
        self._write(recovered)
        self._files.write_head(self._last)

    def _open(self, number: int) -> int:
        return os.open(self._files.path(number), os.O_RDWR | os.O_CREAT, FILE_MODE)

    def _write(self, batch: list[_Waiting]) -> int:
        """Append as much of the batch as the file has room for, its header before all else; how much that was."""
        if self._size_bytes >= self._file_bytes:
            opened = self._open(self._number + 1)
            os.close(self._descriptor)
            self._descriptor, self._number, self._size_bytes = opened, self._number + 1, 0
        payload, last, took = b"", self._last, 0
        if self._size_bytes == 0:
            payload, last = seal(last, self._unix_ms(monotonic_s()), "file", self._header())
        for each in batch:
            if took and self._size_bytes + len(payload) >= self._file_bytes:
                break
            line, last = seal(last, *each)
            payload += line
            took += 1
        if payload:
            self._put(payload, last)
        return took

    def _header(self) -> str:
        """What a file's first line says: its own name, and that of the file before."""
        before = self._files.path(self._number - 1).name if self._number > 1 else None
        return written({"file": self._files.path(self._number).name, "before": before})

    def _put(self, payload: bytes, last: Link) -> None:
        """Write where the chain ends, whatever an attempt that failed has left there."""
        done = 0
        while done < len(payload):
            done += os.pwrite(self._descriptor, payload[done:], self._size_bytes + done)
        os.ftruncate(self._descriptor, self._size_bytes + len(payload))
        os.fsync(self._descriptor)
        if self._size_bytes == 0:
            self._files.sync_directory()
        self._size_bytes += len(payload)
        self.lines += last.seq - self._last.seq
        self._last = last
        try:
            self._files.write_head(last)
        except OSError as error:  # the line is there: only the head is behind, until the next one
            self._fail(error)
