"""The gateway under measurement: a process on its own core, its CPU clock, its memory and its /metrics."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO

import psutil

from loadgen.target.scrape import Scrape
from tests.bench.placement import MEASURED_NICE, place
from tests.bench.remote import BenchError
from tests.e2e.orphans import end_with_the_run

HOST = "127.0.0.1"
STREAM = "bench"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0

_MANY = "5000"
_LIMITS = {f"RAILBIRD_LIMITS__{name}": _MANY for name in ("SESSIONS", "SESSIONS_PER_ADDRESS", "HALF_OPEN_SESSIONS")}
_PATIENCE = {"RAILBIRD_TIMEOUTS__STALE_PUBLISHER_S": "600"}  # the studio pauses while the floor is measured


@dataclass(frozen=True, slots=True)
class Counters:
    """What the gateway counted since it began."""

    publishers: int
    """Streams that are live now."""
    packets: int
    """RTP packets sent to players."""
    sends: int
    """System calls that sent them."""
    kernel_drops: int
    """Datagrams that found the media port's receive buffer full."""
    nacked: int
    """Packets that players asked for again."""


class GatewayProcess:
    """A running gateway."""

    def __init__(self, process: subprocess.Popen[bytes], http_port: int) -> None:
        self.url = f"http://{HOST}:{http_port}"
        self.pid = process.pid
        self._process = process
        self._memory = psutil.Process(process.pid)
        # CPUCLOCK_SCHED of the whole process, as clock_getcpuclockid(3) makes it: nanoseconds, user and system.
        self._cpu_clock = (~process.pid << 3) | 2

    def cpu_ns(self) -> int:
        """CPU time used so far, user and system."""
        return time.clock_gettime_ns(self._cpu_clock)

    def resident_bytes(self) -> int:
        """Resident memory."""
        return int(self._memory.memory_info().rss)

    def scrape(self) -> Scrape:
        """Of /metrics."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as response:
            return Scrape.parse(response.read().decode())

    def counters(self) -> Counters:
        """What a scrape says of the stream."""
        page = self.scrape()

        def total(name: str, **labels: str) -> int:
            return int(page.total(name, labels, {STREAM}))

        return Counters(
            publishers=total("railbird_stream_live"),
            packets=total("railbird_packets_total", leg="egress"),
            sends=total("railbird_sends_total"),
            kernel_drops=total("railbird_socket_kernel_drops_total"),
            nacked=total("railbird_nacked_packets_total", leg="egress"),
        )

    def is_ready(self) -> bool:
        """Whether it takes sessions. BenchError when it has ended."""
        if self._process.poll() is not None:
            raise BenchError(f"the gateway ended with {self._process.returncode}")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=1) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextlib.contextmanager
def running_gateway(
    command: Sequence[str], udp_host: str, core: int, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[GatewayProcess]:
    """The gateway, started by `command` on `core` with `settings` as further variables; it is gone afterwards. What it
    said is shown when it fails."""
    http_port = free_port()
    arguments = [*command, "--http", f"{HOST}:{http_port}", "--udp", f"{udp_host}:0"]
    environment = {**os.environ, **_LIMITS, **_PATIENCE, **settings, "RAILBIRD_PUBLIC_ADDRESSES": f'["{HOST}"]'}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            arguments, env=environment, stdout=output, stderr=output, preexec_fn=lambda: _on_core(core)
        )
        try:
            gateway = GatewayProcess(process, http_port)
            wait_until(gateway.is_ready, "the gateway is ready")
            yield gateway
        except BenchError as error:
            raise BenchError(f"{error}\n{_tail(output)}") from error
        finally:
            _stop(process)


def _on_core(core: int) -> None:
    """In the child, before it becomes the gateway: one core, and an end when the bench ends, even by a kill."""
    place(frozenset({core}), MEASURED_NICE)
    end_with_the_run(signal.SIGINT)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """BenchError when `what` takes too long."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise BenchError(f"waited in vain until {what}")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # at SIGTERM it would wait for rounds and players
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(output: IO[bytes]) -> str:
    output.seek(0)
    return "\n".join(output.read().decode(errors="replace").splitlines()[-20:])


def free_port() -> int:
    """Of TCP, free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
