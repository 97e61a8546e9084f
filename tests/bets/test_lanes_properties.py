"""However attempts fail: each bet ends exactly once, each player's in order, and never too many at a time."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.bets.handover import Handover, handover
from gateway.bets.lanes import OUT_OF_TIME, Lanes, Pauses, Road
from gateway.bets.webhook import Fate, Verdict
from gateway.clock import monotonic_s
from tests.bets.casino import until
from tests.bets.table import bet

TAKEN, REFUSED = Verdict(Fate.DELIVERED, "HTTP 204"), Verdict(Fate.REFUSED, "HTTP 422")
DOWN = Verdict(Fate.TRY_AGAIN, "HTTP 503")
NEVER_AGAIN = Verdict(Fate.TRY_AGAIN, "HTTP 503", 600.0)
FOREVER = 10_000
TURNS = 10


@dataclass(frozen=True)
class Fortune:
    """What befalls a bet."""

    player: str
    failures: int
    """Attempts that are answered by 503, before the last one."""
    last: Verdict | None
    """None: a bug."""
    turns: int
    """Of the loop that an attempt takes."""
    is_late: bool
    """Its deadline has passed when it is put."""


FORTUNES = st.builds(
    Fortune,
    player=st.sampled_from(["ada", "bob", "cid", "dan"]),
    failures=st.sampled_from([0, 0, 0, 1, 3, FOREVER]),
    last=st.sampled_from([TAKEN, TAKEN, REFUSED, None]),
    turns=st.integers(0, 3),
    is_late=st.sampled_from([False, False, False, True]),
)


@dataclass
class Crossing:
    """Bets that go through lanes."""

    fortunes: list[Fortune]
    lanes: int
    tried: Counter[int] = field(default_factory=Counter)
    at_once: Counter[str] = field(default_factory=Counter)
    ended: list[tuple[int, Verdict, int]] = field(default_factory=list)

    async def attempt(self, handed: Handover) -> Verdict:
        number = int(handed.bet.bet_id)
        fortune = self.fortunes[number]
        self.at_once[fortune.player] += 1
        assert self.at_once[fortune.player] == 1
        assert self.at_once.total() <= self.lanes
        try:
            for _ in range(fortune.turns):
                await asyncio.sleep(0)
        finally:
            self.at_once[fortune.player] -= 1
        self.tried[number] += 1
        if self.tried[number] <= fortune.failures:
            return NEVER_AGAIN if fortune.failures == FOREVER else DOWN
        if fortune.last is None:
            raise RuntimeError("a bug")
        return fortune.last

    async def cross(self, batches: list[int]) -> list[int]:
        """The bets that are left when all others have ended. They are put in such batches."""
        road = Road(lambda _handed: contextlib.nullcontext(), self.attempt, self._on_ended)
        lanes = Lanes(self.lanes, road, asyncio.Event(), Pauses(0.0, 0.0, 0.0))
        lanes.start()
        waiting = [self._handed(number) for number in range(len(self.fortunes))]
        for batch in [*batches, len(waiting)]:
            for handed in waiting[:batch]:
                lanes.put(handed)
            del waiting[:batch]
            for _ in range(TURNS):
                await asyncio.sleep(0)
        await until(lambda: len(self.ended) == self._will_end())
        return [int(handed.bet.bet_id) for handed in await lanes.stop()]

    def _will_end(self) -> int:
        """How many bets neither fail for ever nor stand behind such a one of the same player."""
        stuck, count = set(), 0
        for fortune in self.fortunes:
            if fortune.failures == FOREVER and not fortune.is_late:
                stuck.add(fortune.player)
            count += fortune.player not in stuck
        return count

    def _handed(self, number: int) -> Handover:
        fortune = self.fortunes[number]
        left_s = -1.0 if fortune.is_late else 600.0
        return replace(handover(bet(str(number), fortune.player), 0.0), deadline_s=monotonic_s() + left_s)

    def _on_ended(self, handed: Handover, verdict: Verdict, retries: int) -> None:
        self.ended.append((int(handed.bet.bet_id), verdict, retries))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(FORTUNES, max_size=20),
    st.sampled_from([1, 2, 3, 16]),
    st.lists(st.integers(0, 8), max_size=4),
)
def test_each_bet_ends_once_and_each_player_in_order(fortunes: list[Fortune], lanes: int, batches: list[int]) -> None:
    crossing = Crossing(fortunes, lanes)
    with capture_logs():
        left = asyncio.run(crossing.cross(batches))
    ended = [number for number, _verdict, _retries in crossing.ended]
    assert sorted(ended + left) == list(range(len(fortunes)))
    by_player: dict[str, list[int]] = defaultdict(list)
    for number in ended + left:
        by_player[fortunes[number].player].append(number)
    assert all(numbers == sorted(numbers) for numbers in by_player.values())
    first_left = {fortunes[number].player: fortunes[number] for number in reversed(left)}
    assert all(fortune.failures == FOREVER for fortune in first_left.values())
    for number, verdict, retries in crossing.ended:
        fortune = fortunes[number]
        if fortune.is_late:
            assert (verdict, crossing.tried[number]) == (OUT_OF_TIME, 0)
        else:
            assert crossing.tried[number] == fortune.failures + 1
            assert (verdict, retries) == (fortune.last, fortune.failures) or fortune.last is None
