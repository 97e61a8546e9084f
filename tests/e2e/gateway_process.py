"""The gateway as an operator runs it: a process, its settings in the environment, its log in a file."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.waiting import eventually, until

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 60.0
SHUTDOWN_MARGIN_S = 3.0
"""On top of RAILBIRD_TIMEOUTS__SHUTDOWN_S: the interpreter ends, too."""

DRAINS_AT_ONCE = {"DRAIN__ROUNDS_S": "0", "DRAIN__SPREAD_S": "0", "DRAIN__LEAVE_S": "0"}
"""Where a test does not say otherwise SIGTERM waits for no round and for no player."""

FORBIDDEN_IN_LOG = ("ticker failed", "request failed", "Traceback", "never retrieved", "never awaited")
"""What stands in the log only when the gateway has a bug."""


class GatewayProcess:
    """`python -m gateway` on free ports, or on those of `restarted`."""

    def __init__(
        self, log_path: Path, udp: str, http: str, settings: Mapping[str, str], within: Sequence[str] = ()
    ) -> None:
        """`udp` and `http` are HOST:PORT, `settings` are RAILBIRD_* variables without that prefix. `within` begins the
        command: it puts the process into a namespace, or takes its privileges, and becomes it."""
        self.log_path = log_path
        self.url = ""
        self.udp_port = 0
        self._settings = DRAINS_AT_ONCE | dict(settings)
        self._udp = udp
        self._http = http
        self._within = tuple(within)
        self._process: asyncio.subprocess.Process | None = None
        self._client: aiohttp.ClientSession | None = None

    # Life

    async def start(self) -> Self:
        """Return when both ports are bound. AssertionError, with the log, when the process ends or takes too long."""
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*self._within, sys.executable, "-m", "gateway", "--http", self._http, "--udp", self._udp),
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

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAILBIRD_")}
        settings = {f"RAILBIRD_{name}": value for name, value in self._settings.items()}
        return inherited | {"RAILBIRD_LOG_FORMAT": "json"} | settings

    async def _ready(self) -> dict[str, Any]:
        await until(lambda: bool(self.events("ready")) or self.returncode is not None, START_WITHIN_S)
        ready = self.events("ready")
        assert ready, f"the gateway ended with {self.returncode}:\n{self.log()}"
        return ready[0]

    def restarted(self, log_path: Path) -> GatewayProcess:
        """Another process, not yet started, with the settings and the ports of this one, which has ended."""
        host = self._udp.rpartition(":")[0]
        http = self.url.removeprefix("http://")
        return GatewayProcess(log_path, f"{host}:{self.udp_port}", http, self._settings, self._within)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        os.kill(self.pid, signal.SIGTERM)

    async def ended(self) -> tuple[int, float]:
        """Wait for the end: (exit code, seconds that it took). AssertionError when SIGTERM does not end it in time."""
        assert self._process is not None
        started_s = time.monotonic()
        drain_s = sum(float(self._settings[name]) for name in DRAINS_AT_ONCE)
        within_s = drain_s + float(self._settings.get("TIMEOUTS__SHUTDOWN_S", "5")) + SHUTDOWN_MARGIN_S
        try:
            code = await asyncio.wait_for(self._process.wait(), within_s)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError(f"SIGTERM did not end the gateway within {within_s} s") from None
        finally:
            await self._close_client()
        return code, time.monotonic() - started_s

    async def stop(self) -> None:
        """End it by SIGTERM, if it runs, and see that it ended well and that its log tells of no bug."""
        if self._process is None:
            return
        if self.returncode is None:
            self.terminate()
        code, _seconds = await self.ended()
        assert code == 0, f"the gateway ended with {code}"
        faults = self.faults()
        assert not faults, "its log tells of a bug:\n" + "\n".join(faults)

    async def _close_client(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    # What it says

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def faults(self) -> list[str]:
        """Lines of the log that only a bug writes."""
        return [line for line in self.log().splitlines() if any(words in line for words in FORBIDDEN_IN_LOG)]

    def events(self, event: str) -> list[dict[str, Any]]:
        """The log's entries of that name, in order."""
        lines = (line for line in self.log().splitlines() if line.startswith("{") and line.endswith("}"))
        return [entry for entry in map(json.loads, lines) if entry.get("event") == event]

    @property
    def http(self) -> aiohttp.ClientSession:
        """A client whose base is the gateway's address."""
        assert self._client is not None
        return self._client

    async def metrics(self) -> Metrics:
        async with self.http.get("/metrics") as response:
            return Metrics(await response.text())

    async def stream(self, name: str) -> dict[str, Any] | None:
        """What the API says of a stream; None when it knows none."""
        async with self.http.get(f"/api/v1/streams/{name}") as response:
            report: dict[str, Any] | None = await response.json() if response.status == 200 else None
            return report

    async def sessions(self) -> list[dict[str, Any]]:
        async with self.http.get("/api/v1/sessions") as response:
            sessions: list[dict[str, Any]] = (await response.json())["sessions"]
            return sessions

    async def live(self, name: str, frames: int = 30, within_s: float = 15.0) -> None:
        """Wait until that many video frames of the stream have come in since it was first seen live."""
        first = await eventually(lambda: self._frames(name), lambda received: received >= 0, within_s)
        await eventually(lambda: self._frames(name), lambda received: received >= first + frames, within_s)

    async def _frames(self, name: str) -> int:
        """Video frames received of a stream that is live; -1 of one that is not."""
        report = await self.stream(name)
        if report is None or report["state"] != "live":
            return -1
        return next((int(track["frames"]) for track in report["tracks"] if track["kind"] == "video"), -1)


async def codecs_of(gateway: GatewayProcess, stream: str) -> set[str]:
    """Names of the codecs that the gateway says it receives."""
    report = await gateway.stream(stream)
    return {track["codec"] for track in report["tracks"]} if report is not None else set()


class Metrics:
    """One scrape of /metrics."""

    def __init__(self, text: str) -> None:
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name that carry these labels; 0 where there is none."""
        return sum(
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """Value by label value."""
        return {sample.labels[label]: sample.value for sample in self._samples if sample.name == name}
