"""Accepted bets on their way to a real webhook, which fails."""

import asyncio
import contextlib
import random
import socket
import statistics
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError
from structlog.testing import capture_logs

from gateway import config
from gateway.bets.bet import Answer, Bet, BetState, Delivery
from gateway.bets.desk import BettingDesk
from gateway.bets.lanes import Pauses
from gateway.bets.upstream import MAX_WAITING_BYTES, UNDELIVERED_LOGGED_PER_S, WebhookUpstream
from gateway.clock import WallClock, monotonic_s
from gateway.config import BetSettings, TracingSettings, UpstreamSettings
from gateway.errors import ConfigError
from gateway.metrics import FAMILIES
from gateway.tracing import Tracing
from tests.bets.casino import Reply, open_casino, refuse, take, until
from tests.bets.table import CLIENT, bet, opened, rounds

PLAYERS = 40
MAX_BYTES_A_WAITING_BET = 2_000
MAX_BYTES_A_WAITING_PLAYER = 7_000
CHIPS: dict[str, Any] = {"chips": [[]] * 300}
NOWHERE = "http://127.0.0.1:9/bets"


@dataclass
class Told:
    """What players were told."""

    outcomes: list[tuple[Bet, Delivery]] = field(default_factory=list)

    def on_outcome(self, placed: Bet, outcome: Delivery, _now_s: float) -> None:
        self.outcomes.append((placed, outcome))

    @property
    def by_bet(self) -> dict[str, list[Delivery]]:
        """betId -> all outcomes."""
        found: dict[str, list[Delivery]] = defaultdict(list)
        for placed, outcome in self.outcomes:
            found[placed.bet_id].append(outcome)
        return dict(found)


def made(url: str, told: Told | None = None, **settings: Any) -> WebhookUpstream:
    """An upstream that was not started; it pauses for a few milliseconds."""
    values = {"url": url, "secret": "secret", "timeout_s": 10.0, **settings}
    upstream = WebhookUpstream(
        UpstreamSettings.model_validate(values),
        WallClock.anchored(),
        Tracing(TracingSettings()),
        Pauses(0.002, 0.05),
    )
    if told is not None:
        upstream.on_outcome = told.on_outcome
    return upstream


@contextlib.asynccontextmanager
async def running(url: str, told: Told, **settings: Any) -> AsyncIterator[WebhookUpstream]:
    """Started; stopped at once at the end of the block."""
    upstream = made(url, told, **settings)
    upstream.start()
    try:
        yield upstream
    finally:
        await upstream.stop(0.0)


def now(number: int, players: int = PLAYERS) -> Bet:
    """The bet of that number, placed now."""
    return bet(f"b{number:05d}", f"player{number % players}", now_s=monotonic_s())


def orders(messages: list[dict[str, Any]]) -> dict[str, list[str]]:
    """player -> betIds as they came."""
    found: dict[str, list[str]] = defaultdict(list)
    for message in messages:
        found[message["playerId"]].append(message["betId"])
    return found


async def test_accepted_bets_arrive_and_their_players_are_told() -> None:
    told = Told()
    async with open_casino() as casino, running(casino.url, told) as upstream:
        assert all(upstream.offer(now(number)) for number in range(100))
        await until(lambda: len(told.outcomes) == 100)
        assert upstream.waiting == 0
    assert told.by_bet == {f"b{number:05d}": [Delivery.DELIVERED] for number in range(100)}
    assert len(casino.calls) == len(casino.taken) == 100
    assert told.outcomes[0][0].fields == {}


@pytest.mark.parametrize(("reply", "deliveries"), [(take, 3), (refuse(400), 0)], ids=["delivered", "undelivered"])
async def test_seconds_until_the_upstream_said_yes_are_told_of_delivered_bets_alone(
    reply: Reply, deliveries: int
) -> None:
    told, seconds = Told(), list[float]()
    began_s = monotonic_s()
    async with open_casino(reply) as casino, running(casino.url, told) as upstream:
        upstream.on_delivered = seconds.append
        for number in range(3):
            upstream.offer(now(number))
        await until(lambda: len(told.outcomes) == 3)
    assert len(seconds) == deliveries
    assert all(0 < each <= monotonic_s() - began_s for each in seconds)


async def test_lanes_run_at_a_time_and_each_player_has_one() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        return await take(request)

    told = Told()
    async with open_casino(slow) as casino, running(casino.url, told, lanes=8) as upstream:
        for number in range(160):
            upstream.offer(now(number))
        await until(lambda: len(told.outcomes) == 160)
    # That no player had two at a time is asserted by the casino.
    assert 2 <= casino.most_at_once <= 8
    assert len(casino.connections) <= 8


async def test_order_of_each_player_is_kept_under_random_failures() -> None:
    rng = random.Random(7)

    async def flaky(request: web.Request) -> web.StreamResponse:
        chance = rng.random()
        if chance < 0.2:
            return await refuse(rng.choice([408, 409, 425, 429, 500, 502, 503]))(request)
        if chance < 0.25 and request.transport is not None:
            request.transport.abort()
        if chance < 0.3:
            # Taken, but the answer is lost: the bet comes again, with its key.
            response = await take(request)
            if request.transport is not None:
                request.transport.abort()
            return response
        await asyncio.sleep(rng.random() * 0.003)
        return await take(request)

    told = Told()
    async with open_casino(flaky) as casino, running(casino.url, told) as upstream:
        for number in range(600):
            assert upstream.offer(now(number))
            if number % 20 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(told.outcomes) == 600)
        assert upstream.retries > 60
    assert told.by_bet == {f"b{number:05d}": [Delivery.DELIVERED] for number in range(600)}
    assert orders(casino.taken) == {
        f"player{player}": [f"b{number:05d}" for number in range(player, 600, PLAYERS)] for player in range(PLAYERS)
    }
    by_key = {(call.key, call.body) for call in casino.calls}
    assert len(by_key) == 600, "the same key is the same bet, byte for byte"


def poisoned_by(reply: Reply, *players: str) -> Reply:
    """Bets of those players are answered so, all others are taken."""

    async def answer(request: web.Request) -> web.StreamResponse:
        is_poison = (await request.json())["playerId"] in players
        return await (reply if is_poison else take)(request)

    return answer


async def hang(request: web.Request) -> web.StreamResponse:
    """Until nobody waits for the answer any more."""
    await until(lambda: request.transport is None or request.transport.is_closing())
    return web.Response(status=503)


@pytest.mark.parametrize("poison", [refuse(500), refuse(503, Retry_After="30")])
async def test_poisoned_player_delays_nobody_else_even_with_one_lane(poison: Reply) -> None:
    told = Told()
    reply = poisoned_by(poison, "ada")
    async with open_casino(reply) as casino, running(casino.url, told, lanes=1, give_up_s=600.0) as upstream:
        for number in range(20):
            upstream.offer(bet(f"a{number:02d}", "ada", now_s=monotonic_s()))
            upstream.offer(bet(f"b{number:02d}", "bob", now_s=monotonic_s()))
        await until(lambda: len(told.outcomes) == 20)
        assert [placed.bet_id for placed, _outcome in told.outcomes] == [f"b{number:02d}" for number in range(20)]
        assert upstream.waiting == 20
    assert {call.message["betId"] for call in casino.calls if call.message["playerId"] == "ada"} == {"a00"}


@pytest.mark.parametrize(
    ("poison", "timeout_s"),
    [(refuse(500), 10.0), (refuse(503, Retry_After="30"), 10.0), (hang, 0.1)],
    ids=["500", "503", "hang"],
)
async def test_many_poisoned_players_leave_lanes_to_the_others(poison: Reply, timeout_s: float) -> None:
    """A page without tokens opens as many connections as it likes, each of them a player."""
    told = Told()
    poisoned = [f"page{number}" for number in range(50)]
    reply = poisoned_by(poison, *poisoned)
    settings = {"lanes": 4, "give_up_s": 600.0, "timeout_s": timeout_s}
    async with open_casino(reply) as casino, running(casino.url, told, **settings) as upstream:
        for player in poisoned * 2:
            upstream.offer(bet("p1", player, now_s=monotonic_s()))
        # The first attempts have been made: from here on it goes by who is in trouble.
        await until(lambda: upstream.retries >= 50)
        meanwhile: list[int] = []
        for number in range(100):
            retries, placed = upstream.retries, now(number)
            upstream.offer(placed)
            await until(lambda bet_id=placed.bet_id: bet_id in told.by_bet)  # type: ignore[misc]
            meanwhile.append(upstream.retries - retries)
        # They overtook those that wait to be tried again; one that a busy machine holds up may time out itself.
        assert statistics.median(meanwhile) < 20
        assert upstream.outcomes == {Delivery.DELIVERED: 100}


async def test_bet_is_undelivered_by_its_deadline_though_no_lane_came_free() -> None:
    told = Told()
    async with (
        open_casino(hang) as casino,
        running(casino.url, told, lanes=1, give_up_s=1.0, timeout_s=60.0) as upstream,
    ):
        begun_s = monotonic_s()
        for number in range(30):
            upstream.offer(now(number))
        # But the one that is being asked about.
        await until(lambda: len(told.outcomes) == 29)
        assert monotonic_s() - begun_s < 30.0
        assert upstream.waiting == casino.at_once == 1
    assert set(map(tuple, told.by_bet.values())) == {(Delivery.UNDELIVERED,)}


async def test_upstream_that_is_down_is_not_asked_by_all_players_as_fast_as_it_answers() -> None:
    told, rest_s, lanes = Told(), 0.05, 4
    async with open_casino(refuse(503)) as casino, running(casino.url, told, lanes=lanes) as upstream:
        for number in range(200):
            upstream.offer(now(number, players=200))
        await until(lambda: upstream.retries >= 200)
        begun_s, before = monotonic_s(), len(casino.calls)
        await asyncio.sleep(1.0)
        # Each of those lanes that players in trouble share rests after each failure.
        assert len(casino.calls) - before <= (monotonic_s() - begun_s) / rest_s * lanes / 2 + lanes


async def test_outage_loses_nothing_and_delivers_nothing_twice() -> None:
    """Scaled down by ten: the upstream is away for 3 s, with 200 bets a second."""
    told, away_s, bets_per_s = Told(), 3.0, 200
    count = int(away_s * bets_per_s) + 200
    known = rounds()
    async with open_casino() as casino, running(casino.url, told, give_up_s=60.0) as upstream:
        desk = BettingDesk(BetSettings(per_player_per_s=1e6, per_address_per_s=1e6), known, upstream)
        placed_round = opened(known)

        async def play() -> None:
            for number in range(count):
                assert desk.place(now(number), CLIENT, 0.0) == Answer(BetState.ACCEPTED)
                await asyncio.sleep(1 / bets_per_s)

        playing = asyncio.create_task(play())
        await until(lambda: len(told.outcomes) > 50)
        casino.reply = refuse(503)
        await asyncio.sleep(away_s)
        assert upstream.waiting > 100
        casino.reply = take
        await playing
        await until(lambda: upstream.waiting == 0)
    assert told.by_bet == {f"b{number:05d}": [Delivery.DELIVERED] for number in range(count)}
    assert placed_round.bets == upstream.outcomes[Delivery.DELIVERED] == count
    assert Counter(call.key for call in casino.calls if call.status == 204).most_common(1)[0][1] == 1
    assert orders(casino.taken) == {
        f"player{player}": [f"b{number:05d}" for number in range(player, count, PLAYERS)] for player in range(PLAYERS)
    }


async def test_upstream_that_went_away_is_found_again_at_its_port() -> None:
    told = Told()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    async with running(f"http://127.0.0.1:{port}/bets", told) as upstream:
        for number in range(50):
            upstream.offer(now(number))
        await until(lambda: upstream.retries > 30)
        assert told.outcomes == []
        async with open_casino(port=port) as casino:
            await until(lambda: len(told.outcomes) == 50)
    assert len(casino.taken) == 50


async def test_full_queue_makes_bets_unavailable_and_then_takes_them_again() -> None:
    told, known = Told(), rounds()
    async with open_casino(refuse(503)) as casino, running(casino.url, told, queue_bets=10) as upstream:
        desk = BettingDesk(BetSettings(per_player_per_s=1000), known, upstream)
        opened(known)
        states = [desk.place(now(number), CLIENT, 0.0).state for number in range(12)]
        assert states == [BetState.ACCEPTED] * 10 + [BetState.UNAVAILABLE] * 2
        casino.reply = take
        await until(lambda: len(told.outcomes) == 10)
        assert desk.place(now(11), CLIENT, 0.0) == Answer(BetState.ACCEPTED)
        await until(lambda: len(told.outcomes) == 11)


async def test_queue_is_bounded_in_bytes_too() -> None:
    upstream = made(NOWHERE)
    text = "x" * 1_000_000
    taken = 0
    while upstream.offer(replace(now(taken), fields={"text": text})):
        taken += 1
    assert taken == pytest.approx(MAX_WAITING_BYTES / 1_000_000, abs=1)


async def test_bet_that_was_given_up_is_told_and_counted() -> None:
    told = Told()
    async with open_casino(refuse(503)) as casino, running(casino.url, told, give_up_s=1.0, lanes=1) as upstream:
        begun_s = monotonic_s()
        for number in range(30):
            upstream.offer(now(number))
        await until(lambda: len(told.outcomes) == 30)
        # All of one lane, and none waited for the others to be given up: one after another they would take 30 s.
        assert monotonic_s() - begun_s < 20.0
    assert told.by_bet == {f"b{number:05d}": [Delivery.UNDELIVERED] for number in range(30)}
    assert upstream.outcomes == {Delivery.UNDELIVERED: 30}


async def test_refused_bet_is_told_at_once_and_the_next_goes_on() -> None:
    async def not_the_first(request: web.Request) -> web.StreamResponse:
        is_first = (await request.json())["betId"] == "b00000"
        return await (refuse(422) if is_first else take)(request)

    told = Told()
    async with open_casino(not_the_first) as casino, running(casino.url, told) as upstream:
        upstream.offer(now(0, players=1))
        upstream.offer(now(1, players=1))
        await until(lambda: len(told.outcomes) == 2)
    assert told.by_bet == {"b00000": [Delivery.UNDELIVERED], "b00001": [Delivery.DELIVERED]}
    assert len(casino.calls) == 2
    assert upstream.retries == 0


async def test_stop_hands_on_what_can_be_handed_on() -> None:
    told = Told()
    async with open_casino(refuse(503)) as casino:
        upstream = made(casino.url, told)
        upstream.start()
        for number in range(100):
            upstream.offer(now(number))
        await until(lambda: upstream.retries > 20)
        casino.reply = take
        await upstream.stop(30.0)
        assert not upstream.offer(now(100))
    assert told.by_bet == {f"b{number:05d}": [Delivery.DELIVERED] for number in range(100)}


async def test_stop_tells_the_rest_that_it_is_undelivered() -> None:
    told = Told()
    async with open_casino(hang) as casino:
        upstream = made(casino.url, told, timeout_s=60)
        upstream.start()
        for number in range(100):
            upstream.offer(now(number))
        await until(lambda: casino.at_once > 0)
        assert (upstream.waiting_of("table"), upstream.waiting_of("other")) == (100, 0)
        await upstream.stop(0.1)
    assert told.by_bet == {f"b{number:05d}": [Delivery.UNDELIVERED] for number in range(100)}
    assert upstream.waiting == upstream.waiting_of("table") == 0
    assert not upstream._waiting_of


async def test_stop_without_a_start_tells_everybody() -> None:
    """When the HTTP port was taken."""
    told = Told()
    upstream = made(NOWHERE, told)
    upstream.offer(now(0))
    await upstream.stop(0.0)
    assert told.by_bet == {"b00000": [Delivery.UNDELIVERED]}


async def test_bug_of_who_is_told_ends_nothing() -> None:
    told: list[str] = []

    def failing(placed: Bet, _outcome: Delivery, _now_s: float) -> None:
        told.append(placed.bet_id)
        raise RuntimeError("a bug")

    with capture_logs() as logs:
        async with open_casino() as casino, running(casino.url, Told()) as upstream:
            upstream.on_outcome = failing
            for number in range(5):
                upstream.offer(now(number, players=1))
            await until(lambda: len(told) == 5)
    assert [each["event"] for each in logs if each["log_level"] == "error"] == [
        "telling the outcome of a bet failed"
    ] * 5


async def test_everything_is_counted() -> None:
    told = Told()
    async with open_casino() as casino, running(casino.url, told) as upstream:
        upstream.offer(now(0))
        before = {(name, labels): value for name, labels, value in upstream.samples()}
        await until(lambda: len(told.outcomes) == 1)
        after = {(name, labels): value for name, labels, value in upstream.samples()}
    assert before == {
        ("railbird_bets_upstream_total", ("delivered",)): 0,
        ("railbird_bets_upstream_total", ("undelivered",)): 0,
        ("railbird_bets_upstream_retries_total", ()): 0,
        ("railbird_bets_upstream_waiting", ()): 1,
    }
    assert after["railbird_bets_upstream_total", ("delivered",)] == 1
    assert after["railbird_bets_upstream_waiting", ()] == 0
    assert all(len(FAMILIES[name].labels) == len(labels) for name, labels in after)


async def test_outage_is_told_when_it_begins_and_ends_and_bets_are_not_all_written_down() -> None:
    told = Told()
    with capture_logs() as logs:
        async with open_casino(refuse(503)) as casino, running(casino.url, told, give_up_s=1.0) as upstream:
            for number in range(100):
                upstream.offer(now(number))
            await until(lambda: len(told.outcomes) == 100)
            casino.reply = take
            upstream.offer(now(100))
            await until(lambda: len(told.outcomes) == 101)
    turns = [each["event"] for each in logs if each["event"].startswith("the upstream")]
    assert turns == ["the upstream takes no bets", "the upstream takes bets again"]
    loud = [each for each in logs if each["event"] == "bet undelivered" and each["log_level"] == "warning"]
    assert 0 < len(loud) <= 2 * UNDELIVERED_LOGGED_PER_S + 5
    assert {"stream", "round_id", "bet_id", "player", "reason"} <= loud[0].keys()


@pytest.mark.parametrize(("players", "max_bytes"), [(10, MAX_BYTES_A_WAITING_BET), (3_000, MAX_BYTES_A_WAITING_PLAYER)])
async def test_memory_of_a_full_queue_is_bounded(players: int, max_bytes: int) -> None:
    async with open_casino(hang) as casino:
        upstream, number = made(casino.url, queue_bets=3_000, timeout_s=60.0), 0
        tracemalloc.start()
        try:
            upstream.start()
            while upstream.offer(
                replace(bet(f"{number:036d}", f"p-{number % players:034d}", now_s=monotonic_s()), fields=CHIPS)
            ):
                number += 1
            await until(lambda: casino.at_once > 0)
            held_bytes, _peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await upstream.stop(0.0)
    assert number == 3_000
    assert held_bytes / number < max_bytes


@pytest.mark.parametrize("url", ["ftp://casino.example/bets", "casino.example"])
def test_url_that_is_no_http_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        UpstreamSettings.model_validate({"url": url, "secret": "secret"})


def test_url_without_a_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="without a secret"):
        UpstreamSettings.model_validate({"url": "https://casino.example/bets"})


def test_url_without_a_secret_refuses_the_file_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "railbird.yml"
    file.write_text("log_level: info\nbets:\n  per_round: 7\n  upstream:\n    url: https://casino.example/bets\n")
    with pytest.raises(ConfigError, match=r"railbird\.yml:4: bets\.upstream: a url without a secret"):
        config.load(file)
    monkeypatch.setenv("RAILBIRD_BETS__UPSTREAM__SECRET", "secret")
    assert config.load(file).bets.upstream.secret is not None
