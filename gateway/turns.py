"""What the event loop's turns end with: each batch of datagrams goes out, and alarms come back for what may wait."""

from gateway.clock import monotonic_s
from gateway.clockwork import Alarm, isolated
from gateway.hub.hub import Hub

MAX_LATENESS_S = 0.5
"""How long a datagram may wait in the kernel before video is shed: the delay that a player can bet with."""
PACER_TICK_S = 0.005
"""While a viewer is on its way to the live end; else the pacer sleeps."""
SIGNAL_TURN_S = 0.001
"""Between two turns of telling many players something: media goes first."""


class Turns:
    """See the module. The alarms ring only when there is something to do."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._flush_alarm = Alarm(self.after_batch)
        self._pacer_alarm = Alarm(self._pace)
        self._window_alarm = Alarm(self._close_windows)
        self._signal_alarm = Alarm(hub.play.signals.pump)
        self._departure_alarm = Alarm(hub.departures.pump)
        self._alarms = (
            self._flush_alarm,
            self._pacer_alarm,
            self._window_alarm,
            self._signal_alarm,
            self._departure_alarm,
        )

    def start(self) -> None:
        """Be told of what there is to do."""
        hub = self._hub
        hub.port.after_batch = self.after_batch
        hub.on_joined = lambda: self._pacer_alarm.set(PACER_TICK_S, monotonic_s())
        hub.play.rounds.listeners.append(lambda _round, now_s: self._await_window(now_s))
        hub.play.signals.on_backlog = lambda: self._signal_alarm.set(SIGNAL_TURN_S, monotonic_s())
        hub.departures.on_backlog = lambda: self._departure_alarm.set(SIGNAL_TURN_S, monotonic_s())

    def stop(self) -> None:
        """No alarm rings any more."""
        for alarm in self._alarms:
            alarm.clear()

    def after_batch(self, now_s: float) -> None:
        """Ask studios for what is missing; send what is due, and come back for what may wait."""
        hub = self._hub
        if hub.port.lateness_s > MAX_LATENESS_S:
            for stream in hub.registry:
                isolated(stream.shed_video, now_s, stream=stream.name)
        isolated(hub.ask_for_missing, now_s)
        self._send(now_s)
        isolated(hub.presentations.pump, now_s)

    def _send(self, now_s: float) -> None:
        next_s: float | None = None
        for stream in self._hub.registry:
            wait_s = stream.wait_s(now_s)
            if wait_s is None:
                continue
            if wait_s <= 0:
                isolated(stream.flush, now_s, stream=stream.name)
            else:
                next_s = wait_s if next_s is None else min(next_s, wait_s)
            if stream.catch_up.is_pacing:
                self._pacer_alarm.set(PACER_TICK_S, now_s)
        if next_s is None:
            self._flush_alarm.clear()
        else:
            self._flush_alarm.set(next_s, now_s)

    def _pace(self, now_s: float) -> None:
        for stream in self._hub.registry:
            if stream.catch_up.is_pacing:
                isolated(stream.pace, now_s, stream=stream.name)
            if stream.catch_up.is_pacing:
                self._pacer_alarm.set(PACER_TICK_S, now_s)

    def _close_windows(self, now_s: float) -> None:
        self._hub.play.rounds.tick(now_s)
        self._await_window(now_s)

    def _await_window(self, now_s: float) -> None:
        """Bets close by themselves to the millisecond: a clock that ticks would tell players too late."""
        closes_s = self._hub.play.rounds.next_close_s
        if closes_s is not None:
            self._window_alarm.set(max(closes_s - now_s, 0.0), now_s)
