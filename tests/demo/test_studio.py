"""The studio and the processes that it keeps on air: here small ones that publish nothing."""

import sys
import time
from pathlib import Path

import pytest

from gateway.demo import studio as studio_module
from gateway.demo.presence import Presence
from gateway.demo.studio import Studio

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
    """Stands for time: counts the seconds that the studio meant to wait, and stops it after `limit` waits."""

    def __init__(self, limit: int, real_s: float = 0.01) -> None:
        self.asked_s: list[float] = []
        self._limit = limit
        self._real_s = real_s

    def __call__(self, timeout_s: float) -> bool:
        if timeout_s > 0:
            self.asked_s.append(timeout_s)
            time.sleep(self._real_s)
        return len(self.asked_s) >= self._limit

    @property
    def pauses_s(self) -> list[float]:
        return [asked_s for asked_s in self.asked_s if asked_s != studio_module.LOOK_EVERY_S]


def recording(log: Path, body: str) -> list[str]:
    """A command that notes its start in `log` and then runs `body`."""
    return [sys.executable, "-c", f"open({str(log)!r}, 'a').write('x'); {body}"]


def test_pause_doubles_up_to_its_limit_while_nothing_answers(tmp_path: Path) -> None:
    waits = Waits(limit=6)
    Studio(recording(tmp_path / "starts", "pass"), ScriptedPresence(there=False), waits).run()
    assert waits.asked_s == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert not (tmp_path / "starts").exists(), "no process is started for a gateway that is not there"


def test_session_that_ends_is_followed_by_another(tmp_path: Path) -> None:
    waits = Waits(limit=40, real_s=0.05)
    Studio(recording(tmp_path / "starts", "raise SystemExit(1)"), ScriptedPresence(), waits).run()
    assert len((tmp_path / "starts").read_text()) >= 2
    assert waits.pauses_s[0] == 0.5


def test_session_is_ended_and_replaced_when_the_gateway_forgot_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio_module, "ON_AIR_WITHIN_S", 0.2)
    waits = Waits(limit=30, real_s=0.1)
    Studio(recording(tmp_path / "starts", LIVES_ON), ScriptedPresence(carries=False), waits).run()
    assert len((tmp_path / "starts").read_text()) >= 2


def test_session_that_is_carried_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "ON_AIR_WITHIN_S", 0.2)
    waits = Waits(limit=20, real_s=0.05)
    Studio(recording(tmp_path / "starts", LIVES_ON), ScriptedPresence(), waits).run()
    assert (tmp_path / "starts").read_text() == "x"
    assert waits.pauses_s == []


def test_stop_ends_a_session_that_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "END_WITHIN_S", 0.2)
    started_s = time.monotonic()
    Studio(recording(tmp_path / "starts", IGNORES_SIGTERM), ScriptedPresence(), Waits(limit=10, real_s=0.05)).run()
    assert time.monotonic() - started_s < 5
