"""What goes to many: a few milliseconds of sending at a time, so that no packet of media waits for thousands of
players to be told of a round; and, to data channels, again. Pure: time is passed in."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger()

TURN_S = 0.002
"""How long one turn sends: no longer than the fan-out of a frame."""
MAX_JOBS = 256
"""Beyond it the oldest is done at once: what a studio says is never lost, and waits nowhere without end."""
REPEAT_AFTER_S = (0.2, 0.7, 3.0)
"""A data channel without retransmission loses what the network loses: the same again, farther and farther apart, as
bursts of loss have all lengths. Whose path fails for longer connects anew."""
MAX_REPEATS = 20_000
"""Of each delay; some 5 MB. Deliveries come as fast as bets do."""

Target = TypeVar("Target")


class Outbox(Generic[Target]):
    """Jobs in the order in which they came, each to be done for many targets."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._jobs: deque[tuple[Iterator[Target], Callable[[Target], None]]] = deque()

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, targets: Iterable[Target], do: Callable[[Target], None]) -> None:
        """Do `do` for each of those that are `targets` now, as turns come."""
        self._jobs.append((iter(tuple(targets)), do))
        if len(self._jobs) > MAX_JOBS:
            waiting, oldest = self._jobs.popleft()
            for target in waiting:
                _do(oldest, target)

    def pump(self) -> bool:
        """One turn; whether something is left for another."""
        until_s = self._monotonic() + TURN_S
        while self._jobs:
            targets, do = self._jobs[0]
            for target in targets:
                _do(do, target)
                if self._monotonic() >= until_s:
                    return True
            self._jobs.popleft()
        return False


def _do(do: Callable[[Target], None], target: Target) -> None:
    """A bug that one target meets is loud in the log, and keeps nothing from the others."""
    try:
        do(target)
    except Exception:
        log.exception("one of many failed", call=getattr(do, "__qualname__", str(do)))


class Repeats:
    """Calls that are made again after REPEAT_AFTER_S."""

    def __init__(self) -> None:
        self._queues: tuple[deque[tuple[float, Callable[[], None]]], ...] = tuple(
            deque(maxlen=MAX_REPEATS) for _ in REPEAT_AFTER_S
        )

    def put(self, call: Callable[[], None], now_s: float) -> None:
        """Call `call` again, later. Beyond MAX_REPEATS the oldest are not made."""
        for after_s, queue in zip(REPEAT_AFTER_S, self._queues, strict=True):
            queue.append((now_s + after_s, call))

    def tick(self, now_s: float) -> None:
        """Make the calls that are due."""
        for queue in self._queues:
            while queue and queue[0][0] <= now_s:
                queue.popleft()[1]()
