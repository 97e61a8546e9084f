"""The demo studio's command line, as a process: it waits for its gateway, and ends when it is told to."""

import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("stopping", [signal.SIGTERM, signal.SIGINT])
def test_demo_without_a_gateway_waits_and_ends_cleanly(stopping: signal.Signals, unused_tcp_port: int) -> None:
    command = [sys.executable, "-m", "gateway.demo", "--whip", f"http://127.0.0.1:{unused_tcp_port}/whip/demo"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "no gateway answers" in process.stderr.readline()
    process.send_signal(stopping)
    _, rest = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_wait_wakes_for_a_signal_and_stays_awake() -> None:
    code = (
        "import os, signal, time; from gateway.demo.stop import StopSignals; signals = StopSignals();"
        "early = signals.wait(0.05); os.kill(os.getpid(), signal.SIGTERM); started = time.monotonic();"
        "print(early, signals.wait(30), signals.wait(30), time.monotonic() - started < 5)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    ).stdout
    assert printed.split() == ["False", "True", "True", "True"]


def test_wait_is_not_ended_by_a_suspension() -> None:
    code = (
        "from gateway.demo.stop import StopSignals; signals = StopSignals();"
        "print('up', flush=True); print(signals.wait(0.4))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    time.sleep(0.1)  # by now it waits
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.8)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=5)[0] == "False\n"


def test_demo_ends_soon_after_its_start() -> None:
    """SIGTERM while modules are still being imported: the default action ends it as well."""
    process = subprocess.Popen([sys.executable, "-m", "gateway.demo"], stderr=subprocess.DEVNULL)
    time.sleep(0.02)
    process.terminate()
    assert process.wait(timeout=5) in (0, -signal.SIGTERM)


def test_process_that_only_watches_loads_nothing_that_draws() -> None:
    """numpy starts threads when it is loaded, in which a signal ends the process whatever the main thread blocks."""
    code = "import sys, gateway.demo.__main__; print({'numpy', 'PIL', 'av'} & sys.modules.keys() or 'none')"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert printed.stdout == "none\n"
