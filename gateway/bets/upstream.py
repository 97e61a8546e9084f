"""Hands accepted bets to the webhook, and says of each what became of it: delivered or undelivered, exactly once.

Bets wait for lanes (`lanes.py`), each player's in a queue of its own, so they arrive in the order in which they were
accepted; players know nothing of one another.
"""

import asyncio
import contextlib
import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import structlog
from opentelemetry.trace import Span, SpanKind, get_current_span, use_span

from gateway.bets.bet import Bet, Delivery
from gateway.bets.handover import Handover, handover
from gateway.bets.lanes import PAUSES, Lanes, Pauses, Road
from gateway.bets.webhook import Fate, Verdict, Webhook
from gateway.clock import WallClock, monotonic_s
from gateway.config import UpstreamSettings
from gateway.errors import MisuseError
from gateway.metrics import Sample
from gateway.rates import Rates
from gateway.tracing import Tracing, outgoing

log = structlog.get_logger()

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Of all bodies that wait: `queue_bets` of some 300 bytes need 6 MB, but a player may fill a message."""

UNDELIVERED_LOGGED_PER_S = 5.0
"""The others are counted: an upstream that is down fails thousands at once."""

STOPPED = Verdict(Fate.TRY_AGAIN, "the gateway stopped")


class WebhookUpstream:
    """See the module. `desk.Upstream`; made anywhere, started and stopped in the event loop."""

    def __init__(self, settings: UpstreamSettings, clock: WallClock, tracing: Tracing, pauses: Pauses = PAUSES) -> None:
        """With a url and a secret in the settings."""
        if settings.url is None or settings.secret is None:
            raise MisuseError("an upstream needs a url and a secret")
        self._url, self._secret = str(settings.url), settings.secret.get_secret_value().encode()
        self._is_in_clear = settings.url.scheme == "http" and not _is_loopback(settings.url.host or "")
        self.on_outcome: Callable[[Bet, Delivery, float], None] = lambda _bet, _outcome, _now_s: None
        """Called once for each accepted bet, with the time; the bet comes without its fields."""
        self.on_delivered: Callable[[float], None] = lambda _seconds: None
        """Called for each bet that was delivered, with the seconds since it was placed."""
        self.outcomes: Counter[Delivery] = Counter()
        self.retries = 0
        """Attempts that were not answered well."""
        self._settings = settings
        self._clock = clock
        self._tracing = tracing
        self._hurry = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        road = Road(self._span, self._attempt, self._ended)
        self._lanes = Lanes(settings.lanes, road, self._hurry, pauses)
        self._webhook: Webhook | None = None
        self._waiting_bets = 0
        self._waiting_of: Counter[str] = Counter()
        """Stream -> those of the bets that wait; none where there is none."""
        self._waiting_bytes = 0
        self._is_failing = False
        self._log_rates = Rates(UNDELIVERED_LOGGED_PER_S)

    @property
    def waiting(self) -> int:
        """Accepted bets whose outcome is not known yet."""
        return self._waiting_bets

    def waiting_of(self, stream: str) -> int:
        """Those of one stream."""
        return self._waiting_of[stream]

    def offer(self, bet: Bet) -> bool:
        """See `desk.Upstream`."""
        is_full = self._waiting_bets >= self._settings.queue_bets or self._waiting_bytes >= MAX_WAITING_BYTES
        if is_full or self._hurry.is_set():
            return False
        handed = handover(bet, self._settings.give_up_s)
        self._waiting_bets += 1
        self._waiting_of[bet.stream] += 1
        self._waiting_bytes += len(handed.body)
        self._is_idle.clear()
        self._lanes.put(handed)
        return True

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        for outcome in Delivery:
            yield "railbird_bets_upstream_total", (outcome.value,), self.outcomes[outcome]
        yield "railbird_bets_upstream_retries_total", (), self.retries
        yield "railbird_bets_upstream_waiting", (), self._waiting_bets

    def start(self) -> None:
        """Begin to hand on; what was offered before has waited."""
        settings = self._settings
        self._webhook = Webhook(self._url, self._secret, settings.timeout_s, settings.lanes)
        if self._is_in_clear:
            log.warning("bets travel unencrypted", consequence="whoever is on the way reads who bets what")
        self._lanes.start()

    async def stop(self, timeout_s: float) -> None:
        """Take no more; hand on what can be handed on in time; the rest is undelivered."""
        self._hurry.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._is_idle.wait()
        for handed in await self._lanes.stop():
            self._ended(handed, STOPPED, 0)
        if self._webhook is not None:
            await self._webhook.close()

    async def _attempt(self, handed: Handover) -> Verdict:
        if self._webhook is None:
            raise MisuseError("lanes run before the webhook is there")
        verdict = await self._webhook.post(handed, outgoing(), self._clock.unix_s(monotonic_s()))
        is_failing = verdict.fate is Fate.TRY_AGAIN
        if is_failing:
            self.retries += 1
            get_current_span().add_event("not answered well", {"reason": verdict.reason})
        if is_failing is not self._is_failing:
            self._is_failing = is_failing
            self._log_turn(verdict)
        return verdict

    def _span(self, handed: Handover) -> AbstractContextManager[Span]:
        """From when the bet was accepted to its outcome."""
        bet = handed.bet
        attributes = {
            "streamId": bet.stream,
            "roundId": bet.round_id,
            "betId": bet.bet_id,
            "outcome": Delivery.UNDELIVERED.value,
        }
        span = self._tracing.begin("bet", SpanKind.CLIENT, bet.traceparent, attributes, bet.placed_unix_s)
        return use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False)

    def _ended(self, handed: Handover, verdict: Verdict, retries: int) -> None:
        outcome = Delivery.DELIVERED if verdict.fate is Fate.DELIVERED else Delivery.UNDELIVERED
        self._waiting_bets -= 1
        self._waiting_of[handed.bet.stream] -= 1
        if not self._waiting_of[handed.bet.stream]:  # names of streams come and go
            del self._waiting_of[handed.bet.stream]
        self._waiting_bytes -= len(handed.body)
        if self._waiting_bets == 0:
            self._is_idle.set()
        self.outcomes[outcome] += 1
        get_current_span().set_attributes({"outcome": outcome.value, "retries": retries, "reason": verdict.reason})
        self._log_outcome(handed.bet, outcome, verdict, retries)
        now_s = monotonic_s()
        if outcome is Delivery.DELIVERED:
            self.on_delivered(now_s - handed.bet.placed_s)
        try:
            self.on_outcome(handed.bet, outcome, now_s)
        except Exception:
            log.exception("telling the outcome of a bet failed", stream=handed.bet.stream, bet_id=handed.bet.bet_id)

    def _log_outcome(self, bet: Bet, outcome: Delivery, verdict: Verdict, retries: int) -> None:
        is_loud = outcome is Delivery.UNDELIVERED and self._log_rates.allows("outcome", monotonic_s())
        say = log.warning if is_loud else log.debug
        say(
            f"bet {outcome.value}",
            stream=bet.stream,
            round_id=bet.round_id,
            bet_id=bet.bet_id,
            player=bet.player,
            reason=verdict.reason,
            retries=retries,
        )

    def _log_turn(self, verdict: Verdict) -> None:
        """The first failure, and the end of failing. An upstream that does both all the time is not told each time."""
        if not self._log_rates.allows("turn", monotonic_s()):
            return
        if self._is_failing:
            log.warning("the upstream takes no bets", reason=verdict.reason, waiting=self._waiting_bets)
        else:
            log.info("the upstream takes bets again", waiting=self._waiting_bets)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
