"""The worker that plays a share of the players."""

from dataclasses import dataclass
from functools import partial

from gateway.transport.certificate import Certificate
from loadgen.crowd.casting import Casting
from loadgen.crowd.crowd import Crowd
from loadgen.crowd.lives import Life, Visit, lives
from loadgen.figures import Interval, SessionFigures
from loadgen.hls.fetcher import Fetcher
from loadgen.hls.player import HlsPlayer, Source
from loadgen.hls.playlists import Playlists
from loadgen.peer.peer import Peer
from loadgen.scenario.schema import Scenario
from loadgen.signalling.http import Signalling, http_client
from loadgen.signalling.offer import player_offer, player_offer_with_signals
from loadgen.signals.channel import connect_channel
from loadgen.signals.client import SignalsClient
from loadgen.signals.websocket import connect_websocket, websocket_client
from loadgen.target.edges import Edges
from loadgen.target.resolver import PermittedResolver
from loadgen.workers.target import Target


@dataclass(frozen=True, slots=True)
class PlayersPlan:
    """What one worker plays: every `workers`th player, beginning with number `worker`."""

    scenario: Scenario
    target: Target
    worker: int
    workers: int


class PlayersService:
    """See `workers.serving.Service`."""

    receives = True

    def __init__(self, plan: PlayersPlan) -> None:
        target = plan.target
        self._plan = plan
        self._certificate = Certificate.generateCertificate()
        """Shared by all of this process's players."""
        self._edges = Edges(target.endpoints, target.permission)
        self._resolver = PermittedResolver(target.permission)
        self._http = http_client(self._resolver)
        self._signalling = Signalling(self._http, target.permission.may_send_requests_to, target.watch_token)
        self._playlists = Playlists()
        self._websockets = websocket_client(self._resolver)
        late_after_s = plan.scenario.late_after_s
        casting = Casting(self._peer, self._hls_player, self._signals, late_after_s, self._edges)
        self._crowd = Crowd(self._lives(), casting, self._edges)

    async def prepare(self) -> None:
        """See `Service`: nothing is missing."""

    def _lives(self) -> list[tuple[str, Life]]:
        scenario, plan = self._plan.scenario, self._plan
        return [
            (group.name, life)
            for group in scenario.players
            for life in lives(group, scenario.streams_of(group), scenario.seed, plan.worker, plan.workers)
        ]

    def _peer(self, visit: Visit) -> Peer:
        url = self._edges.endpoints(visit.edge).whep(visit.stream)
        offer = player_offer_with_signals if visit.carrier == "data_channel" else player_offer
        return Peer(self._certificate, self._signalling, url, offer, self._edges.may_send_media_to(visit.edge))

    def _hls_player(self, visit: Visit, figures: SessionFigures, began_s: float) -> HlsPlayer:
        target = self._plan.target
        source = Source(self._edges.endpoints(visit.edge).hls(visit.stream), target.watch_token, visit.preload_hints)
        fetcher = Fetcher(self._resolver, target.permission.may_send_requests_to)
        return HlsPlayer(source, fetcher, self._playlists, figures, began_s)

    def _signals(self, visit: Visit, figures: SessionFigures, peer: Peer | None) -> SignalsClient:
        target = self._plan.target
        if visit.carrier == "data_channel" and peer is not None:
            return SignalsClient(partial(connect_channel, peer), figures, visit.bets, visit.seed)
        url = self._edges.endpoints(visit.edge).signals(visit.stream)
        connect = partial(connect_websocket, self._websockets, url, target.watch_token)
        return SignalsClient(connect, figures, visit.bets, visit.seed)

    async def run(self, began_s: float) -> None:
        """See `Service`."""
        await self._crowd.run(began_s)

    def take(self) -> tuple[Interval, list[SessionFigures]]:
        """See `Service`."""
        return self._crowd.take()

    async def end(self, cause: str) -> None:
        """See `Service`."""
        try:
            await self._crowd.end(cause)
        finally:
            await self._http.close()
            await self._websockets.close()
