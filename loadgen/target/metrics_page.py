"""A server's /metrics over HTTP: bounded in time and size, and never anywhere but where it was said to be."""

import aiohttp

from loadgen.target.scrape import Scrape

MAX_PAGE_BYTES = 16 << 20
"""Servers with a line for each of thousands of sessions have pages of several megabytes; more is no /metrics."""

PAGE_ERRORS = (aiohttp.ClientError, TimeoutError, ValueError)
"""How a page can be missing, late or broken."""


class MetricsPage:
    """Made in an event loop; `close` it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = aiohttp.ClientSession(headers={"Accept": "text/plain;version=0.0.4"})

    async def scrape(self, timeout_s: float) -> Scrape:
        """Raises one of PAGE_ERRORS."""
        # A redirect would lead to a host that nobody has permitted.
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        async with self._http.get(self.url, timeout=timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"HTTP status {response.status}")
            return Scrape.parse((await _bounded(response)).decode())

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_PAGE_BYTES:
            raise ValueError(f"more than {MAX_PAGE_BYTES >> 20} MiB")
    return bytes(body)
