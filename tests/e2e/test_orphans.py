"""A run that is killed takes its processes with it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys

import psutil

from tests.e2e.gateway_process import ROOT
from tests.e2e.waiting import until

STUDIO = ("-m", "tests.e2e.studio_av", "http://127.0.0.1:9/whip/card", "green")
RUN = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, *sys.argv[1:]]).pid, flush=True)
time.sleep(60)
"""
"""Stands for pytest; what it starts stands by as long as this test keeps its input open."""


async def test_process_ends_with_the_run_that_started_it() -> None:
    command = (sys.executable, "-c", RUN, *STUDIO)
    run = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.stdout is not None
    process = psutil.Process(int(await run.stdout.readline()))
    assert await run.stdout.readline() == b"stands by\n"
    run.kill()
    try:
        await until(lambda: _is_gone(process))
    finally:
        await run.communicate(b"")


def _is_gone(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True
