"""The gateway's process by pid and by /metrics, in good days and bad ones."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from loadgen.errors import TargetError
from loadgen.figures import GatewaySample
from loadgen.target import gateway_watch
from loadgen.target.gateway_watch import GatewayWatch
from tests.loadgen.target.server import page, serving


class Server:
    """Answers with `text`, after `delay_s`, until it `breaks`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.delay_s = 0.0
        self.breaks = False

    async def answer(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.delay_s)
        return web.Response(status=500 if self.breaks else 200, text=self.text)


def process_page(cpu_s: float, rss_bytes: float = 5e7) -> str:
    return page(process_cpu_seconds_total=cpu_s, process_resident_memory_bytes=rss_bytes)


def compute_for(cpu_s: float) -> None:
    end_s = time.process_time() + cpu_s
    while time.process_time() < end_s:
        pass


@pytest.fixture
def busy_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that takes about a third of a core."""
    program = (
        "import time\nwhile True:\n  end = time.perf_counter() + .02\n"
        "  while time.perf_counter() < end: pass\n  time.sleep(.04)"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        yield process
        process.kill()


class Clock:
    """A clock that stands still until `now_s` is set."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_process_is_read_by_its_pid_from_the_first_sample_on(busy_process: subprocess.Popen[bytes]) -> None:
    await asyncio.sleep(0.3)
    async with GatewayWatch(pid=busy_process.pid) as watch:
        await asyncio.sleep(1.0)
        sample = await watch.sample()
    assert sample.cpu_share is not None
    assert 0.05 < sample.cpu_share < 0.7
    assert sample.rss_bytes == pytest.approx(psutil.Process(busy_process.pid).memory_info().rss, rel=0.1)


async def test_process_that_ends_is_a_missing_sample(busy_process: subprocess.Popen[bytes]) -> None:
    async with GatewayWatch(pid=busy_process.pid) as watch:
        busy_process.kill()
        busy_process.wait()
        assert await watch.sample() == GatewaySample()
        assert (watch.samples, watch.failures) == (1, 1)
        assert watch.remarks == ["1 of 1 readings of the gateway's process brought nothing."]


async def test_pid_of_another_process_is_a_missing_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    async with GatewayWatch(pid=os.getpid()) as watch:
        monkeypatch.setattr(psutil.Process, "is_running", lambda process: False)
        assert await watch.sample() == GatewaySample()
        assert watch.failures == 1


async def test_process_that_is_not_there_is_refused_before_the_run() -> None:
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    with pytest.raises(TargetError, match=f"process {gone.pid} cannot be read"):
        await GatewayWatch(pid=gone.pid).__aenter__()


async def test_metrics_of_a_real_process_are_near_those_by_its_pid(clock: Clock) -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)

    async def own_metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry))

    async with (
        serving(own_metrics) as url,
        GatewayWatch(metrics_url=url, clock=clock) as watch,
        GatewayWatch(pid=os.getpid(), clock=clock) as own,
    ):
        compute_for(1.0)
        clock.now_s += 2.0
        by_metrics, by_pid = await watch.sample(), await own.sample()
    assert by_pid.cpu_share is not None
    assert by_pid.cpu_share > 0.45
    assert by_metrics.cpu_share == pytest.approx(by_pid.cpu_share, abs=0.15)
    assert by_metrics.rss_bytes == pytest.approx(by_pid.rss_bytes, rel=0.1)


async def test_cpu_is_not_told_of_a_moment_that_is_too_short(clock: Clock) -> None:
    server = Server(process_page(10.0))
    async with serving(server.answer) as url, GatewayWatch(metrics_url=url, clock=clock) as watch:
        clock.now_s, server.text = 100.002, process_page(10.01, 6e7)
        assert await watch.sample() == GatewaySample(None, 60_000_000)
        clock.now_s, server.text = 101.0, process_page(10.5, 6e7)
        assert await watch.sample() == GatewaySample(0.5, 60_000_000)


async def test_cpu_is_over_the_time_since_the_last_sample(clock: Clock) -> None:
    server = Server(process_page(10.0))
    async with serving(server.answer) as url, GatewayWatch(metrics_url=url, clock=clock) as watch:
        clock.now_s, server.text = 102.0, process_page(11.0, 6e7)
        assert await watch.sample() == GatewaySample(0.5, 60_000_000)


async def test_cpu_after_a_missing_sample_is_over_both(clock: Clock) -> None:
    server = Server(process_page(10.0))
    async with serving(server.answer) as url, GatewayWatch(metrics_url=url, clock=clock) as watch:
        clock.now_s, server.breaks = 101.0, True
        assert await watch.sample() == GatewaySample()
        clock.now_s, server.breaks, server.text = 102.0, False, process_page(11.0)
        assert (await watch.sample()).cpu_share == 0.5
        assert (watch.samples, watch.failures) == (2, 1)


async def test_slow_metrics_are_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_watch, "SAMPLE_TIMEOUT_S", 0.1)
    server = Server(process_page(10.0))
    async with serving(server.answer) as url, GatewayWatch(metrics_url=url) as watch:
        server.delay_s = 30.0
        began_s = time.monotonic()
        assert await watch.sample() == GatewaySample()
        assert time.monotonic() - began_s < 15.0
        assert watch.failures == 1


async def test_metrics_that_vanish_end_nothing() -> None:
    async with serving(Server(process_page(10.0)).answer) as url:
        watch = await GatewayWatch(metrics_url=url).__aenter__()
    assert await watch.sample() == GatewaySample()
    assert await watch.counters() is None
    await watch.__aexit__(None, None, None)


async def test_restart_is_remarked_and_gives_no_cpu(clock: Clock) -> None:
    server = Server(process_page(10.0))
    async with serving(server.answer) as url, GatewayWatch(metrics_url=url, clock=clock) as watch:
        clock.now_s, server.text = 101.0, process_page(0.5)
        assert await watch.sample() == GatewaySample(None, 50_000_000)
        clock.now_s, server.text = 102.0, process_page(0.75)
        assert (await watch.sample()).cpu_share == 0.25
        assert any("restarted" in remark for remark in watch.remarks)


async def test_metrics_without_a_process_are_no_failure() -> None:
    async with serving(Server("go_goroutines 7\n").answer) as url, GatewayWatch(metrics_url=url) as watch:
        assert await watch.sample() == GatewaySample()
        assert (watch.failures, watch.remarks) == (0, [])


async def test_counters_are_read_beside_a_pid() -> None:
    server = Server("railbird_ready 1\n")
    async with serving(server.answer) as url, GatewayWatch(pid=os.getpid(), metrics_url=url) as watch:
        scrape = await watch.counters()
        assert scrape is not None
        assert scrape.value("railbird_ready") == 1
        assert (await watch.sample()).rss_bytes is not None


async def test_broken_metrics_are_refused_before_the_run() -> None:
    server = Server("")
    server.breaks = True
    async with serving(server.answer) as url:
        with pytest.raises(TargetError, match=f"{urlsplit(url).port}/metrics cannot be read: HTTP status 500"):
            await GatewayWatch(metrics_url=url).__aenter__()


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/metrics", "http://127.0.0.1:1/metrics"])
async def test_url_of_no_metrics_is_refused_before_the_run(url: str) -> None:
    with pytest.raises(TargetError, match="cannot be read"):
        await GatewayWatch(metrics_url=url).__aenter__()


async def test_watch_of_nothing_has_no_samples() -> None:
    async with GatewayWatch() as watch:
        assert await watch.sample() == GatewaySample()
        assert await watch.counters() is None
        assert (watch.samples, watch.remarks) == (0, [])
