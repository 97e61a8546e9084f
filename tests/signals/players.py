"""Players with signals, on virtual time: a carrier keeps what it was given, in the place of a network."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.auth.identity import ANY_STREAM, Identity, Role, nobody
from gateway.bets.desk import BettingDesk
from gateway.clock import WallClock
from gateway.config import BetSettings, RoundSettings, SignalSettings
from gateway.metrics import Histograms
from gateway.rounds.round import Round
from gateway.rounds.rounds import Command, Rounds
from gateway.rounds.states import RoundState
from gateway.signals.carrier import CarrierKind
from gateway.signals.connection import Connection
from gateway.signals.signals import Signals

UNIX_S = 1_700_000_000.0
"""When the virtual clock was 0."""


@dataclass(eq=False)
class Wire:
    """Implements `Carrier`."""

    kind: CarrierKind = "websocket"
    is_slow: bool = False
    is_closed: bool = False
    texts: deque[str] = field(default_factory=deque)

    def send(self, text: str) -> bool:
        if self.is_slow or self.is_closed:
            return False
        self.texts.append(text)
        return True

    def close(self) -> None:
        self.is_closed = True

    def received(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The messages since the last call, of that type; the others are lost."""
        messages = [json.loads(text) for text in self.texts]
        self.texts.clear()
        return [message for message in messages if kind in (None, message["type"])]


class House:
    """Signals with their rounds and bets, and a clock that a test moves."""

    def __init__(self, known: frozenset[str] = frozenset({"table"}), **settings: float) -> None:
        self.now_s = 0.0
        self.reading_takes_s = 0.0
        """How far each look at the clock moves it: sending takes time."""
        clock = WallClock(UNIX_S)
        self.registry = CollectorRegistry()
        self.known = set(known)
        self.rounds = Rounds(RoundSettings(), clock)
        self.desk = BettingDesk(BetSettings(), self.rounds, None)
        self.signals = Signals(
            SignalSettings.model_validate(settings),
            self.rounds,
            self.desk,
            Histograms(self.registry),
            clock,
            self.known.__contains__,
            self.monotonic,
        )
        self.rounds.listeners.append(self.signals.broadcast)

    def monotonic(self) -> float:
        self.now_s += self.reading_takes_s
        return self.now_s

    def connect(
        self, stream: str = "table", wire: Wire | None = None, identity: Identity | None = None
    ) -> tuple[Connection, Wire]:
        wire = wire or Wire()
        return self.signals.connect(stream, wire, identity or nobody("192.0.2.1"), self.now_s), wire

    def tick(self, seconds: float = 0.1) -> None:
        """Let so much time pass, in ticks of 100 ms."""
        for _ in range(round(seconds / 0.1)):
            self.now_s += 0.1
            self.signals.tick(self.now_s)

    def open_round(self, round_id: str = "r1", stream: str = "table") -> Round:
        return self.move(RoundState.BETTING_OPEN, round_id, stream)

    def move(self, state: RoundState, round_id: str = "r1", stream: str = "table") -> Round:
        return self.rounds.command(stream, Command(state, round_id), self.now_s)

    def samples(self) -> dict[tuple[str, ...], float]:
        """(family, label values...) -> value."""
        return {(name, *labels): value for name, labels, value in self.signals.samples()}

    def count(self, name: str, **labels: str) -> float | None:
        """The count of a histogram."""
        return self.registry.get_sample_value(f"{name}_count", labels)


def player(name: str, roles: frozenset[Role] = frozenset(Role), expires_unix_s: float | None = None) -> Identity:
    """Somebody with a token."""
    return Identity("192.0.2.1", roles, frozenset({ANY_STREAM}), name, "MT", expires_unix_s)


def say(connection: Connection, now_s: float, **message: Any) -> None:
    """Let the player's page send a message."""
    connection.on_text(json.dumps(message), now_s)


def bet(bet_id: str = "b1", round_id: str = "r1", **fields: Any) -> dict[str, Any]:
    """A bet message."""
    return {"type": "bet", "betId": bet_id, "roundId": round_id, **fields}


def report(**fields: Any) -> dict[str, Any]:
    """A report of five good seconds."""
    measured = {"framesDecoded": 150, "framesDropped": 0, "freezeCount": 0, "freezesMs": 0}
    return {"type": "report", "protocol": "webrtc", "intervalMs": 5000, **measured, **fields}
