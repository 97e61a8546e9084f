import asyncio

import pytest

from gateway.errors import SignallingError
from gateway.hls.waiting import WaitingRoom

SOON_S, LONG_S = 0.02, 60.0


class Shelf:
    """What is waited for: whether a number has been reached."""

    def __init__(self, most: int = 100) -> None:
        self.room = WaitingRoom(most)
        self.reached = 0

    def reach(self, number: int) -> None:
        self.reached = number
        self.room.wake()

    def wait(self, number: int, deadline_s: float = LONG_S) -> asyncio.Task[bool]:
        return asyncio.create_task(self.room.wait_until(lambda: self.reached >= number, deadline_s))


async def let_run() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_is_there_is_not_waited_for() -> None:
    shelf = Shelf(most=1)
    shelf.reached = 5
    assert await shelf.room.wait_until(lambda: shelf.reached >= 5, 0.0)
    assert len(shelf.room) == 0


async def test_only_those_whose_wish_came_true_go_on() -> None:
    shelf = Shelf()
    waiting = [shelf.wait(number) for number in (1, 2, 2, 3)]
    await let_run()
    assert len(shelf.room) == 4
    shelf.reach(2)
    await let_run()
    assert [task.done() for task in waiting] == [True, True, True, False]
    assert len(shelf.room) == 1
    shelf.reach(3)
    assert await asyncio.gather(*waiting) == [True] * 4
    assert len(shelf.room) == 0


async def test_wish_that_many_have_is_looked_at_once_a_wake() -> None:
    room, looks = WaitingRoom(100), 0

    def wish() -> bool:
        nonlocal looks
        looks += 1
        return False

    waiting = [asyncio.create_task(room.wait_until(wish, LONG_S)) for _ in range(50)]
    await let_run()
    assert (len(room), looks) == (50, 50)
    room.wake()
    assert looks == 51
    room.dismiss()
    assert await asyncio.gather(*waiting) == [False] * 50
    assert len(room) == 0


async def test_deadline_ends_the_wait() -> None:
    shelf = Shelf()
    assert await shelf.wait(1, SOON_S) is False
    assert len(shelf.room) == 0


async def test_what_came_without_a_wake_counts_at_the_deadline() -> None:
    shelf = Shelf()
    task = shelf.wait(1, SOON_S)
    await let_run()
    shelf.reached = 1
    assert await task


async def test_too_many_are_refused() -> None:
    shelf = Shelf(most=2)
    waiting = [shelf.wait(1), shelf.wait(1)]
    await let_run()
    with pytest.raises(SignallingError) as refused:
        await shelf.wait(1)
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"]
    shelf.reached = 1
    assert await shelf.wait(1), "what is there needs no place"
    shelf.room.wake()
    assert await asyncio.gather(*waiting) == [True, True]


async def test_cancelled_requests_leave_nothing_behind() -> None:
    shelf = Shelf(most=3)
    waiting = [shelf.wait(1) for _ in range(3)]
    await let_run()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert all(task.cancelled() for task in waiting)
    assert len(shelf.room) == 0
    again = shelf.wait(1)
    await let_run()
    shelf.reach(1)
    assert await again


async def test_cancelled_in_the_turn_of_its_wake() -> None:
    shelf = Shelf()
    task = shelf.wait(1)
    await let_run()
    shelf.reach(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(shelf.room) == 0
    shelf.reach(2)


async def test_who_wakes_may_wait_again_at_once() -> None:
    shelf = Shelf()
    seen: list[int] = []

    async def follow() -> None:
        for number in range(1, 6):
            assert await shelf.room.wait_until(lambda number=number: shelf.reached >= number, LONG_S)  # type: ignore[misc]
            seen.append(number)

    followers = [asyncio.create_task(follow()) for _ in range(50)]
    for number in range(1, 6):
        await let_run()
        assert len(shelf.room) == 50
        shelf.reach(number)
    await asyncio.gather(*followers)
    assert len(seen) == 250
    assert len(shelf.room) == 0


async def test_wake_twice_in_a_turn() -> None:
    shelf = Shelf()
    task = shelf.wait(1)
    await let_run()
    shelf.reach(1)
    shelf.reach(2)
    assert await task


async def test_dismissed_requests_are_told_that_nothing_came() -> None:
    shelf = Shelf()
    waiting = [shelf.wait(1), shelf.wait(2)]
    await let_run()
    shelf.room.dismiss()
    assert await asyncio.gather(*waiting) == [False, False]
    assert len(shelf.room) == 0
