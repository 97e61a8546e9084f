"""The gateway's process, once a second: by its pid, or by what its /metrics says of it.

Any server with the standard process_* metrics can be watched so. It may be slow or break under load, which is when it
is watched: then a sample is missing and counted, and the run goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import psutil

from gateway.clock import monotonic_s
from loadgen.errors import TargetError
from loadgen.figures import GatewaySample
from loadgen.target.metrics_page import PAGE_ERRORS, MetricsPage
from loadgen.target.scrape import CPU_SECONDS, RSS_BYTES, Scrape

SAMPLE_TIMEOUT_S = 0.5
"""Half of the interval: a slow answer must not hold up the next one."""

MIN_CPU_SPAN_S = 0.25
"""CPU time is counted in steps of 10 ms: over less than this, one step more looks like a busy gateway."""

COUNTERS_TIMEOUT_S = 5.0
"""Before and after the load nothing else waits for it."""


@dataclass(frozen=True, slots=True)
class _Reading:
    read_s: float
    """On the monotonic clock."""
    cpu_s: float | None
    rss_bytes: int | None


class GatewayWatch:
    """See the module. An async context manager: entered before the run, in the coordinator's event loop."""

    def __init__(
        self, *, pid: int | None = None, metrics_url: str | None = None, clock: Callable[[], float] = monotonic_s
    ) -> None:
        """With both, the process is read by its pid, which answers however busy it is, and /metrics only for the
        counters. Other processes that it may have started are not counted. With neither, there are no samples."""
        self._pid = pid
        self._metrics_url = metrics_url
        self._clock = clock
        self._process: psutil.Process | None = None
        self._page: MetricsPage | None = None
        self._last: _Reading | None = None
        self.samples = 0
        self.failures = 0
        """Of `samples`: those that brought nothing."""
        self.restarts = 0

    async def __aenter__(self) -> "GatewayWatch":
        """Take the first reading, which the first sample's CPU is measured against. TargetError when there is no such
        process or page: a run of hours should not find out at its end."""
        if self._pid is not None:
            self._last = self._open_process(self._pid)
        if self._metrics_url is not None:
            page = await self._open_page(self._metrics_url)
            self._last = self._last or self._of_page(page)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._page is not None:
            await self._page.close()

    async def sample(self) -> GatewaySample:
        """CPU since the last sample that succeeded, and memory now; None where there is no reading, and of CPU where
        the last one is not MIN_CPU_SPAN_S old. Raises nothing, and takes no longer than SAMPLE_TIMEOUT_S."""
        try:
            reading = await self._read()
        except (*PAGE_ERRORS, psutil.Error):
            self.samples += 1
            self.failures += 1
            return GatewaySample()
        if reading is None:
            return GatewaySample()
        self.samples += 1
        if self._last is not None and 0 <= reading.read_s - self._last.read_s < MIN_CPU_SPAN_S:
            return GatewaySample(None, reading.rss_bytes)
        last, self._last = self._last, reading
        return GatewaySample(self._cpu_share(last, reading), reading.rss_bytes)

    async def counters(self) -> Scrape | None:
        """What the server has counted so far; None without /metrics, or when it does not answer in
        COUNTERS_TIMEOUT_S."""
        if self._page is None:
            return None
        try:
            return await self._page.scrape(COUNTERS_TIMEOUT_S)
        except PAGE_ERRORS:
            return None

    @property
    def remarks(self) -> list[str]:
        """What a reader of the report has to know of the samples."""
        remarks = []
        if self.failures:
            remarks.append(f"{self.failures} of {self.samples} readings of the gateway's process brought nothing.")
        if self.restarts:
            remarks.append("The gateway restarted during the run: its CPU time began anew.")
        return remarks

    def _open_process(self, pid: int) -> _Reading:
        try:
            self._process = psutil.Process(pid)
            return self._of_process(self._process)
        except (psutil.Error, ValueError) as error:
            raise TargetError(f"The gateway's process {pid} cannot be read: {error}.") from error

    async def _open_page(self, url: str) -> Scrape:
        self._page = MetricsPage(url)
        try:
            return await self._page.scrape(COUNTERS_TIMEOUT_S)
        except PAGE_ERRORS as error:
            await self._page.close()
            why = str(error) or type(error).__name__
            raise TargetError(f"The metrics at {url} cannot be read: {why}.") from error

    async def _read(self) -> _Reading | None:
        """None when nothing is watched."""
        if self._process is not None:
            return self._of_process(self._process)
        return self._of_page(await self._page.scrape(SAMPLE_TIMEOUT_S)) if self._page is not None else None

    def _of_process(self, process: psutil.Process) -> _Reading:
        if not process.is_running():  # Else it could be another one, which was given the same pid.
            raise psutil.NoSuchProcess(process.pid)
        with process.oneshot():
            times = process.cpu_times()
            return _Reading(self._clock(), times.user + times.system, process.memory_info().rss)

    def _of_page(self, page: Scrape) -> _Reading:
        rss_bytes = page.value(RSS_BYTES)
        return _Reading(self._clock(), page.value(CPU_SECONDS), int(rss_bytes) if rss_bytes is not None else None)

    def _cpu_share(self, last: _Reading | None, now: _Reading) -> float | None:
        if last is None or last.cpu_s is None or now.cpu_s is None or now.read_s <= last.read_s:
            return None
        if now.cpu_s < last.cpu_s:
            self.restarts += 1
            return None
        return (now.cpu_s - last.cpu_s) / (now.read_s - last.read_s)
