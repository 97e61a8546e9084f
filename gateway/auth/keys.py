"""The keys that tokens are judged by now: read at the start, looked at again and again, replaced whole.

A key set that cannot be read or taken changes nothing: the old one stays, a counter and a line in the log say so.
"""

from collections.abc import Callable, Iterator

import structlog

from gateway.auth.key_set import KeySet, KeySetError, parse_key_set
from gateway.auth.key_source import KeySource, key_source
from gateway.clockwork import Look
from gateway.config import AuthSettings
from gateway.errors import ConfigError
from gateway.metrics import Sample

log = structlog.get_logger()

MIN_EARLY_RELOAD_S = 5.0
"""Between two looks that unknown key ids call for: whoever makes them up must not load the issuer."""


class Keys:
    """See the module. `use` is told each key set that is taken."""

    def __init__(self, jwks: str, settings: AuthSettings, use: Callable[[KeySet], None]) -> None:
        self.on_reloaded: Callable[[int], None] = lambda count: None
        """Called with the number of keys when another set took the place of the one before."""
        self._source: KeySource = key_source(jwks)
        self._algorithms = settings.algorithms
        self._use = use
        self._taken: bytes | None = None
        """What the current set was read from."""
        self._count = 0
        self._failures = 0
        self._look = Look(self._look_again)
        self._next_early_s = 0.0

    async def load(self) -> None:
        """The first time. ConfigError when there are no keys that could be taken."""
        try:
            await self._take()
        except KeySetError as error:
            raise ConfigError(f"auth.jwks: the key set cannot be taken: {error}.") from None

    def tick(self, now_s: float) -> None:
        """Look again, in a task of its own; each `auth.reload_s`."""
        self._look.begin(now_s)

    async def look_early(self, now_s: float) -> None:
        """Look now, for a token whose key is not known; return when that is done. Not too often: then at once."""
        if now_s >= self._next_early_s:
            self._next_early_s = now_s + MIN_EARLY_RELOAD_S
            self._look.begin(now_s)
        # Who asked may go away; the others, and the next ones, still want the keys.
        await self._look.wait()

    async def stop(self) -> None:
        """Look no more."""
        await self._look.stop()

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        yield "railbird_jwks_keys", (), self._count
        yield "railbird_jwks_reload_failures_total", (), self._failures

    async def _look_again(self) -> None:
        try:
            is_new = await self._take()
        except KeySetError as error:
            self._failures += 1
            log.warning("key set not taken, the old one stays", problem=str(error))
            return
        if is_new:
            log.info("key set reloaded", keys=self._count)
            self.on_reloaded(self._count)

    async def _take(self) -> bool:
        """Whether there was another set. KeySetError when what is there cannot be taken."""
        data = await self._source.read()
        if data == self._taken:
            return False
        keys = parse_key_set(data, self._algorithms)
        self._taken, self._count = data, len(keys)
        self._use(keys)
        return True
