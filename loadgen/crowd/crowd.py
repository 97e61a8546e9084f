"""The players of one process: they arrive, watch, hop, leave, and come again."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from loadgen.crowd.attendance import Attendance, SignalsOf
from loadgen.crowd.lives import Life, Visit
from loadgen.crowd.rounds import Rounds
from loadgen.distribution import Distribution
from loadgen.errors import SignallingError
from loadgen.figures import Interval, SessionFigures
from loadgen.hls.player import HlsPlayer
from loadgen.peer.peer import Peer
from loadgen.players.impairment import Impairment
from loadgen.players.player import Player
from loadgen.signals.player import SignalsPlayer

REJOIN_S = 2.0
"""Until a player that was refused, or lost its session, tries again: what a player page does, and no storm."""

MAX_REJOIN_S = 30.0
"""Each refusal in a row doubles it: what turns away all there can be is not asked by more than MAX_REQUESTS_PER_S."""

MAX_FAREWELLS = 50
"""Sessions that are ended at the same time when the run is over."""

FAREWELL_WITHIN_S = 20.0
"""All of them: a server that does not answer by then keeps its sessions."""

CLOSED_BY_SERVER = "closed_by_server"
INTERNAL_ERROR = "internal_error"
"""Ends of a session that no scenario asks for: the server's doing, and a bug of ours. Who fell over a bug does not come
again: it must not become a storm of joins."""

OWN_ENDS = ("hop", "tab_close", "goodbye")
"""How a visit ends when all is well."""

PeerOf = Callable[[Visit], Peer]
"""Makes the peer of a visit by WHEP."""

HlsPlayerOf = Callable[[Visit, SessionFigures, float], HlsPlayer]
"""Makes the player of a visit by LL-HLS. The last is when the run began, unix seconds."""

AnyPlayer = Player | HlsPlayer | SignalsPlayer

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Farewell:
    """How and when a player left: what comes until the server has its DELETE is counted, but not watched any more."""

    end: str
    left_s: float
    is_taken: bool = False
    """Whether the server answered the DELETE with success."""

    @property
    def is_owed(self) -> bool:
        """Whether the server should have answered, and has not: it may keep the session."""
        return not self.is_taken and self.end not in ("tab_close", CLOSED_BY_SERVER, INTERNAL_ERROR)


class Crowd:
    """All players of this process, from their first arrival to the end of the run."""

    def __init__(
        self,
        lives: list[tuple[str, Life]],
        peer_of: PeerOf,
        hls_player_of: HlsPlayerOf,
        signals_of: SignalsOf,
        late_after_s: float,
    ) -> None:
        """`lives` are (group, life)."""
        self.rounds = Rounds(self._on_failure)
        self._lives = lives
        self._peer_of = peer_of
        self._hls_player_of = hls_player_of
        self._signals_of = signals_of
        self._attendance: Attendance[AnyPlayer] = Attendance()
        self._late_after_s = late_after_s
        self._began_s = 0.0
        self._interval = Interval(at_s=0.0, seconds=0.0)
        self._ended: list[SessionFigures] = []
        self._joining: set[AnyPlayer] = set()
        self._watching: set[AnyPlayer] = set()
        self._leaving: dict[AnyPlayer, _Farewell] = {}
        self._broken: set[AnyPlayer] = set()
        """Those that raised what they should not have."""
        self._has_failed = False
        self._interrupted: set[AnyPlayer] = set()
        """Those on their way in: when the run ends meanwhile, the server may have their session."""

    async def run(self, began_s: float) -> None:
        """Until cancelled. `began_s` is the run's beginning, unix seconds."""
        self._began_s = began_s
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
            self._leaving |= {player: _Farewell(cause, time.time()) for player in self._watching}
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
            rejoin_s = REJOIN_S
            while (end := await self._visit(group, visit)) not in OWN_ENDS:
                if end == INTERNAL_ERROR:
                    return
                if end == CLOSED_BY_SERVER:
                    rejoin_s = REJOIN_S
                await asyncio.sleep(rejoin_s)
                rejoin_s = min(2 * rejoin_s, MAX_REJOIN_S)
            await asyncio.sleep(visit.away_s or 0.0)

    async def _visit(self, group: str, visit: Visit) -> str:
        """How it ended; for a failed join its cause. Unless that is one of OWN_ENDS, the player comes again."""
        player = self._player(group, visit)
        failure = await self._join(player, visit)
        if failure is not None:
            return failure
        end = await self._watch(player, visit)
        await self._leave(player, end)
        return end

    def _player(self, group: str, visit: Visit) -> AnyPlayer:
        figures = SessionFigures(visit.stream, group, 0.0, is_sampled=visit.is_sampled, protocol=visit.protocol)
        if visit.protocol == "none":
            return SignalsPlayer(self._signals_of(visit, figures, None), figures, self._began_s)
        if visit.protocol == "hls":
            return self._hls_player_of(visit, figures, self._began_s)
        impairment = Impairment(visit.impairment, visit.seed) if visit.impairment is not None else None
        return Player(self._peer_of(visit), figures, self._began_s, self._late_after_s, impairment)

    async def _join(self, player: AnyPlayer, visit: Visit) -> str | None:
        """Why it failed; None when it did not."""
        self._joining.add(player)
        self._interrupted.add(player)
        try:
            await player.join(time.time())
            player.begin(time.time())
            if isinstance(player, Player):
                self.rounds.add(player, is_urgent=visit.carrier == "data_channel")
        except SignallingError as error:
            return self._join_failed(player, error.cause)
        except Exception:
            self._on_failure(player)
            await player.abandon()
            return self._join_failed(player, INTERNAL_ERROR)
        finally:
            self._joining.discard(player)
        self._interrupted.discard(player)
        self._interval.joins += 1
        self._join_times(player).add(player.figures.join_s or 0.0)
        self._watching.add(player)
        if visit.carrier is not None and not isinstance(player, SignalsPlayer):
            peer = player.peer if isinstance(player, Player) else None
            self._attendance.begin(player, self._signals_of(visit, player.figures, peer))
        return None

    def _join_times(self, player: AnyPlayer) -> Distribution:
        match player:
            case Player():
                return self._interval.join_s
            case HlsPlayer():
                return self._interval.hls_join_s
            case SignalsPlayer():
                return self._interval.signal_join_s

    def _join_failed(self, player: AnyPlayer, cause: str) -> str:
        self._interrupted.discard(player)
        self._broken.discard(player)
        self._interval.join_failures[cause] += 1
        self._ended.append(player.finish(self._interval, cause, time.time()))
        return cause

    async def _watch(self, player: AnyPlayer, visit: Visit) -> str:
        """Until it ends; how it does."""
        loop = asyncio.get_running_loop()
        leaves_s = loop.time() + _or_never(visit.stay_s)
        while True:
            restarts_s = loop.time() + _or_never(visit.ice_restart_every_s)
            if await _is_over_by(player, min(leaves_s, restarts_s)):
                return INTERNAL_ERROR if player in self._broken else CLOSED_BY_SERVER
            if leaves_s <= restarts_s:
                return visit.leave or "goodbye"
            if isinstance(player, Player):  # LL-HLS has none: the scenario's check says so
                await self._switch_network(player)

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
        self._leaving[player] = _Farewell(end, time.time())
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

    def _last_figures(self, player: AnyPlayer, farewell: _Farewell) -> SessionFigures:
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
