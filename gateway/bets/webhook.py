"""One request to the upstream, and what its answer means for the bet."""

import asyncio
import contextlib
import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import aiohttp

from gateway.bets.handover import Handover
from gateway.bets.signature import SIGNATURE_HEADER, signature

MAX_RETRY_AFTER_S = 30.0
"""An upstream that asks for more is asked again all the same: bets wait no longer than a minute or two."""
MAX_ANSWER_BYTES = 16_384
"""Of an answer's body, which says nothing to us: it is read so that the connection can be used again."""
IDLE_S = 30.0
"""A connection that was not used for so long is closed."""

_ASKED_TOO_EARLY = frozenset({408, 409, 425, 429})
"""4xx that say: later. 409 is what the Idempotency-Key draft (draft-ietf-httpapi-idempotency-key-header, section 2.6)
answers while the first request of that key, whose answer we did not get, is still worked on."""


class Fate(Enum):
    """What an attempt made of the bet."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """For good: the same bet would be refused again."""
    TRY_AGAIN = "try_again"


@dataclass(frozen=True, slots=True)
class Verdict:
    """See `Fate`."""

    fate: Fate
    reason: str
    """For logs: `HTTP 503`, `no answer in 5 s`."""
    retry_after_s: float | None = None


class Webhook:
    """See the module. Keeps its connections alive; to be made inside the event loop."""

    def __init__(self, url: str, secret: bytes, timeout_s: float, connections: int) -> None:
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE_S),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            headers={"Content-Type": "application/json", "User-Agent": "railbird-gateway"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def post(self, handed: Handover, context: Mapping[str, str], unix_s: float) -> Verdict:
        """Try once. `context` are the headers of the trace."""
        headers = {
            SIGNATURE_HEADER: signature(self._secret, handed.body, int(unix_s)),
            "Idempotency-Key": handed.idempotency_key,
            **context,
        }
        try:
            async with self._session.post(
                self._url, data=handed.body, headers=headers, allow_redirects=False
            ) as response:
                verdict = verdict_of(response.status, response.headers.get("Retry-After"), unix_s)
                await _read_away(response)
        except TimeoutError:
            return Verdict(Fate.TRY_AGAIN, f"no answer in {self._timeout_s:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Verdict(Fate.TRY_AGAIN, type(error).__name__)
        return verdict

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def verdict_of(status: int, retry_after: str | None, unix_s: float) -> Verdict:
    """What an answer means. Redirects are not followed: where they lead is not what the operator signed for."""
    reason = f"HTTP {status}"
    if 200 <= status < 300:
        return Verdict(Fate.DELIVERED, reason)
    if 400 <= status < 500 and status not in _ASKED_TOO_EARLY:
        return Verdict(Fate.REFUSED, reason)
    return Verdict(Fate.TRY_AGAIN, reason, _retry_after_s(retry_after, unix_s))


def _retry_after_s(value: str | None, unix_s: float) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date. None for neither, and for no wait at all: lanes would not pause."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        # Of a number without end its beginning says enough.
        wait_s = float(value[:9])
    else:
        try:
            wait_s = email.utils.parsedate_to_datetime(value).timestamp() - unix_s
        except (ValueError, OverflowError):
            return None
    return min(wait_s, MAX_RETRY_AFTER_S) if wait_s > 0 else None


async def _read_away(response: aiohttp.ClientResponse) -> None:
    """Read the body up to its bound. What is wrong with it changes nothing: the status has been read."""
    with contextlib.suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
        left = MAX_ANSWER_BYTES
        while left > 0 and not response.content.at_eof():
            left -= len(await response.content.read(left))
