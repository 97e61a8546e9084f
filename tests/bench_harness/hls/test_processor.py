"""CPU is counted with threads and children."""

import os
import threading
import time

from tests.bench.hls.processor import Spent, spent

BUSY_S = 0.2


def _be_busy() -> None:
    until_s = time.thread_time() + BUSY_S
    while time.thread_time() < until_s:
        pass


def test_thread_counts_for_the_process_and_by_itself() -> None:
    go_on, has_worked = threading.Event(), threading.Event()

    def work() -> None:
        _be_busy()
        has_worked.set()
        go_on.wait()

    before = spent(os.getpid())
    thread = threading.Thread(target=work)
    thread.start()
    has_worked.wait()
    used = spent(os.getpid()) - before
    go_on.set()
    thread.join()
    assert used.cpu_s >= used.threads_cpu_s >= 0.9 * BUSY_S
    assert used.wall_s >= 0.9 * BUSY_S


def test_sleep_is_a_wake_up_and_no_cpu() -> None:
    before = spent(os.getpid())
    for _ in range(20):
        time.sleep(0.001)
    # One that was over before a busy machine let it begin is none.
    assert (spent(os.getpid()) - before).wake_ups >= 10


def test_core_share_is_of_the_time_between() -> None:
    assert (Spent(12.0, 3.5, 0.0, 0) - Spent(10.0, 3.0, 0.0, 0)).core_share == 0.25
