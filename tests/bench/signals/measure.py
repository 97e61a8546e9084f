"""The course of the part about signals."""

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial

from loadgen.distribution import Distribution
from loadgen.figures import Interval
from loadgen.run import machine
from tests.bench.gateway_process import HOST, STREAM, GatewayProcess, running_gateway, wait_until
from tests.bench.hls.processor import spent
from tests.bench.pictures import Studio
from tests.bench.placement import CROWD_NICE, MEASURED_NICE, Cores
from tests.bench.probe import Probe
from tests.bench.progress import say
from tests.bench.remote import BenchError, Remote, remote
from tests.bench.signals.casino import SECRET, Casino
from tests.bench.signals.chorus import Chorus
from tests.bench.signals.crowd import Crowd, Kind
from tests.bench.signals.echo import Echo
from tests.bench.signals.results import EchoFloor, Outage, RoundTrip, SignalResults, Signals
from tests.bench.signals.table import Table

PING_S = 2.0
WINDOW_SHARE = 0.9
"""Of the time that bets are open: players spread theirs over so much of it (`loadgen.signals.plan`)."""

SETTLE_S = 3.0
"""After the last join."""
CLOSED_S = 0.5
"""After bets were to close: the gateway looks a few times a second."""
ANSWERED_S = 1.5
"""After the last bet: by a data channel it may have been sent again."""
IDLE_S = 3.0
JOIN_WITHIN_S = 120.0
DRAIN_WITHIN_S = 60.0

LOST_ANSWERS = 50
"""One in so many bets the upstream takes without an answer that arrives, once it is back: they come again."""

_MANY = "1000000"
_SETTINGS = {
    "RAILBIRD_SIGNALS__CONNECTIONS_PER_ADDRESS": "5000",
    "RAILBIRD_SIGNALS__PING_S": f"{PING_S}",
    "RAILBIRD_SIGNALS__REPORT_S": "60",  # only pings and bets are looked at
    "RAILBIRD_BETS__PER_ADDRESS_PER_S": _MANY,
    "RAILBIRD_LIMITS__REQUESTS_PER_ADDRESS_PER_S": _MANY,
    # The studio is silent: that is no reason to abort a round here.
    "RAILBIRD_ROUNDS__ABORTS__PICTURE_GAP_S": "3600",
    "RAILBIRD_ROUNDS__ABORTS__STUDIO_SILENT_S": "3600",
}


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """What to measure."""

    websockets: int
    data_channels: int
    """Fewer: each is a whole session of the load's, too, on the one core that it has."""
    bets_per_s: int
    seconds: float
    """Length of a window."""
    down_s: float
    """How long the upstream is down."""


DEFAULT_PLAN = SignalPlan(1000, 500, 200, 10.0, 30.0)
QUICK_PLAN = SignalPlan(50, 20, 20, 3.0, 3.0)


@dataclass(frozen=True, slots=True)
class Stage:
    """The processes of one measurement."""

    gateway: GatewayProcess
    crowd: Remote
    table: Table


@contextmanager
def _stage(command: Sequence[str], cores: Cores, settings: dict[str, str]) -> Iterator[Stage]:
    with ExitStack() as stack:
        gateway = stack.enter_context(running_gateway(command, HOST, cores.gateway, _SETTINGS | settings))
        whip, whep = (f"{gateway.url}/{root}/{STREAM}" for root in ("whip", "whep"))
        for_probe = partial(Probe, whip, whep, HOST, Studio.FFMPEG)
        probe = stack.enter_context(remote("probe", for_probe, cores.load, MEASURED_NICE))
        crowd = stack.enter_context(remote("crowd", partial(Crowd, gateway.url), cores.load, CROWD_NICE))
        probe.call("publish")
        wait_until(lambda: gateway.counters().publishers == 1, "the stream is live")
        yield Stage(gateway, crowd, Table(gateway))


def measure_signals(plan: SignalPlan, command: Sequence[str], cores: Cores) -> SignalResults:
    """All of it, in about three minutes."""
    record = {**asdict(plan), "command": shlex.join(command[1:])}
    with _stage(command, cores, {}) as stage:
        websockets = _measure(stage, plan, "websocket", plan.websockets, _share(stage.gateway), False)
        stage.crowd.call("leave")
    with _stage(command, cores, {}) as stage:
        data_channels = _measure(stage, plan, "data_channel", plan.data_channels, _base(stage, plan), False)
    echo = _echo(plan, cores)
    handed_on, outage = _outage(plan, command, cores)
    return SignalResults(machine.describe(), record, [websockets, handed_on, data_channels], echo, outage)


def _share(gateway: GatewayProcess) -> float:
    before_ns, began_s = gateway.cpu_ns(), time.monotonic()
    time.sleep(IDLE_S)
    return (gateway.cpu_ns() - before_ns) / 1e9 / (time.monotonic() - began_s)


def _base(stage: Stage, plan: SignalPlan) -> float:
    """With as many players by WHEP, without signals."""
    say(f"{plan.data_channels} players without signals join")
    stage.crowd.call("join", "plain", plan.data_channels, 0, timeout_s=JOIN_WITHIN_S)
    time.sleep(SETTLE_S)
    share = _share(stage.gateway)
    stage.crowd.call("leave")
    return share


def _measure(
    stage: Stage, plan: SignalPlan, kind: Kind, clients: int, base_share: float, has_upstream: bool
) -> Signals:
    """A window of pings, and one with bets."""
    a_round = max(round(plan.bets_per_s * plan.seconds / clients), 1)
    say(f"{clients} players by {kind.replace('_', ' ')} join")
    stage.crowd.call("join", kind, clients, a_round, timeout_s=JOIN_WITHIN_S)
    time.sleep(SETTLE_S)
    say(f"pings, then {plan.bets_per_s} bets/s: measuring for {plan.seconds:g} s each")
    stage.crowd.call("take")
    ping_s, ping_cpu_s, pings = _window(stage, plan.seconds)
    stage.table.open(plan.seconds / WINDOW_SHARE)
    bet_s, bet_cpu_s, bets = _window(stage, plan.seconds)
    in_window = bets.signals[STREAM].bets
    bets.merge(_closed(stage, plan, ANSWERED_S))
    all_bets = bets.signals[STREAM]
    return Signals(
        carrier=kind,
        clients=clients,
        has_upstream=has_upstream,
        base_share=base_share,
        ping_seconds=ping_s,
        ping_cpu_s=ping_cpu_s,
        pings=pings.signals[STREAM].pings,
        ping_rtt=RoundTrip.of(pings.signal_rtt_s),
        bet_seconds=bet_s,
        bet_cpu_s=bet_cpu_s,
        bets=in_window,
        bet_rtt=RoundTrip.of(bets.bet_rtt_s),
        unanswered=all_bets.bets - all_bets.bets_answered,
        refused=all_bets.bets_answered - all_bets.accepted,
        broken_rules=dict(pings.broken_signal_rules + bets.broken_signal_rules),
        lateness_s=max(pings.generator.lateness_s, bets.generator.lateness_s),
    )


def _window(stage: Stage, seconds: float) -> tuple[float, float, Interval]:
    """(seconds, the gateway's CPU in them, what players saw since they were asked last)."""
    before_ns, began_s = stage.gateway.cpu_ns(), time.monotonic()
    time.sleep(seconds)
    cpu_s, lasted_s = (stage.gateway.cpu_ns() - before_ns) / 1e9, time.monotonic() - began_s
    seen: Interval = stage.crowd.call("take")
    return lasted_s, cpu_s, seen


def _closed(stage: Stage, plan: SignalPlan, answered_s: float = 0.0) -> Interval:
    """Once bets are closed and, `answered_s` later, answered, and the round is settled: what players saw since the
    window."""
    time.sleep(plan.seconds / WINDOW_SHARE - plan.seconds + CLOSED_S)
    stage.table.settle()
    time.sleep(answered_s)
    seen: Interval = stage.crowd.call("take")
    return seen


# The floor


def _echo(plan: SignalPlan, cores: Cores) -> EchoFloor:
    say(f"{plan.websockets} WebSockets to a bare echo server")
    with remote("echo", Echo, frozenset({cores.gateway}), MEASURED_NICE) as server:
        url, pid = server.call("start")
        with remote("chorus", partial(Chorus, url), cores.load, CROWD_NICE) as chorus:
            chorus.call("join", plan.websockets, PING_S, timeout_s=JOIN_WITHIN_S)
            time.sleep(SETTLE_S)
            chorus.call("take")
            before = spent(pid)
            time.sleep(plan.seconds)
            used = spent(pid) - before
            rtts = Distribution(chorus.call("take"))
    return EchoFloor(plan.websockets, used.wall_s, used.cpu_s, rtts.count, RoundTrip.of(rtts))


# The upstream


def _outage(plan: SignalPlan, command: Sequence[str], cores: Cores) -> tuple[Signals, Outage]:
    """Bets that are handed on, then with an upstream that is down for a while."""
    with remote("casino", Casino, cores.load, CROWD_NICE) as casino:
        url = casino.call("open", 0)
        settings = {"RAILBIRD_BETS__UPSTREAM__URL": url, "RAILBIRD_BETS__UPSTREAM__SECRET": SECRET}
        with _stage(command, cores, settings) as stage:
            handed_on = _measure(stage, plan, "websocket", plan.websockets, _share(stage.gateway), True)
            _until_handed_on(stage)
            return handed_on, _go_down(stage, plan, casino)


def _go_down(stage: Stage, plan: SignalPlan, casino: Remote) -> Outage:
    say(f"upstream down for {plan.down_s:g} s at {plan.bets_per_s} bets/s")
    time.sleep(CLOSED_S)
    stage.crowd.call("take")
    seen, before = Interval(0.0, 0.0), casino.call("counts")
    before_bytes = stage.gateway.resident_bytes()
    casino.call("shut")
    began_s = time.monotonic()
    while time.monotonic() - began_s < plan.down_s:
        stage.table.open(plan.seconds / WINDOW_SHARE)
        time.sleep(plan.seconds)
        seen.merge(_closed(stage, plan))
    down_s = time.monotonic() - began_s
    waiting, down_bytes = _waiting(stage), stage.gateway.resident_bytes()
    bet_rtt = RoundTrip.of(seen.bet_rtt_s)
    casino.call("open", LOST_ANSWERS)
    drained_s = _until_handed_on(stage)
    after_bytes = stage.gateway.resident_bytes()
    seen.merge(stage.crowd.call("leave"))
    counts = seen.signals[STREAM]
    handed_on = casino.call("counts")
    handed_on.subtract(before)
    return Outage(
        down_s=down_s,
        clients=plan.websockets,
        bets=counts.bets,
        accepted=counts.accepted,
        unanswered=counts.bets_unanswered,
        waiting_most=waiting,
        drained_s=drained_s,
        delivered=counts.delivered,
        undelivered=counts.undelivered,
        upstream=dict(handed_on),
        broken_rules=dict(seen.broken_signal_rules),
        resident_before_bytes=before_bytes,
        resident_down_bytes=down_bytes,
        resident_after_bytes=after_bytes,
        bet_rtt=bet_rtt,
    )


def _until_handed_on(stage: Stage) -> float:
    """How long it took until no bet waited. BenchError when that takes too long."""
    began_s = time.monotonic()
    while _waiting(stage):
        if time.monotonic() - began_s > DRAIN_WITHIN_S:
            raise BenchError(f"{_waiting(stage)} bets were not handed on within {DRAIN_WITHIN_S:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began_s


def _waiting(stage: Stage) -> int:
    return int(stage.gateway.scrape().value("railbird_bets_upstream_waiting") or 0)
