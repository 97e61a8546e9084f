"""A page over real HTTP: as it is, and in all the ways in which it can be none."""

import asyncio

import pytest
from aiohttp import web

from loadgen.target import metrics_page
from loadgen.target.metrics_page import PAGE_ERRORS, MetricsPage
from tests.loadgen.target.server import Handler, page, serving


async def scraped(handler: Handler, timeout_s: float = 2.0) -> float | None:
    async with serving(handler) as url:
        metrics = MetricsPage(url)
        try:
            return (await metrics.scrape(timeout_s)).value("process_open_fds")
        finally:
            await metrics.close()


async def test_page_is_scraped() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=page(process_open_fds=17))

    assert await scraped(handler) == 17


async def test_slow_page_times_out() -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    with pytest.raises(TimeoutError):
        await scraped(handler, timeout_s=0.05)


async def test_page_that_trickles_times_out() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"#")
            await asyncio.sleep(0.01)

    with pytest.raises(TimeoutError):
        await scraped(handler, timeout_s=0.1)


async def test_page_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_page, "MAX_PAGE_BYTES", 1 << 20)

    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="#" * ((1 << 20) + 1))

    with pytest.raises(ValueError, match="more than 1 MiB"):
        await scraped(handler)


@pytest.mark.parametrize("status", [204, 301, 401, 404, 500])
async def test_status_other_than_200_is_no_page(status: int) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/metrics?again"})

    with pytest.raises(ValueError, match=str(status)):
        await scraped(handler)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"process_open_fds many"])
async def test_body_that_is_no_text_format_is_no_page(body: bytes) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body)

    with pytest.raises(ValueError, match=r"."):
        await scraped(handler)


async def test_server_that_is_gone_is_a_page_error() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async with serving(handler) as url:
        pass
    metrics = MetricsPage(url)
    with pytest.raises(PAGE_ERRORS):
        await metrics.scrape(1.0)
    await metrics.close()
