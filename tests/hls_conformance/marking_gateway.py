"""A gateway in which somebody marks rounds on the timeline of every stream, as other parts of a gateway may.

`python -m tests.hls_conformance.marking_gateway` takes the flags and settings of `python -m gateway`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final, Self

import aiohttp

from gateway.__main__ import main
from gateway.hls.date_ranges import DateRange
from gateway.hls.presentations import Presentations
from tests.e2e.gateway_process import ROOT, GatewayProcess

ROUND_EVERY_S: Final = 3.0
ROUND_S: Final = 1.5
ROUND_CLASS: Final = "com.example.round"


class MarkingGateway(GatewayProcess):
    """The handle on the process of this module."""

    async def start(self) -> Self:
        """Return when both ports are bound. AssertionError, with the log, when the process ends or takes too long."""
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-m",
                    "tests.hls_conformance.marking_gateway",
                    "--http",
                    self._http,
                    "--udp",
                    self._udp,
                ),
                cwd=ROOT,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ready = await self._ready()
        self.url = f"http://{ready['http']}"
        self.udp_port = int(ready["udp"])
        self._client = aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(total=10))
        return self


class _Rounds:
    """Of one stream: announced with a planned duration when they begin, and with the real one when they are over."""

    def __init__(self) -> None:
        self._number = -1
        self._started_unix_s = 0.0
        self._is_over = True

    def due(self, name: str, unix_s: float) -> DateRange | None:
        if unix_s >= self._started_unix_s + ROUND_EVERY_S:
            self._number, self._started_unix_s, self._is_over = self._number + 1, unix_s, False
            return DateRange(f"{name}-{self._number}", ROUND_CLASS, unix_s, planned_duration_s=1.0)
        if not self._is_over and unix_s >= self._started_unix_s + ROUND_S:
            self._is_over = True
            table: dict[str, str | float] = {"X-COM-EXAMPLE-TABLE": "seven", "X-COM-EXAMPLE-WINNER": 3}
            range_id = f"{name}-{self._number}"
            return DateRange(range_id, ROUND_CLASS, self._started_unix_s, duration_s=ROUND_S, attributes=table)
        return None


def _marks_rounds() -> None:
    """Let the presentations' own ticks be the croupier's clock."""
    rounds: dict[str, _Rounds] = {}
    tick = Presentations.tick

    def tick_and_mark(self: Presentations, now_s: float) -> None:
        for presentation in self:
            name = presentation.packager.stream.name
            due = rounds.setdefault(name, _Rounds()).due(name, time.time())
            if due is not None:
                self.mark(name, due, now_s)
        tick(self, now_s)

    Presentations.tick = tick_and_mark  # type: ignore[method-assign]


if __name__ == "__main__":
    _marks_rounds()
    main(prog_name="python -m gateway")
