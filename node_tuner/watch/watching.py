"""The loop of `watch`: it ends by a signal alone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

import structlog

from node_tuner.errors import BusyError, TunerError
from node_tuner.machine.roots import Roots
from node_tuner.result import KnobResult, State
from node_tuner.watch.exporter import Exporter
from node_tuner.watch.families import BROKEN_OFF, DONE, Watched
from node_tuner.watch.latency import DEVICE, HeldLatency, with_held
from node_tuner.watch.listen import DEFAULT_LISTEN, Listen
from node_tuner.watch.log import configure

DEFAULT_EVERY_S = 30.0

_BUSY_S = 1.0
"""After which it is looked again where a tuner was at work."""

VERIFICATION = "verification"
"""The knob that a result has instead of all others where they could not be read back."""

log = structlog.get_logger()

Verify = Callable[[], Sequence[KnobResult]]
"""Reads back all knobs, and changes nothing."""

Write = Callable[[Sequence[KnobResult]], None]
"""Replaces the result file; OSError or TunerError where it cannot."""

Quiet = Callable[[], AbstractContextManager[None]]
"""Keeps tuners from changing the node meanwhile; BusyError, at once, where one does."""


def run(
    verify: Verify,
    write: Write,
    roots: Roots,
    *,
    every_s: float = DEFAULT_EVERY_S,
    listen: Listen = DEFAULT_LISTEN,
    cpu_dma_latency_us: int | None = None,
    device: Path = DEVICE,
    quiet: Quiet = nullcontext,
) -> None:
    """Verify now and each `every_s`; return on SIGTERM or SIGINT. MissingError where `listen` cannot be had."""
    configure()
    watched = Watched()
    with ExitStack() as stack, _until_signalled() as ending:
        exporter = stack.enter_context(closing(Exporter(listen, watched, roots)))
        if cpu_dma_latency_us is not None:
            held = stack.enter_context(closing(HeldLatency(cpu_dma_latency_us, device)))
            watched.is_latency_held = held.is_held
            verify = _holding(verify, held)
        log.info("watching", every_s=every_s, listen=str(exporter.listen))
        for _ in _turns(every_s, ending):
            while not look(watched, verify, write, quiet) and not ending.is_near:
                time.sleep(_BUSY_S)


def look(watched: Watched, verify: Verify, write: Write, quiet: Quiet = nullcontext) -> bool:
    """One turn; False where a tuner is at work, of which only that one says what comes. It raises nothing that is an
    Exception: a node is watched most when something is wrong with it."""
    try:
        with quiet():
            _look(watched, verify, write)
    except BusyError:
        log.info("a tuner is at work", consequence="nothing is read back until it is done")
        return False
    return True


def _look(watched: Watched, verify: Verify, write: Write) -> None:
    try:
        knobs = tuple(verify())
        watched.verified_unix_s = time.time()
        watched.verifications[DONE] += 1
    except Exception as error:
        log.error("knobs could not be read back", reason=str(error), exc_info=not isinstance(error, TunerError))
        knobs = (_broken_off(error),)
        watched.verifications[BROKEN_OFF] += 1
    _tell_changes(watched.knobs, knobs)
    watched.knobs = knobs
    try:
        write(knobs)
    except Exception as error:
        watched.write_failures += 1
        log.error("the result could not be written", reason=str(error))


def _holding(verify: Verify, held: HeldLatency) -> Verify:
    return lambda: with_held(verify(), held.is_held)


class _Signalled(SystemExit):
    """SIGTERM or SIGINT came. Of all exceptions event loops, such as pyroute2's, let only this kind through."""


class _Ending:
    """The handler of both signals: at once, also in the middle of a verification. Files are replaced whole or not at
    all, so there is nothing to finish."""

    def __init__(self) -> None:
        self.is_near = False
        """Should anything swallow the exception: at the end of the turn."""

    def __call__(self, _signal: int, _frame: object) -> NoReturn:
        self.is_near = True
        raise _Signalled(0)


@contextmanager
def _until_signalled() -> Iterator[_Ending]:
    ending = _Ending()
    before = {number: signal.signal(number, ending) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ending
    except _Signalled:
        log.info("ended by a signal")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _turns(every_s: float, ending: _Ending) -> Iterator[None]:
    """Without drift, and without making up for turns that were missed."""
    due_s = time.monotonic()
    while not ending.is_near:
        yield
        due_s = max(due_s + every_s, time.monotonic())
        time.sleep(max(due_s - time.monotonic(), 0.0))


def _broken_off(error: Exception) -> KnobResult:
    return KnobResult(
        name=VERIFICATION,
        kind=VERIFICATION,
        required=True,
        state=State.FAILED,
        wanted="every knob read back",
        found=None,
        original=None,
        changed=False,
        why="a node of which nobody knows what it is does not carry media",
        note=f"{type(error).__name__}: {error}",
    )


def _tell_changes(before: Sequence[KnobResult], now: Sequence[KnobResult]) -> None:
    """Of a knob that was not there before: only where something is to be done."""
    states = {knob.name: knob.state for knob in before}
    for knob in now:
        quiet = knob.state if knob.state.is_as_wanted else None
        if knob.state is not states.get(knob.name, quiet):
            values = {"found": knob.found, "wanted": knob.wanted, "note": knob.note}
            log.warning("a knob's state changed", knob=knob.name, state=knob.state.value, **values)
