"""The upstream of the bench: takes bets as docs/upstream.md says, and notes whatever the gateway does against it."""

import hashlib
import hmac
import json
import time
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from tests.bench.gateway_process import HOST, free_port
from tests.bench.remote import Service

SECRET = "of the bench"
MAX_AGE_S = 300.0


@dataclass(slots=True)
class Books:
    """What came. Pure: `take` is told of each request."""

    attempts: int = 0
    bets: int = 0
    """By their keys: each once."""
    repeated: int = 0
    """Attempts at a bet that was taken before."""
    forged: int = 0
    changed: int = 0
    """Keys that came again with another body."""
    out_of_order: int = 0
    """Bets that came after a later one of their player."""
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _newest: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Player -> (when its newest bet was placed, that bet's number)."""

    def take(self, key: str, signature: str, body: bytes, now_unix_s: float) -> bool:
        """One attempt; whether it brought a bet that was not known."""
        self.attempts += 1
        if not is_genuine(signature, body, now_unix_s):
            self.forged += 1
            return False
        known = self._bodies.get(key)
        if known is not None:
            self.repeated += 1
            self.changed += known != body
            return False
        self._bodies[key] = body
        self.bets += 1
        bet = json.loads(body)
        place = (bet["placedAtUnixMs"], int(bet["betId"].rpartition("-")[2]))
        self.out_of_order += place < self._newest.get(bet["playerId"], place)
        self._newest[bet["playerId"]] = max(place, self._newest.get(bet["playerId"], place))
        return True

    def counts(self) -> Counter[str]:
        """By name."""
        names = ("attempts", "bets", "repeated", "forged", "changed", "out_of_order")
        return Counter({name: getattr(self, name) for name in names})


def is_genuine(signature: str, body: bytes, now_unix_s: float) -> bool:
    """Whether it was signed with SECRET, a moment ago."""
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    sent_at = parts.get("t", "")
    if not sent_at.isdigit() or abs(now_unix_s - int(sent_at)) > MAX_AGE_S:
        return False
    expected = hmac.new(SECRET.encode(), sent_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts.get("v1", ""), expected)


class Casino(Service):
    """Answers 200 at once. While it is down nobody listens."""

    def __init__(self) -> None:
        self.books = Books()
        self._port = free_port()
        self._runner: web.AppRunner | None = None
        self._lost_answers = 0

    async def open(self, lost_answers: int) -> str:
        """Take bets from now on; where. Of the answers one in `lost_answers` does not arrive; 0: all do."""
        self._lost_answers = lost_answers
        app = web.Application()
        app.add_routes([web.post("/bets", self._take)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port, reuse_address=True).start()
        return f"http://{HOST}:{self._port}/bets"

    async def shut(self) -> None:
        """Close every connection, and listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def counts(self) -> Counter[str]:
        """Since the beginning."""
        return self.books.counts()

    async def close(self) -> None:
        """End."""
        await self.shut()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        key, signature = (request.headers.get(name, "") for name in ("Idempotency-Key", "X-Railbird-Signature"))
        is_new = self.books.take(key, signature, body, time.time())
        if (
            is_new
            and self._lost_answers
            and self.books.bets % self._lost_answers == 0
            and request.transport is not None
        ):
            request.transport.abort()
        return web.Response()
