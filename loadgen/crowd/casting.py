"""Who plays a visit: a player by WHEP, by LL-HLS or by signals alone, with what it is known by in the report."""

from collections.abc import Callable

from loadgen.crowd.attendance import SignalsOf
from loadgen.crowd.journey import Journey
from loadgen.crowd.lives import Visit
from loadgen.distribution import Distribution
from loadgen.figures import Interval, SessionFigures
from loadgen.hls.player import HlsPlayer
from loadgen.peer.peer import Peer
from loadgen.players.impairment import Impairment
from loadgen.players.player import Player
from loadgen.signals.client import SignalsClient
from loadgen.signals.player import SignalsPlayer
from loadgen.target.edges import Edges

PeerOf = Callable[[Visit], Peer]
"""Makes the peer of a visit by WHEP."""

HlsPlayerOf = Callable[[Visit, SessionFigures, float], HlsPlayer]
"""Makes the player of a visit by LL-HLS. The last is when the run began, unix seconds."""

AnyPlayer = Player | HlsPlayer | SignalsPlayer


class Casting:
    """Of one process."""

    def __init__(
        self, peer_of: PeerOf, hls_player_of: HlsPlayerOf, signals_of: SignalsOf, late_after_s: float, edges: Edges
    ) -> None:
        self.began_s = 0.0
        """The run's beginning, unix seconds."""
        self._peer_of = peer_of
        self._hls_player_of = hls_player_of
        self._signals_of = signals_of
        self._late_after_s = late_after_s
        self._edges = edges

    def player(self, group: str, journey: Journey) -> AnyPlayer:
        """Of the journey's next session."""
        visit, figures = journey.visit, self._figures(group, journey)
        if visit.protocol == "none":
            return SignalsPlayer(self._signals_of(visit, figures, None), figures, self.began_s)
        if visit.protocol == "hls":
            return self._hls_player_of(visit, figures, self.began_s)
        impairment = Impairment(visit.impairment, visit.seed) if visit.impairment is not None else None
        return Player(self._peer_of(visit), figures, self.began_s, self._late_after_s, impairment)

    def _figures(self, group: str, journey: Journey) -> SessionFigures:
        visit = journey.visit
        figures = SessionFigures(visit.stream, group, 0.0, is_sampled=visit.is_sampled, protocol=visit.protocol)
        figures.edge = self._edges.base(visit.edge)
        if journey.left_s is not None:
            figures.left_s, figures.was_told = journey.left_s - self.began_s, journey.was_told
        return figures

    def signals_beside(self, player: AnyPlayer, visit: Visit) -> SignalsClient | None:
        """Of a player that watches, too; None where it has none."""
        if visit.carrier is None or isinstance(player, SignalsPlayer):
            return None
        return self._signals_of(visit, player.figures, player.peer if isinstance(player, Player) else None)


def join_times(player: AnyPlayer, interval: Interval) -> Distribution:
    """Those that this player's belongs to."""
    match player:
        case Player():
            return interval.join_s
        case HlsPlayer():
            return interval.hls_join_s
        case SignalsPlayer():
            return interval.signal_join_s
