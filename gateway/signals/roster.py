"""Who is connected: by stream, by player, by address; and whether there is room for one more."""

from collections import Counter
from collections.abc import Callable, Iterator

from gateway.auth.identity import Identity
from gateway.config import SignalSettings
from gateway.errors import SignallingError
from gateway.metrics import Sample
from gateway.signals.connection import Connection
from gateway.signals.moving import Move
from gateway.signals.pings import Wheel

MAX_WAITING_STREAMS = 64
"""Streams that are not there, of which pages wait for the studio: whoever connects chooses their names, and each has
metrics of its own."""
MAX_CONNECTIONS_OF_PLAYER = 64
"""As many as there may be streams: a player with all tables open."""

Connections = dict[Connection, None]


class Roster:
    """See the module."""

    def __init__(self, settings: SignalSettings, is_known: Callable[[str], bool], slots: int) -> None:
        """`is_known` says whether there is such a stream now; `slots` of `wheel` are what a turn of pings has."""
        self.wheel: Wheel[Connection] = Wheel(slots)
        self.by_stream: dict[str, Connections] = {}
        self.by_player: dict[str, Connections] = {}
        self._settings = settings
        self._is_known = is_known
        self._websockets: Counter[str] = Counter()
        """Client -> its WebSockets."""

    def __len__(self) -> int:
        return len(self.wheel)

    def __iter__(self) -> Iterator[Connection]:
        return (each for connections in tuple(self.by_stream.values()) for each in tuple(connections))

    def check_room(self, stream: str, identity: Identity, kind: str) -> None:
        """SignallingError 503 with Retry-After where there is no room for such a one."""
        if len(self) >= self._settings.connections:
            raise unavailable("This gateway has as many players with signals as it takes.", 10)
        if kind == "websocket" and self._websockets[identity.client] >= self._settings.connections_per_address:
            raise unavailable("Too many connections from this address.", 10)
        if identity.player is not None and len(self.of_player(identity.player)) >= MAX_CONNECTIONS_OF_PLAYER:
            raise unavailable("Too many connections of this player.", 10)
        if stream not in self.by_stream and not self._is_known(stream):
            waiting = sum(not self._is_known(each) for each in self.by_stream)
            if waiting >= MAX_WAITING_STREAMS:
                raise unavailable("Nobody publishes this stream now.", 10)

    def add(self, connection: Connection) -> None:
        """It is here from now on."""
        self.wheel.add(connection)
        self.by_stream.setdefault(connection.stream, {})[connection] = None
        self.by_player.setdefault(connection.player, {})[connection] = None
        if connection.carrier.kind == "websocket":
            self._websockets[connection.identity.client] += 1

    def remove(self, connection: Connection) -> None:
        """It is gone."""
        self.wheel.remove(connection)
        _remove(self.by_stream, connection.stream, connection)
        _remove(self.by_player, connection.player, connection)
        client = connection.identity.client
        if connection.carrier.kind == "websocket":
            self._websockets[client] -= 1
            if not self._websockets[client]:
                del self._websockets[client]

    def of_stream(self, stream: str) -> tuple[Connection, ...]:
        """The players of a stream now."""
        return tuple(self.by_stream.get(stream, ()))

    def of_player(self, player: str) -> tuple[Connection, ...]:
        """All connections of a player now."""
        return tuple(self.by_player.get(player, ()))

    def told_beside(self, connection: Connection) -> Move | None:
        """What its player was told by another connection for the stream."""
        moves = (each.move for each in self.of_player(connection.player) if each.stream == connection.stream)
        return next((move for move in moves if move is not None), None)

    def is_over(self, stream: str) -> bool:
        """Whether there is neither such a stream nor anybody who waits for it."""
        return stream not in self.by_stream and not self._is_known(stream)

    def carriers(self) -> dict[str, Counter[str]]:
        """Stream -> kind of carrier -> connections."""
        return {
            stream: Counter(each.carrier.kind for each in connections) for stream, connections in self.by_stream.items()
        }

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        for stream, kinds in self.carriers().items():
            for kind, count in kinds.items():
                yield "railbird_signal_connections", (stream, kind), count


def _remove(index: dict[str, Connections], key: str, connection: Connection) -> None:
    connections = index.get(key, {})
    connections.pop(connection, None)
    if not connections:
        index.pop(key, None)


def unavailable(sentence: str, retry_after_s: int) -> SignallingError:
    """503."""
    return SignallingError(503, sentence, {"Retry-After": str(retry_after_s)})
