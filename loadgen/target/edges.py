"""Where players may go on when a server sends them elsewhere: told over signals (docs/signals.md, `move`), or by the
Link of a refusal.

Nobody is believed: an edge has to be one that the run may be redirected to (`safety`). A server that would have a
thousand players at somebody else's gets a figure in the report, and that somebody no players.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from yarl import URL

from loadgen.errors import SignallingError, TargetError
from loadgen.target.safety import Permission
from loadgen.target.urls import Endpoints

MAX_EDGES = 16
"""Besides the target. A server could name one after another, and each is a key in the report."""

MAX_URL_CHARS = 2_048


class Edges:
    """Of one process of players. An edge is known by its base URL; None is the run's target."""

    def __init__(self, target: Endpoints, permission: Permission) -> None:
        self._target = target
        self._permission = permission
        self._others: dict[str, Endpoints] = {}

    def base(self, edge: str | None) -> str:
        """What all of its addresses begin with."""
        return edge if edge is not None else self._target.base.rstrip("/")

    def endpoints(self, edge: str | None) -> Endpoints:
        """Its paths are the target's."""
        return self._target if edge is None else self._others[edge]

    def may_send_media_to(self, edge: str | None) -> Callable[[str], bool]:
        """Asked about each address that this edge's answers want media at."""
        host = None if edge is None else URL(edge).host
        return partial(self._permission.may_send_media_to, host=host)

    def moved_to(self, to: str | None) -> str | None:
        """The edge of a `move`. SignallingError with the cause when nobody goes there: `no_url`, `out_of_tls`,
        `not_permitted`, `too_many_edges`."""
        return None if to is None else self._admitted(to.rstrip("/"))

    def sent_on_to(self, url: str, stream: str) -> str | None:
        """The edge of an address where a stream is to be had. SignallingError as above; `no_url` also where no edge
        would have the stream at such an address."""
        for path in self._target.watching(stream):
            if url.endswith(path):
                return self._admitted(url.removesuffix(path))
        raise SignallingError("no_url", f"{url[:200]!r} is no address of {stream}.")

    def _admitted(self, base: str) -> str | None:
        if base == self.base(None):
            return None
        if base in self._others:
            return base
        endpoints = self._parsed(base)
        parsed = URL(base)
        if URL(self._target.base).scheme == "https" and parsed.scheme != "https":
            raise SignallingError("out_of_tls", f"{base} would have players leave TLS.")
        if not self._permission.may_send_requests_to(parsed.host or ""):
            raise SignallingError("not_permitted", f"{parsed.host} may not be loaded.")
        if len(self._others) >= MAX_EDGES:
            raise SignallingError("too_many_edges", f"{base} would be one more than {MAX_EDGES}.")
        self._others[base] = endpoints
        return base

    def _parsed(self, base: str) -> Endpoints:
        try:
            if len(base) > MAX_URL_CHARS or URL(base).user is not None:
                raise TargetError("it is too long, or says who asks.")
            return replace(self._target, base=base)
        except (TargetError, ValueError) as error:
            raise SignallingError("no_url", f"{base[:200]!r} is no edge: {error}") from None
