"""Rounds over HTTP, against a server that answers as it is told."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from loadgen.errors import SignallingError
from loadgen.signalling.http import Signalling, http_client
from loadgen.signalling.rounds import RoundsApi

Asked = list[tuple[str, Any, str | None]]


@contextlib.asynccontextmanager
async def api(status: int, answer: object, token: str | None = None) -> AsyncIterator[tuple[RoundsApi, Asked]]:
    """An API whose every answer is this one: text, or JSON. What it was asked: method, body, token."""
    asked: Asked = []

    async def on_request(request: web.Request) -> web.Response:
        body = await request.text()
        asked.append((request.method, json.loads(body) if body else None, request.headers.get("Authorization")))
        return web.Response(status=status, text=answer if isinstance(answer, str) else json.dumps(answer))

    app = web.Application()
    app.add_routes([web.route("*", "/rounds", on_request)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with http_client() as http:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/rounds"
        yield RoundsApi(Signalling(http, lambda _host: True, token), url), asked
    await runner.cleanup()


async def test_round_is_opened_for_so_long_with_the_token() -> None:
    async with api(201, {"roundId": "r1"}, token="secret") as (rounds, asked):
        assert await rounds.open(4.5) == "r1"
    assert asked == [("POST", {"state": "betting_open", "closesInMs": 4500}, "Bearer secret")]


async def test_round_is_moved_on() -> None:
    async with api(200, {"roundId": "r1"}) as (rounds, asked):
        await rounds.move("r1", "result", {"number": 7})
        await rounds.move("r1", "settled")
    assert [body for _method, body, _token in asked] == [
        {"roundId": "r1", "state": "result", "result": {"number": 7}},
        {"roundId": "r1", "state": "settled"},
    ]


@pytest.mark.parametrize(
    ("status", "answer", "cause"),
    [
        (401, {}, "http_401"),
        (409, {"sentence": "No."}, "http_409"),
        (409, "No.", "http_409"),
        (201, [], "http_201"),
        (201, {}, "round"),
        (201, {"roundId": 7}, "round"),
        (201, "no JSON", "http_body"),
        (201, "[" * 100_000, "http_body"),
    ],
)
async def test_answer_that_opens_no_round_has_a_cause(status: int, answer: object, cause: str) -> None:
    async with api(status, answer) as (rounds, _asked):
        with pytest.raises(SignallingError) as caught:
            await rounds.open(1.0)
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("status", "answer", "cause"),
    [
        (200, {"rounds": [{"roundId": "r1", "state": "aborted", "cause": "ingest_loss"}]}, "ingest_loss"),
        (200, {"rounds": [{"roundId": "r1", "state": "settled"}]}, None),
        (200, {"rounds": [{"roundId": "r2", "state": "aborted", "cause": "ingest_loss"}]}, None),
        (200, {"rounds": [7]}, None),
        (200, {"rounds": 7}, None),
        (200, [], None),
        (404, {"rounds": [{"roundId": "r1", "state": "aborted", "cause": "ingest_loss"}]}, None),
    ],
)
async def test_cause_of_an_abort_is_asked_for(status: int, answer: object, cause: str | None) -> None:
    async with api(status, answer) as (rounds, asked):
        assert await rounds.why_aborted("r1") == cause
    assert asked[0][0] == "GET"
