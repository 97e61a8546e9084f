"""One player's signals against a server that does well, or does not."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from loadgen.errors import SignallingError
from loadgen.scenario.players import BetsSpec
from loadgen.signals import bettor as bettor_module
from loadgen.signals import client as client_module
from loadgen.signals.client import SignalsClient
from tests.e2e.waiting import until
from tests.loadgen.signals.stub import Json, Stub, ack, serving
from tests.loadgen.signals.watching import Watching, client_of, http_client

ONE_BET = BetsSpec()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is waited for in vain."""
    monkeypatch.setattr(client_module, "RECONNECT_S", 0.02)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with http_client() as client:
        yield client


@contextlib.asynccontextmanager
async def connected(
    stub: Stub, http: aiohttp.ClientSession, bets: BetsSpec | None = ONE_BET
) -> AsyncIterator[Watching]:
    """A client that is welcome, until the end of the block."""
    async with serving(stub):
        watching = client_of(stub, http, bets)
        await watching.client.connect()
        try:
            yield watching
        finally:
            await watching.client.close()


async def test_pings_are_answered_and_what_they_measured_is_kept(http: aiohttp.ClientSession) -> None:
    stub = Stub()
    async with connected(stub, http) as watching:
        await until(lambda: len(stub.pongs) >= 3)
        counts = watching.look()
    assert stub.pongs[:3] == [1, 2, 3]
    assert counts.pings >= 3
    assert counts.connections == 1
    assert watching.total.signal_rtt_s.largest == 0.00125


async def test_bet_is_sent_while_bets_are_open_and_measured(http: aiohttp.ClientSession) -> None:
    stub = Stub()
    async with connected(stub, http) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.2)
        await until(lambda: watching.look().bets_answered == 1)
        for state in ("betting_closed", "result", "settled"):
            await stub.enter("r1", state)
        await until(lambda: watching.look().rounds_settled == 1)
        await watching.client.finish()
        counts = watching.look()
    assert [bet["roundId"] for bet in stub.bets] == ["r1"]
    assert (counts.bets, counts.accepted, counts.rounds, counts.rules_broken) == (1, 1, 1, 0)
    assert 0 < watching.total.bet_rtt_s.largest < 5
    assert watching.figures.bet_rtt_p50_s is not None


async def test_bets_have_ids_of_their_own(http: aiohttp.ClientSession) -> None:
    stub = Stub()
    async with connected(stub, http, BetsSpec(per_round=20)) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.2)
        await until(lambda: watching.look().bets_answered == 20)
    assert len({bet["betId"] for bet in stub.bets}) == 20
    assert all(0 < len(bet["betId"]) <= 64 for bet in stub.bets)


async def test_nobody_bets_who_may_not_or_has_nothing_to_bet(http: aiohttp.ClientSession) -> None:
    for stub, bets in ((Stub(may_bet=False), ONE_BET), (Stub(), None)):
        async with connected(stub, http, bets) as watching:
            await stub.enter("r1", "betting_open", closes_in_s=0.05)
            await stub.enter("r1", "betting_closed")
            await until(lambda: watching.look().rounds == 1)
            await asyncio.sleep(0.1)
        assert stub.bets == []


async def test_round_that_was_open_before_is_not_bet_on(http: aiohttp.ClientSession) -> None:
    stub = Stub()
    async with serving(stub):
        await stub.enter("r1", "betting_open", closes_in_s=0.05)
        watching = client_of(stub, http, ONE_BET)
        await watching.client.connect()
        await asyncio.sleep(0.1)
        assert (stub.bets, watching.look().rounds) == ([], 1)
        await watching.client.close()


async def test_late_bet_is_sent_once_bets_are_closed(http: aiohttp.ClientSession) -> None:
    stub = Stub(answers=lambda bet: [ack(bet, "late")])
    async with connected(stub, http, BetsSpec(late=1.0)) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.01)
        await asyncio.sleep(0.05)
        assert stub.bets == []
        await stub.enter("r1", "betting_closed")
        await until(lambda: watching.look().late == 1)
        assert watching.look().rules_broken == 0


async def test_bets_that_were_not_sent_when_bets_close_come_to_nothing(http: aiohttp.ClientSession) -> None:
    stub = Stub()
    async with connected(stub, http) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.5)
        await stub.enter("r1", "aborted")
        await until(lambda: watching.look().rounds_aborted == 1)
        await asyncio.sleep(0.6)
        assert (stub.bets, watching.look().bets) == ([], 0)


def _never(_bet: Json) -> list[Json]:
    return []


async def test_bet_without_an_answer_is_counted_after_a_grace(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bettor_module, "GRACE_S", 0.2)
    stub = Stub(answers=_never)
    async with connected(stub, http) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(stub.bets) == 1)
        await watching.client.finish()
        counts = watching.look()
    assert (counts.bets, counts.bets_answered, counts.bets_unanswered, counts.bets_abandoned) == (1, 0, 1, 0)


async def test_answer_within_the_grace_is_waited_for(http: aiohttp.ClientSession) -> None:
    stub = Stub(answers=_never)
    async with connected(stub, http) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(stub.bets) == 1)
        finishing = asyncio.create_task(watching.client.finish())
        await asyncio.sleep(0.05)
        assert not finishing.done()
        await stub.tell(ack(stub.bets[0]))
        await finishing
        assert (watching.look().accepted, watching.look().bets_unanswered) == (1, 0)


async def test_who_vanishes_abandons_its_bets(http: aiohttp.ClientSession) -> None:
    stub = Stub(answers=_never)
    async with connected(stub, http) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(stub.bets) == 1)
        watching.client.vanish()
        assert (watching.look().bets_unanswered, watching.look().bets_abandoned) == (0, 1)
        await until(lambda: not stub.sockets)


def _went_back(told: Json) -> Json:
    return told | {"steps": told["steps"][:1], "state": "betting_open"}


def _out_of_order(told: Json) -> Json:
    return told | {"steps": [{**step, "state": "settled"} for step in told["steps"]], "state": "settled"}


@pytest.mark.parametrize(
    ("stub", "rule"),
    [
        (Stub(answers=lambda bet: [ack(bet), ack(bet)]), "two_answers"),
        (Stub(answers=lambda bet: [ack(bet), ack(bet, "duplicate", first="accepted")]), "duplicate_of_nothing"),
        (Stub(answers=lambda bet: [ack(bet | {"betId": "of-nobody"}), ack(bet)]), "answer_to_nothing"),
        (Stub(answers=lambda bet: [ack(bet | {"roundId": "another"})]), "answer_of_another_round"),
        (Stub(answers=lambda bet: [ack(bet | {"betId": 7}), ack(bet)]), "unreadable"),
        (Stub(answers=lambda bet: [ack(bet), {"type": "welcome", "version": 7}]), "unreadable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_broken_rule_is_named(http: aiohttp.ClientSession, stub: Stub, rule: str) -> None:
    async with connected(stub, http) as watching:
        await stub.enter("r1", "betting_open", closes_in_s=0.02)
        await until(lambda: watching.look().rules_broken > 0)
    assert rule in watching.total.broken_signal_rules


@pytest.mark.parametrize(("spoil", "rule"), [(_went_back, "round_went_back"), (_out_of_order, "round_order")])
async def test_round_that_breaks_a_rule_is_seen(
    http: aiohttp.ClientSession, spoil: Callable[[Json], Json], rule: str
) -> None:
    stub = Stub()
    async with connected(stub, http, None) as watching:
        for state in ("betting_open", "betting_closed"):
            await stub.enter("r1", state)
        stub.spoil = spoil
        await stub.enter("r1", "result")
        await until(lambda: watching.look().rules_broken > 0)
    assert rule in watching.total.broken_signal_rules


async def test_second_welcome_breaks_a_rule(http: aiohttp.ClientSession) -> None:
    stub = Stub()
    async with connected(stub, http) as watching:
        welcome = {"type": "welcome", "version": 1, "mayBet": True, "reportIntervalMs": 1000, "rounds": []}
        await stub.tell(welcome)
        await until(lambda: watching.look().rules_broken == 1)
    assert watching.total.broken_signal_rules == {"two_welcomes": 1}


async def test_connection_that_the_server_ends_is_lost_and_made_anew(http: aiohttp.ClientSession) -> None:
    stub = Stub(answers=_never)
    async with serving(stub):
        watching = client_of(stub, http, ONE_BET)
        keeping = asyncio.create_task(watching.client.keep())
        await until(lambda: watching.look().connections == 1)
        await stub.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(stub.bets) == 1)
        await stub.sockets[0].close()
        await until(lambda: watching.look().connections == 2)
        counts = watching.look()
        assert (counts.connections_lost, counts.bets_unanswered) == (1, 1)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await watching.client.close()
        await until(lambda: not stub.sockets)
    assert watching.look().connections_lost == 1


@pytest.mark.parametrize(
    ("stub", "cause"),
    [
        (Stub(token="secret"), "http_401"),
        (Stub(speaks="another"), "subprotocol"),
        (Stub(welcomes=False), "welcome_timeout"),
    ],
)
async def test_connection_that_does_not_come_up_has_a_cause(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, stub: Stub, cause: str
) -> None:
    monkeypatch.setattr(client_module, "WELCOME_WITHIN_S", 0.3)
    async with serving(stub):
        watching = client_of(stub, http)
        with pytest.raises(SignallingError) as caught:
            await watching.client.connect()
        assert caught.value.cause == cause
        await until(lambda: not stub.sockets)
    watching.look()
    assert watching.total.signal_failures == {cause: 1}


async def test_token_is_sent(http: aiohttp.ClientSession) -> None:
    stub = Stub(token="secret")
    async with serving(stub):
        watching = client_of(stub, http, token="secret")
        await watching.client.connect()
        await watching.client.close()
    assert watching.look().connections == 1


async def test_players_with_a_picture_report_it(http: aiohttp.ClientSession) -> None:
    stub = Stub()
    async with serving(stub):
        watching = client_of(stub, http, protocol="whep")
        watching.figures.media.frames_complete = 100
        await watching.client.connect()
        watching.figures.media.frames_complete += 30
        await until(lambda: bool(stub.reports))
        await watching.client.close()
    assert stub.reports[0]["framesDecoded"] == 30
    assert 900 < stub.reports[0]["intervalMs"] < 10_000
    assert watching.look().reports == 1


class LossyCarrier:
    """In the place of a data channel: what a test does not hand on gets lost."""

    is_reliable = False

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)

    async def close(self) -> None: ...
    def abandon(self) -> None: ...


async def test_bet_on_a_data_channel_is_sent_again_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bettor_module, "RESEND_S", 0.02)
    monkeypatch.setattr(bettor_module, "MAX_MESSAGES_A_BET", 4)
    carrier, heard = LossyCarrier(), []
    watching = client_of(Stub(), None, ONE_BET)  # type: ignore[arg-type]

    async def connect(listener: Any) -> None:
        heard.append(listener)
        listener.on_open(carrier)
        for _ in range(2):  # the second in case that the first got lost
            listener.on_text('{"type":"welcome","version":1,"mayBet":true,"reportIntervalMs":5000,"rounds":[]}', 0.0)

    watching.client = SignalsClient(connect, watching.figures, ONE_BET, 7)
    await watching.client.connect()
    opened = (
        '{"roundId":"r1","state":"betting_open","steps":[{"state":"betting_open","atUnixMs":1}],"closesAtUnixMs":11}'
    )
    heard[0].on_text(f'{{"type":"round","round":{opened}}}', 0.0)
    await until(lambda: len(carrier.sent) == 4)
    await asyncio.sleep(0.1)
    assert len(set(carrier.sent)) == 1
    assert len(carrier.sent) == 4, "then the player gives up"
    counts = watching.look()
    assert (counts.bets, counts.resends, counts.rules_broken) == (1, 3, 0)
    await watching.client.close()


async def test_redirect_is_not_followed(http: aiohttp.ClientSession) -> None:
    stub = Stub()

    async def elsewhere(_request: Any) -> Any:
        raise aiohttp.web.HTTPTemporaryRedirect("http://192.0.2.1/signals/table")

    stub.signals = elsewhere  # type: ignore[method-assign, assignment]
    async with serving(stub):
        with pytest.raises(SignallingError) as caught:
            await client_of(stub, http).client.connect()
    assert caught.value.cause == "http_redirect"


async def test_server_that_is_not_there_is_no_crash(http: aiohttp.ClientSession, unused: Callable[[], int]) -> None:
    stub = Stub(url=f"http://127.0.0.1:{unused()}")
    with pytest.raises(SignallingError) as caught:
        await client_of(stub, http).client.connect()
    assert caught.value.cause == "http_error"


@pytest.fixture
def unused() -> Callable[[], int]:
    """A port where nobody listens."""

    def port() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return port


@pytest.mark.parametrize("is_told", [False, True])
async def test_connection_that_ends_after_its_player_has_moved_on_is_not_lost(is_told: bool) -> None:
    stub = Stub()
    async with serving(stub), http_client() as http:
        watching = client_of(stub, http)
        await watching.client.connect()
        if is_told:
            assert watching.client.hand_over() == ()
        await stub.sockets[0].close()
        await asyncio.wait_for(watching.client.closed.wait(), 5.0)
        watching.client.vanish()
        assert watching.look().connections_lost == (not is_told)
