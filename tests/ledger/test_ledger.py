"""Writing: lines, rotation, disks that refuse, and a process that ends."""

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import monotonic_s
from gateway.errors import ConfigError
from gateway.ledger import ledger as ledger_module
from gateway.ledger.verification import verify
from tests.ledger.conftest import CLOCK, FILE_BYTES, Open, append, lines_of


def _records(directory: Path, name: str = "ledger") -> list[dict[str, Any]]:
    paths = sorted(directory.glob(f"{name}-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def test_ledger_keeps_what_it_was_given_in_order(open_ledger: Open, tmp_path: Path) -> None:
    append(open_ledger(), *range(5))
    assert [line.get("roundId") for line in _records(tmp_path)] == [None, "0", "1", "2", "3", "4"]
    assert verify(tmp_path).kinds == {"file": 1, "round": 5}


def test_line_has_the_time_of_its_record(open_ledger: Open, tmp_path: Path) -> None:
    ledger = open_ledger()
    now_s = monotonic_s() - 100.0
    ledger.append("round", {}, now_s)
    assert ledger.flush(10.0)
    assert _records(tmp_path)[-1]["atUnixMs"] == int(CLOCK.unix_s(now_s) * 1000)


def test_line_is_synced_before_it_counts_and_before_the_head_names_it(
    open_ledger: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, fsync = open_ledger(), os.fsync
    synced: list[tuple[str, int]] = []

    def note(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, ledger.lines))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    lines = ledger.lines
    append(ledger, 0)
    assert synced == [("ledger-000001.jsonl", lines), ("ledger.head.new", lines + 1)]


def test_record_is_kept_as_it_was_when_it_was_given(open_ledger: Open, tmp_path: Path) -> None:
    ledger, record = open_ledger(), {"bets": 1}
    ledger.append("round", record, monotonic_s())
    record["bets"] = 2
    assert ledger.flush(10.0)
    assert _records(tmp_path)[-1]["bets"] == 1


def test_file_ends_at_its_size_and_the_next_one_names_it(open_ledger: Open, tmp_path: Path) -> None:
    ledger = open_ledger()
    append(ledger, *range(40))
    paths = sorted(tmp_path.glob("*.jsonl"))
    assert len(paths) > 2
    for path in paths[:-1]:
        assert FILE_BYTES <= path.stat().st_size < FILE_BYTES + 600
    second = json.loads(lines_of(tmp_path, 2)[0])
    assert (second["type"], second["file"], second["before"]) == ("file", "ledger-000002.jsonl", "ledger-000001.jsonl")
    assert second["prev"] == json.loads(lines_of(tmp_path, 1)[-1])["hash"]
    assert verify(tmp_path).head == ledger.head


def test_ledger_that_is_opened_again_goes_on(open_ledger: Open, tmp_path: Path) -> None:
    for first in (0, 30, 60):
        ledger = open_ledger()
        append(ledger, *range(first, first + 30))
        ledger.close()
    rounds = [line["roundId"] for line in _records(tmp_path) if line["type"] == "round"]
    assert rounds == [str(number) for number in range(90)]
    assert verify(tmp_path).kinds["recovered"] == 0


def test_two_ledgers_of_a_directory_do_not_meet(open_ledger: Open, tmp_path: Path) -> None:
    append(open_ledger("ledger"), "of rounds")
    append(open_ledger("audit"), "of publishers", "of kicks")
    assert verify(tmp_path, "ledger").kinds["round"] == 1
    assert verify(tmp_path, "audit").kinds["round"] == 2


def test_second_writer_of_a_ledger_is_refused(open_ledger: Open) -> None:
    first = open_ledger()
    with pytest.raises(ConfigError, match="another process writes the ledger"):
        open_ledger()
    first.close()
    open_ledger()


def test_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        ledger_module.Ledger(tmp_path / "file", "ledger", FILE_BYTES, CLOCK)


def test_close_writes_what_waits(open_ledger: Open, tmp_path: Path) -> None:
    ledger = open_ledger()
    for number in range(300):
        ledger.append("round", {"roundId": str(number)}, monotonic_s())
    ledger.close()
    ledger.close()
    assert verify(tmp_path).kinds["round"] == 300


def test_record_that_json_cannot_say_is_counted_and_not_written(open_ledger: Open, tmp_path: Path) -> None:
    ledger = open_ledger()
    ledger.append("round", {"loss": float("nan")}, monotonic_s())
    append(ledger, "good")
    assert ledger.failures == 1
    assert verify(tmp_path).kinds["round"] == 1


def test_appending_never_waits_for_the_disk(open_ledger: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, disk = open_ledger(), threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _descriptor: disk.wait(10.0))
    for number in range(50):
        ledger.append("round", {"roundId": str(number)}, monotonic_s())
    assert not ledger.flush(0.05), "the disk holds them up, not us"
    disk.set()
    assert ledger.flush(10.0)


def _failing(call: Callable[..., int], times: int) -> Callable[..., int]:
    """The call, but for the first `times`."""
    left = [times]

    def failing(*arguments: Any) -> int:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return call(*arguments)

    return failing


@pytest.mark.parametrize("name", ["pwrite", "fsync", "ftruncate"])
def test_disk_that_refuses_is_tried_again_without_breaking_the_chain(
    open_ledger: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.01)
    ledger = open_ledger()
    append(ledger, "before")
    monkeypatch.setattr(os, name, _failing(getattr(os, name), times=3))
    append(ledger, *range(50))
    assert ledger.failures == 3
    assert verify(tmp_path).kinds["round"] == 51


def test_line_that_was_half_written_is_written_over(
    open_ledger: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.01)
    pwrite = os.pwrite
    calls: Iterator[int | OSError] = iter([7, OSError(errno.ENOSPC, "full")])

    def half(descriptor: int, payload: bytes, offset: int) -> int:
        planned = next(calls, None)
        if isinstance(planned, OSError):
            raise planned
        return pwrite(descriptor, payload if planned is None else payload[:planned], offset)

    ledger = open_ledger()
    monkeypatch.setattr(os, "pwrite", half)
    append(ledger, "one", "two")
    assert ledger.failures == 1
    assert verify(tmp_path).kinds == {"file": 1, "round": 2}


def test_next_file_that_cannot_be_opened_leaves_the_last_one_alone(
    open_ledger: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.01)
    ledger = open_ledger()
    monkeypatch.setattr(os, "open", _failing(os.open, times=5))
    append(ledger, *range(40))
    assert ledger.failures == 5
    assert verify(tmp_path).kinds["round"] == 40


def test_head_that_cannot_be_written_costs_no_line(
    open_ledger: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger()
    monkeypatch.setattr(Path, "replace", _failing(Path.replace, times=1))
    append(ledger, "one")
    verified = verify(tmp_path)
    assert (verified.kinds["round"], verified.behind, ledger.failures) == (1, 1, 1)
    append(ledger, "two")
    assert verify(tmp_path).behind == 0


def test_what_finds_no_room_is_counted_and_owned_up_to(
    open_ledger: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "MAX_WAITING", 4)
    ledger, disk, fsync = open_ledger(), threading.Event(), os.fsync

    def slow(descriptor: int) -> None:
        assert disk.wait(10.0)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    for number in range(10):
        ledger.append("round", {"roundId": str(number)}, monotonic_s())
    assert ledger.failures == 6
    disk.set()
    assert ledger.flush(10.0)
    append(ledger, "after")
    lines = _records(tmp_path)
    told = [(line["type"], line.get("roundId") or line.get("records")) for line in lines[1:]]
    assert told == [*(("round", str(number)) for number in range(4)), ("lost", 6), ("round", "after")]
    assert verify(tmp_path).kinds["lost"] == 1


def test_figures_are_those_of_the_metrics(open_ledger: Open) -> None:
    ledger = open_ledger()
    append(ledger, 1, 2, 3)
    assert {name: value for name, _labels, value in ledger.samples()} == {
        "railbird_ledger_lines_total": 4,
        "railbird_ledger_failures_total": 0,
    }
