"""Worker processes: what becomes of them when something dies, is interrupted or hangs."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from loadgen.workers import processes
from loadgen.workers.messages import Begin, End, Failed, Ready
from tests.e2e.waiting import until
from tests.loadgen.workers.conftest import Bench
from tests.loadgen.workers.services import Killed, Stubborn, Tiny

ROOT = Path(__file__).parents[3]


def _pid(bench: Bench) -> int:
    return int(bench.diary.lines()[0].removeprefix("made "))


async def test_worker_that_has_ended_is_not_called_gone(bench: Bench) -> None:
    worker = await bench.begun(Tiny)
    pid = _pid(bench)
    await bench.ends(worker, End("run_end"))
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    await asyncio.sleep(0.05)
    assert bench.reports.empty()


async def test_killed_worker_is_gone_and_orders_to_it_are_nothing(bench: Bench) -> None:
    worker = await bench.begun(Killed)
    assert await bench.told_at_last() == Failed("The process of Killed is gone (-9).")
    worker.send(End("run_end"))
    await worker.close()
    bench.workers.clear()


async def test_close_lets_a_running_service_say_goodbye(bench: Bench) -> None:
    worker = await bench.begun(Tiny)
    await bench.told()
    await worker.close()
    bench.workers.clear()
    assert bench.diary.lines()[-2:] == ["run is over", "end interrupted"]


async def test_worker_that_does_not_end_is_killed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CLOSE_WITHIN_S", 0.3)
    worker = await bench.begun(Stubborn)
    await bench.told()
    pid = _pid(bench)
    # Before it is closed: how soon a process is told that there is no order any more is up to the machine.
    worker.send(End("interrupted"))
    await until(lambda: bench.diary.lines()[-1] == "end interrupted")
    await worker.close()
    bench.workers.clear()
    assert not psutil.pid_exists(pid)


async def test_several_workers_report_to_the_same(bench: Bench) -> None:
    workers = {bench.start(Tiny), bench.start(Tiny)}
    async with asyncio.timeout(20):
        reports = [await bench.reports.get() for _ in workers]
    assert {worker for worker, _report in reports} == workers
    assert [report for _worker, report in reports] == [Ready(), Ready()]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_worker_leaves_the_end_to_the_coordinator(bench: Bench, signal_number: int) -> None:
    worker = await bench.begun(Tiny)
    await bench.told()
    os.kill(_pid(bench), signal_number)
    await bench.told()
    await bench.told()
    await bench.ends(worker, End("run_end"))
    assert bench.diary.lines()[-1] == "end run_end"


async def test_ctrl_c_while_the_process_starts_does_not_kill_it(bench: Bench) -> None:
    worker = bench.start(Tiny)
    assert worker._process.pid is not None
    for _ in range(20):
        os.kill(worker._process.pid, signal.SIGINT)
        await asyncio.sleep(0.005)
    assert await bench.told() == Ready()
    worker.send(Begin(time.time()))
    await bench.ends(worker, End("run_end"))


async def test_ctrl_c_is_the_coordinators_again_afterwards(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGINT)
    bench.start(Tiny)
    assert signal.getsignal(signal.SIGINT) is before
    assert await bench.told() == Ready()


async def test_worker_ends_with_its_coordinator(bench: Bench) -> None:
    coordinator = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.loadgen.workers.coordinator", str(bench.path)), cwd=ROOT
    )
    await until(lambda: any(line.startswith("run ") for line in bench.diary.lines()), within_s=20)
    pid = _pid(bench)
    coordinator.kill()
    await coordinator.wait()
    await until(lambda: not psutil.pid_exists(pid))
    assert bench.diary.lines()[-2:] == ["run is over", "end interrupted"]
