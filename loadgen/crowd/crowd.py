"""The players of one process: they arrive, watch, hop, leave, and come again."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial

from loadgen.crowd.attendance import Attendance
from loadgen.crowd.casting import AnyPlayer, Casting, join_times
from loadgen.crowd.farewell import Farewell
from loadgen.crowd.journey import CLOSED_BY_SERVER, INTERNAL_ERROR, MOVED, Elsewhere, Ending, Journey
from loadgen.crowd.lives import Life, Visit
from loadgen.crowd.moves import Moves
from loadgen.crowd.rounds import Rounds
from loadgen.errors import SignallingError
from loadgen.figures import Interval, SessionFigures
from loadgen.hls.player import HlsPlayer
from loadgen.players.player import Player
from loadgen.signals.bet_book import PlacedBet
from loadgen.signals.client import SignalsClient
from loadgen.signals.player import SignalsPlayer
from loadgen.target.edges import Edges

MAX_FAREWELLS = 50
"""Sessions that are ended at the same time when the run is over."""

FAREWELL_WITHIN_S = 20.0
"""All of them: a server that does not answer by then keeps its sessions."""

_log = logging.getLogger(__name__)


class Crowd:
    """All players of this process, from their first arrival to the end of the run."""

    def __init__(self, lives: list[tuple[str, Life]], casting: Casting, edges: Edges) -> None:
        """`lives` are (group, life)."""
        self.rounds = Rounds(self._on_failure)
        self._casting = casting
        self._moves: Moves[AnyPlayer] = Moves(edges, self._on_move_due)
        self._lives = lives
        self._attendance: Attendance[AnyPlayer] = Attendance()
        self._began_s = 0.0
        self._interval = Interval(at_s=0.0, seconds=0.0)
        self._ended: list[SessionFigures] = []
        self._joining: set[AnyPlayer] = set()
        self._watching: set[AnyPlayer] = set()
        self._leaving: dict[AnyPlayer, Farewell] = {}
        self._broken: set[AnyPlayer] = set()
        """Those that raised what they should not have."""
        self._has_failed = False
        self._interrupted: set[AnyPlayer] = set()
        """Those on their way in: when the run ends meanwhile, the server may have their session."""

    async def run(self, began_s: float) -> None:
        """Until cancelled. `began_s` is the run's beginning, unix seconds."""
        self._began_s = self._casting.began_s = began_s
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.rounds.run())
            for group, life in self._lives:
                tasks.create_task(self._live(group, life))

    def take(self) -> tuple[Interval, list[SessionFigures]]:
        """What happened since the last call, and the sessions that ended."""
        now_s = time.time()
        for player in self._watching - self._broken:
            try:
                player.take(self._interval, now_s)
            except Exception:
                self._on_failure(player)
        self._attendance.take(self._interval)
        taken, ended = self._interval, self._ended
        taken.viewers, taken.joining = len(self._watching), len(self._joining)
        taken.hls_viewers = sum(isinstance(player, HlsPlayer) for player in self._watching)
        taken.signal_players = sum(isinstance(player, SignalsPlayer) for player in self._watching)
        taken.generator.lateness_s = self.rounds.take_lateness_s()
        taken.moves_refused.update(self._moves.refused)
        self._moves.refused.clear()
        self._interval, self._ended = Interval(at_s=0.0, seconds=0.0), []
        return taken, ended

    async def end(self, cause: str) -> None:
        """End every session by DELETE, for `cause`, and within FAREWELL_WITHIN_S: who is still joining or leaving, too.
        `run` was cancelled, so that nobody comes any more; who waits for its turn still watches."""
        reading = asyncio.create_task(self.rounds.run())
        try:
            # All at once: who waits for its turn to leave must not bet meanwhile.
            await self._settle_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_WITHIN_S):
                    await self._leave_all(cause)
        finally:
            reading.cancel()
            self._leaving |= {player: Farewell(cause, time.time()) for player in self._watching}
            self._watching.clear()
            for player in list(self._leaving):
                self._close(player)
            for player in self._interrupted:
                player.vanish()
            self.rounds.close()

    async def _settle_all(self) -> None:
        alone = (player.settle() for player in self._watching if isinstance(player, SignalsPlayer))
        await asyncio.gather(self._attendance.settle(), *alone)

    async def _leave_all(self, cause: str) -> None:
        farewells = asyncio.Semaphore(MAX_FAREWELLS)

        async def in_turn(leave: Callable[[], Awaitable[object]]) -> None:
            async with farewells:
                await leave()

        await asyncio.gather(
            *(in_turn(player.abandon) for player in self._interrupted),
            *(in_turn(partial(self._say_goodbye, player)) for player in self._leaving),
            *(in_turn(partial(self._leave, player, cause)) for player in self._watching),
        )

    # One life

    async def _live(self, group: str, life: Life) -> None:
        await asyncio.sleep(self._began_s + life.arrives_s - time.time())
        for visit in life.visits():
            journey = Journey(visit)
            ending = await self._session(group, journey)
            while (wait_s := journey.after(ending)) is not None:
                await asyncio.sleep(wait_s)
                ending = await self._session(group, journey)
            if ending.end == INTERNAL_ERROR:
                return
            await asyncio.sleep(visit.away_s or 0.0)

    async def _session(self, group: str, journey: Journey) -> Ending:
        visit = journey.visit
        player = self._casting.player(group, journey)
        if isinstance(player, SignalsPlayer):
            player.client.on_move = partial(self._moves.tell, player)
        refusal = await self._join(player, visit)
        if refusal is not None:
            return refusal
        if journey.bets and (client := self._client_of(player)) is not None:
            client.carry(journey.bets)
        joined_s = time.time()
        end = await self._watch(player, visit)
        left_s, elsewhere = time.time(), self._elsewhere(player, end)
        bets = self._hand_over(player) if end == MOVED else ()
        await self._leave(player, end)
        last_frame_s = player.last_frame_s if isinstance(player, Player) else None
        return Ending(end, last_frame_s or left_s, left_s - joined_s, elsewhere, player.figures.moved, bets)

    def _elsewhere(self, player: AnyPlayer, end: str) -> Elsewhere | None:
        """Where the server would have it go on: who was closed before it was time goes there, too."""
        told = self._moves.told(player)
        if told is None and end == CLOSED_BY_SERVER and isinstance(player, HlsPlayer):
            return self._moves.sent_on(player.alternate, player.figures.stream)
        return told

    def _client_of(self, player: AnyPlayer) -> SignalsClient | None:
        return player.client if isinstance(player, SignalsPlayer) else self._attendance.client_of(player)

    def _hand_over(self, player: AnyPlayer) -> tuple[PlacedBet, ...]:
        client = self._client_of(player)
        return client.hand_over() if client is not None else ()

    async def _join(self, player: AnyPlayer, visit: Visit) -> Ending | None:
        """Why it failed; None when it did not."""
        self._joining.add(player)
        self._interrupted.add(player)
        try:
            await player.join(time.time())
            player.begin(time.time())
            if isinstance(player, Player):
                self.rounds.add(player, is_urgent=visit.carrier == "data_channel")
        except SignallingError as error:
            elsewhere = self._moves.sent_on(error.alternate, visit.stream)
            return Ending(self._join_failed(player, error.cause), elsewhere=elsewhere)
        except Exception:
            self._on_failure(player)
            await player.abandon()
            return Ending(self._join_failed(player, INTERNAL_ERROR))
        finally:
            self._joining.discard(player)
        self._interrupted.discard(player)
        self._interval.joins += 1
        self._interval.joins_at[player.figures.edge] += 1
        join_times(player, self._interval).add(player.figures.join_s or 0.0)
        self._watching.add(player)
        self._begin_signals(player, visit)
        return None

    def _begin_signals(self, player: AnyPlayer, visit: Visit) -> None:
        client = self._casting.signals_beside(player, visit)
        if client is not None:
            client.on_move = partial(self._moves.tell, player)
            self._attendance.begin(player, client)

    def _join_failed(self, player: AnyPlayer, cause: str) -> str:
        self._interrupted.discard(player)
        self._broken.discard(player)
        self._moves.drop(player)
        self._interval.join_failures[cause] += 1
        self._ended.append(player.finish(self._interval, cause, time.time()))
        return cause

    def _on_move_due(self, player: AnyPlayer) -> None:
        if player in self._watching:  # who is still on its way in finds out in `_watch`
            player.over.set()

    async def _watch(self, player: AnyPlayer, visit: Visit) -> str:
        """Until it ends; how it does."""
        if self._moves.is_due(player):
            return MOVED
        loop = asyncio.get_running_loop()
        leaves_s = loop.time() + _or_never(visit.stay_s)
        while True:
            restarts_s = loop.time() + _or_never(visit.ice_restart_every_s)
            if await _is_over_by(player, min(leaves_s, restarts_s)):
                return self._why_over(player)
            if leaves_s <= restarts_s:
                return visit.leave or "goodbye"
            if isinstance(player, Player):  # LL-HLS has none: the scenario's check says so
                await self._switch_network(player)

    def _why_over(self, player: AnyPlayer) -> str:
        if player in self._broken:
            return INTERNAL_ERROR
        return MOVED if self._moves.is_due(player) else CLOSED_BY_SERVER

    async def _switch_network(self, player: Player) -> None:
        try:
            failure = await player.switch_network()
            if failure is None:
                self.rounds.move(player)
                player.on_new_socket()
                self._interval.ice_restarts += 1
            else:
                self._interval.ice_restart_failures[failure] += 1
        except Exception:
            self._on_failure(player)

    async def _leave(self, player: AnyPlayer, end: str) -> None:
        self._watching.discard(player)
        self._leaving[player] = Farewell(end, time.time())
        if end != MOVED:  # its bets go on, and without signals the server would close it as one that cannot be told
            await self._attendance.end(player, silently=end == "tab_close")
        await self._say_goodbye(player)

    async def _say_goodbye(self, player: AnyPlayer) -> None:
        """What the server sends until it has the DELETE is still read."""
        farewell = self._leaving[player]
        farewell.is_taken = await player.leave(farewell.end == "tab_close")
        self._close(player)

    def _close(self, player: AnyPlayer) -> None:
        """Take what came until now, and give the socket back."""
        farewell = self._leaving.pop(player)
        if self._moves.told(player) is not None and farewell.end in (MOVED, CLOSED_BY_SERVER):
            player.figures.moved = True
            self._interval.moved[player.figures.stream] += 1
        elif farewell.end == CLOSED_BY_SERVER:
            self._interval.closed_untold += 1
        self._moves.drop(player)
        self._attendance.drop(player, self._interval)
        self._read_no_more(player)
        figures = self._last_figures(player, farewell)
        self._interval.ended[figures.end] += 1
        self._interval.goodbye_failures += farewell.is_owed
        self._ended.append(figures)
        self._broken.discard(player)
        if farewell.end == "tab_close":
            player.vanish()
        else:
            player.close()

    def _last_figures(self, player: AnyPlayer, farewell: Farewell) -> SessionFigures:
        try:
            if isinstance(player, Player) and player not in self._broken:
                player.read()
            return player.finish(self._interval, farewell.end, farewell.left_s)
        except Exception:
            self._on_failure(player)
            player.figures.end, player.figures.ended_s = INTERNAL_ERROR, farewell.left_s - self._began_s
            return player.figures

    def _on_failure(self, player: AnyPlayer) -> None:
        """A bug of ours, in the `except` that met it: this player ends, the others go on."""
        if not self._has_failed:
            _log.exception("A player failed; it ends, and so will others for which this happens, without a word.")
        self._has_failed = True
        self._read_no_more(player)
        self._broken.add(player)
        player.over.set()

    def _read_no_more(self, player: AnyPlayer) -> None:
        if isinstance(player, Player):
            self.rounds.remove(player)


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


async def _is_over_by(player: AnyPlayer, until_s: float) -> bool:
    """Whether the session ends before `until_s`, on the loop's clock."""
    try:
        async with asyncio.timeout_at(None if math.isinf(until_s) else until_s):
            await player.over.wait()
    except TimeoutError:
        return False
    return True
