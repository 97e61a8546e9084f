"""The studio and the processes that it keeps on air: here small ones that publish nothing."""

import sys
import time
from pathlib import Path

import pytest

from gateway.demo import studio as studio_module
from gateway.demo.presence import Presence
from gateway.demo.studio import Studio

REAL_S = 0.05
"""What a wait takes."""
PLENTY = 400
"""Of waits: a busy machine takes its time to start a process."""
LIVES_ON = "import time; time.sleep(60)"
IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


class ScriptedPresence(Presence):
    """A gateway that is there or not, and carries the stream or not, as the test has it."""

    def __init__(self, there: bool = True, carries: bool = True) -> None:
        super().__init__("http://127.0.0.1:9/whip/demo")
        self.there = there
        self.carries = carries

    def is_there(self) -> bool:
        return self.there

    def carries_us(self) -> bool:
        return self.carries


class Waits:
    """Stands for time: counts the seconds that the studio meant to wait, and stops it `more` waits after as many
    processes have `started` as noted it in `log`; after `limit` waits if they do not."""

    def __init__(self, limit: int, log: Path | None = None, started: int = 0, more: int = 0) -> None:
        self.asked_s: list[float] = []
        self._limit = limit
        self._log = log
        self._started = started
        self._more = more

    def __call__(self, timeout_s: float) -> bool:
        if timeout_s > 0:
            self.asked_s.append(timeout_s)
            time.sleep(REAL_S)
        if self._log is not None and starts(self._log) >= self._started:
            self._log = None
            self._limit = min(self._limit, len(self.asked_s) + self._more)
        return len(self.asked_s) >= self._limit

    @property
    def pauses_s(self) -> list[float]:
        return [asked_s for asked_s in self.asked_s if asked_s != studio_module.LOOK_EVERY_S]


def starts(log: Path) -> int:
    """How many processes have noted it."""
    return len(log.read_text()) if log.exists() else 0


def recording(log: Path, body: str) -> list[str]:
    """A command that notes its start in `log` and then runs `body`."""
    return [sys.executable, "-c", f"open({str(log)!r}, 'a').write('x'); {body}"]


def test_pause_doubles_up_to_its_limit_while_nothing_answers(tmp_path: Path) -> None:
    waits = Waits(limit=6)
    Studio(recording(tmp_path / "starts", "pass"), ScriptedPresence(there=False), waits).run()
    assert waits.asked_s == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert not (tmp_path / "starts").exists(), "no process is started for a gateway that is not there"


def test_session_that_ends_is_followed_by_another(tmp_path: Path) -> None:
    log = tmp_path / "starts"
    waits = Waits(PLENTY, log, started=2)
    Studio(recording(log, "raise SystemExit(1)"), ScriptedPresence(), waits).run()
    assert starts(log) >= 2
    assert waits.pauses_s[0] == 0.5


def test_session_is_ended_and_replaced_when_the_gateway_forgot_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio_module, "ON_AIR_WITHIN_S", 1.0)
    log = tmp_path / "starts"
    Studio(recording(log, LIVES_ON), ScriptedPresence(carries=False), Waits(PLENTY, log, started=2)).run()
    assert starts(log) >= 2


def test_session_that_is_carried_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "ON_AIR_WITHIN_S", 0.2)
    log = tmp_path / "starts"
    waits = Waits(PLENTY, log, started=1, more=20)
    Studio(recording(log, LIVES_ON), ScriptedPresence(), waits).run()
    assert starts(log) == 1
    assert waits.pauses_s == []


def test_stop_ends_a_session_that_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "END_WITHIN_S", 0.2)
    started_s = time.monotonic()
    Studio(recording(tmp_path / "starts", IGNORES_SIGTERM), ScriptedPresence(), Waits(limit=10)).run()
    assert time.monotonic() - started_s < 5
