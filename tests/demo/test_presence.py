"""Asking a gateway whether it is there and whether it carries the table."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.demo.presence import Presence, stream_url


@pytest.mark.parametrize(
    ("whip_url", "expected"),
    [
        ("http://127.0.0.1:8080/whip/demo", "http://127.0.0.1:8080/api/v1/streams/demo"),
        ("https://edge.example/region/whip/t-1?x=1", "https://edge.example/region/api/v1/streams/t-1"),
        ("http://127.0.0.1/publish/demo", None),
        ("http://127.0.0.1/whip/", None),
        ("http://127.0.0.1/whip/demo/1", None),
    ],
)
def test_stream_url_follows_from_the_whip_endpoint(whip_url: str, expected: str | None) -> None:
    assert stream_url(whip_url) == expected


@pytest.fixture
def answers() -> dict[str, web.Response]:
    return {}


@pytest.fixture
async def origin(answers: dict[str, web.Response]) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        return answers.get(request.method, web.Response(status=404))

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}".format(*runner.addresses[0][:2])
    await runner.cleanup()


async def test_gateway_is_there_even_when_it_refuses(origin: str, answers: dict[str, web.Response]) -> None:
    answers["OPTIONS"] = web.Response(status=503)
    assert await asyncio.to_thread(Presence(f"{origin}/whip/demo").is_there)


async def test_gateway_is_not_there_where_nothing_listens(unused_tcp_port: int) -> None:
    presence = Presence(f"http://127.0.0.1:{unused_tcp_port}/whip/demo")
    assert not await asyncio.to_thread(presence.is_there)
    assert not await asyncio.to_thread(presence.carries_us)


@pytest.mark.parametrize(
    ("body", "carries_us"),
    [('{"state": "live"}', True), ('{"state": "waiting"}', False), ("{}", False), ("[1]", False), ("not JSON", False)],
)
async def test_gateway_carries_us_only_where_it_says_live(
    origin: str, answers: dict[str, web.Response], body: str, carries_us: bool
) -> None:
    answers["GET"] = web.Response(text=body)
    assert await asyncio.to_thread(Presence(f"{origin}/whip/demo").carries_us) is carries_us


async def test_gateway_does_not_carry_a_stream_that_it_does_not_know(origin: str) -> None:
    assert not await asyncio.to_thread(Presence(f"{origin}/whip/demo").carries_us)


async def test_endpoint_of_another_shape_is_trusted(origin: str) -> None:
    assert await asyncio.to_thread(Presence(f"{origin}/publish").carries_us)
