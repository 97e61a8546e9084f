"""The bench's upstream: what it notes of requests."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.bench.signals.casino import SECRET, Books, Casino

NOW_S = 1_800_000_000.0


def body_of(number: int, player: str = "ada", at_ms: int = 1000) -> bytes:
    """As the gateway sends a bet."""
    return json.dumps({"betId": f"x-{number}", "playerId": player, "placedAtUnixMs": at_ms}).encode()


def signature(body: bytes, sent_s: float = NOW_S, secret: str = SECRET) -> str:
    """Of docs/upstream.md."""
    digest = hmac.new(secret.encode(), f"{sent_s:.0f}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={sent_s:.0f},v1={digest}"


def take(books: Books, key: str, body: bytes) -> bool:
    """One genuine attempt."""
    return books.take(key, signature(body), body, NOW_S)


def test_bets_of_a_player_in_order_are_taken() -> None:
    books = Books()
    assert [take(books, f"k{number}", body_of(number, at_ms=1000 + number // 2)) for number in range(4)] == [True] * 4
    assert take(books, "k9", body_of(1, "bob", at_ms=5))
    counts = books.counts()
    assert (counts["bets"], counts["attempts"], counts["out_of_order"], counts["forged"]) == (5, 5, 0, 0)


@pytest.mark.parametrize("later", [body_of(2, at_ms=999), body_of(1, at_ms=1000)])
def test_bet_that_comes_after_a_later_one_is_noted(later: bytes) -> None:
    books = Books()
    take(books, "k1", body_of(2))
    take(books, "k2", later)
    assert books.out_of_order == 1


def test_attempt_at_a_known_bet_is_a_repetition() -> None:
    books = Books()
    take(books, "k1", body_of(1))
    assert not take(books, "k1", body_of(1))
    assert (books.bets, books.repeated, books.changed) == (1, 1, 0)
    assert not take(books, "k1", body_of(2))
    assert books.changed == 1


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "t=1",
        signature(body_of(1), secret="another"),
        signature(body_of(2)),
        signature(body_of(1), sent_s=NOW_S - 301),
        signature(body_of(1)).replace("t=18", "t=19"),
    ],
)
def test_forgery_is_no_bet(forged: str) -> None:
    books = Books()
    assert not books.take("k1", forged, body_of(1), NOW_S)
    assert (books.forged, books.bets) == (1, 0)


@pytest.fixture
async def casino() -> AsyncIterator[Casino]:
    casino = Casino()
    yield casino
    await casino.close()


async def _post(url: str, number: int) -> int:
    body = body_of(number, at_ms=number)
    headers = {"X-Railbird-Signature": signature(body, time.time()), "Idempotency-Key": f"k{number}"}
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as response:
        return response.status


async def test_casino_that_is_shut_takes_nothing_until_it_is_opened_again(casino: Casino) -> None:
    url = await casino.open(0)
    assert await _post(url, 1) == 200
    await casino.shut()
    with pytest.raises(aiohttp.ClientConnectionError):
        await _post(url, 2)
    assert await casino.open(0) == url
    assert await _post(url, 2) == 200
    assert (await casino.counts())["bets"] == 2


async def test_answer_that_is_lost_is_of_a_bet_that_was_taken(casino: Casino) -> None:
    url = await casino.open(2)
    assert await _post(url, 1) == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await _post(url, 2)
    assert await _post(url, 2) == 200
    counts = await casino.counts()
    assert (counts["bets"], counts["repeated"], counts["out_of_order"]) == (2, 1, 0)
