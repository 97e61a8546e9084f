"""Turns of `watch`: what is found, what fails, and how it ends."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from node_tuner.errors import BusyError, StateError
from node_tuner.machine.roots import Roots
from node_tuner.result import KnobResult, Overall, State, overall
from node_tuner.watch.families import BROKEN_OFF, DONE, Watched
from node_tuner.watch.latency import KNOB
from node_tuner.watch.listen import Listen
from node_tuner.watch.watching import VERIFICATION, look, run
from tests.node_tuner.watch.rows import row

Rows = Sequence[KnobResult]


@pytest.fixture(autouse=True)
def structlog_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def _broken() -> Rows:
    raise StateError("the record is another namespace's")


def test_look_writes_what_was_found() -> None:
    watched, written = Watched(), list[Rows]()
    began_s = time.time()
    look(watched, lambda: [row("a")], written.append)
    assert written == [(row("a"),)]
    assert watched.knobs == (row("a"),)
    assert began_s <= watched.verified_unix_s <= time.time()
    assert watched.verifications == {DONE: 1, BROKEN_OFF: 0}


@pytest.mark.parametrize("error", [StateError("locked"), RuntimeError("a bug")])
def test_look_that_is_broken_off_makes_the_result_failed(error: Exception) -> None:
    def verify() -> Rows:
        raise error

    watched, written = Watched(knobs=(row("a"),), verified_unix_s=5.0), list[Rows]()
    look(watched, verify, written.append)
    (rows,) = written
    assert overall(rows) is Overall.FAILED
    assert [(each.name, each.state) for each in rows] == [(VERIFICATION, State.FAILED)]
    assert str(error) in rows[0].note
    assert watched.knobs == rows
    assert watched.verified_unix_s == 5.0, "it was not verified"
    assert watched.verifications == {DONE: 0, BROKEN_OFF: 1}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), StateError("gone"), RuntimeError("a bug")])
def test_look_whose_result_cannot_be_written_counts_and_goes_on(error: Exception) -> None:
    def write(_rows: Rows) -> None:
        raise error

    watched = Watched()
    look(watched, lambda: [row("a")], write)
    assert watched.write_failures == 1
    assert watched.knobs == (row("a"),)


@contextmanager
def _busy() -> Iterator[None]:
    raise BusyError("another tuner is at work")
    yield


def test_look_while_a_tuner_is_at_work_is_none() -> None:
    watched, written = Watched(knobs=(row("a"),)), list[Rows]()
    assert not look(watched, _broken, written.append, _busy)
    assert (written, watched) == ([], Watched(knobs=(row("a"),)))


def test_look_has_no_tuner_between_what_is_read_and_what_is_written() -> None:
    said: list[str] = []

    @contextmanager
    def quiet() -> Iterator[None]:
        said.append("quiet")
        yield
        said.append("over")

    def verify() -> Rows:
        said.append("read")
        return [row("a")]

    assert look(Watched(), verify, lambda _rows: said.append("written"), quiet)
    assert said == ["quiet", "read", "written", "over"]


def test_run_looks_again_soon_where_a_tuner_was_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node_tuner.watch.watching._BUSY_S", 0.001)
    asked, written = 0, list[Rows]()

    @contextmanager
    def quiet() -> Iterator[None]:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise BusyError("another tuner is at work")
        yield

    def write(rows: Rows) -> None:
        written.append(rows)
        signal.raise_signal(signal.SIGTERM)

    run(lambda: [row("a")], write, Roots(), every_s=60, listen=Listen("127.0.0.1", 0), quiet=quiet)
    assert (asked, written) == (3, [(row("a"),)])


def test_look_says_once_that_a_knob_changed() -> None:
    watched = Watched()
    with structlog.testing.capture_logs() as logs:
        for state in (State.TUNED, State.FOREIGN, State.FOREIGN, State.TUNED):
            look(watched, lambda state=state: [row("a", state)], lambda _rows: None)  # type: ignore[misc]
    assert [(each["knob"], each["state"]) for each in logs] == [("a", "foreign"), ("a", "tuned")]


def test_look_after_one_that_was_broken_off_says_only_what_is_not_tuned() -> None:
    watched = Watched()
    look(watched, _broken, lambda _rows: None)
    with structlog.testing.capture_logs() as logs:
        look(watched, lambda: [row("a"), row("b", State.NOT_NEEDED), row("c", State.SKIPPED)], lambda _rows: None)
    assert [each["knob"] for each in logs] == ["c"]


def test_look_says_at_first_what_is_not_tuned() -> None:
    with structlog.testing.capture_logs() as logs:
        look(Watched(), lambda: [row("a"), row("b", State.FAILED)], lambda _rows: None)
    assert [each["knob"] for each in logs] == ["b"]


def _run_until(number: signal.Signals, turns: int, verify_s: float = 0.0, every_s: float = 0.001) -> int:
    """How often it verified before this process got the signal, in the `turns`th verification or after it."""
    done = 0

    def verify() -> Rows:
        nonlocal done
        done += 1
        if done == turns:
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
            time.sleep(verify_s)
        return [row("a")]

    run(verify, lambda _rows: None, Roots(), every_s=every_s, listen=Listen("127.0.0.1", 0))
    return done


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_returns_on_a_signal_in_the_midst_of_a_verification(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    assert _run_until(number, turns=3, verify_s=60) == 3
    assert signal.getsignal(number) is before


def test_run_returns_on_a_signal_while_it_waits() -> None:
    assert _run_until(signal.SIGTERM, turns=1, every_s=60) == 1


def test_run_returns_though_somebody_swallows_the_signal() -> None:
    done = 0

    def verify() -> Rows:
        nonlocal done
        done += 1
        try:
            signal.raise_signal(signal.SIGTERM)
        except SystemExit:
            return [row("a")]
        raise AssertionError("no signal came")

    run(verify, lambda _rows: None, Roots(), every_s=0.001, listen=Listen("127.0.0.1", 0))
    assert done == 1


def test_run_goes_on_whatever_fails() -> None:
    turns = 0

    def verify() -> Rows:
        nonlocal turns
        turns += 1
        if turns == 3:
            signal.raise_signal(signal.SIGTERM)
        return _broken()

    def write(_rows: Rows) -> None:
        raise OSError("no")

    run(verify, write, Roots(), every_s=0.001, listen=Listen("127.0.0.1", 0))
    assert turns == 3


def test_run_holds_the_latency_as_long_as_it_runs(tmp_path: Path) -> None:
    device = tmp_path / "cpu_dma_latency"
    device.touch()
    written: list[Rows] = []

    def verify() -> Rows:
        assert device in _open_files()
        if written:
            signal.raise_signal(signal.SIGTERM)
        return [row(KNOB, State.NOT_NEEDED)]

    listen = Listen("127.0.0.1", 0)
    run(verify, written.append, Roots(), every_s=0.001, listen=listen, cpu_dma_latency_us=20, device=device)
    assert [each.state for (each,) in written] == [State.TUNED]
    assert device.read_bytes() == b"\x14\0\0\0"
    assert device not in _open_files()


def _open_files() -> list[Path]:
    return [Path(each).resolve() for each in Path("/proc/self/fd").iterdir()]
