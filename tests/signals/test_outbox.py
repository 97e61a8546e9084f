"""Telling many a little at a time, and again."""

import structlog

from gateway.signals.outbox import MAX_JOBS, MAX_REPEATS, REPEAT_AFTER_S, TURN_S, Outbox, Repeats


class Clock:
    """Moves by so much whenever somebody looks."""

    def __init__(self, step_s: float) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def test_job_is_done_for_all_in_their_order() -> None:
    outbox: Outbox[int] = Outbox(Clock(0.0))
    done: list[int] = []
    outbox.put(range(100), done.append)
    assert done == []
    assert not outbox.pump()
    assert done == list(range(100))
    assert len(outbox) == 0


def test_turn_ends_when_its_time_is_over() -> None:
    outbox: Outbox[int] = Outbox(Clock(TURN_S / 9.5))
    done: list[int] = []
    outbox.put(range(25), done.append)
    turns = []
    while outbox.pump():
        turns.append(len(done))
    assert turns == [10, 20]
    assert done == list(range(25))


def test_jobs_do_not_overtake_one_another() -> None:
    outbox: Outbox[int] = Outbox(Clock(TURN_S / 2))
    done: list[tuple[str, int]] = []
    outbox.put([1, 2, 3], lambda target: done.append(("open", target)))
    outbox.put([1, 2], lambda target: done.append(("closed", target)))
    while outbox.pump():
        pass
    assert done == [("open", 1), ("open", 2), ("open", 3), ("closed", 1), ("closed", 2)]


def test_target_that_fails_keeps_nothing_from_the_others() -> None:
    outbox: Outbox[int] = Outbox(Clock(0.0))
    done: list[int] = []

    def do(target: int) -> None:
        if target == 2:
            raise RuntimeError("a bug")
        done.append(target)

    for _ in range(MAX_JOBS + 1):
        outbox.put([1, 2, 3], do)
    with structlog.testing.capture_logs() as logs:
        assert not outbox.pump()
    assert done == [1, 3] * (MAX_JOBS + 1)
    assert {entry["event"] for entry in logs} == {"one of many failed"}


def test_too_many_jobs_are_done_rather_than_lost() -> None:
    outbox: Outbox[int] = Outbox(Clock(0.0))
    done: list[int] = []
    for job in range(MAX_JOBS + 2):
        outbox.put([job], done.append)
    assert len(outbox) == MAX_JOBS
    assert done == [0, 1]
    outbox.pump()
    assert done == list(range(MAX_JOBS + 2))


def test_call_is_made_again_after_each_delay() -> None:
    repeats, calls = Repeats(), list[str]()
    repeats.put(lambda: calls.append("again"), 10.0)
    made = []
    for after_s in REPEAT_AFTER_S:
        repeats.tick(10.0 + after_s - 0.01)
        repeats.tick(10.0 + after_s + 0.01)
        made.append(len(calls))
    repeats.tick(100.0)
    assert made == [1, 2, 3]
    assert len(calls) == 3


def test_calls_that_wait_are_bounded() -> None:
    repeats, calls = Repeats(), list[int]()
    for number in range(MAX_REPEATS + 5):
        repeats.put(lambda number=number: calls.append(number), 0.0)  # type: ignore[misc]
    repeats.tick(REPEAT_AFTER_S[0])
    assert calls == list(range(5, MAX_REPEATS + 5))
