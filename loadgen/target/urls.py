"""Where a server's WHIP and WHEP sessions open, where LL-HLS playlists, signals and rounds are. Every server has its
own paths: the load generator assumes none."""

from dataclasses import dataclass
from urllib.parse import quote

from yarl import URL

from loadgen.errors import TargetError

PLACEHOLDER = "{stream}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URLs of a server's streams. TargetError for what makes none."""

    base: str
    """`https://edge.example:8443`, with or without a path that all streams share."""
    whip_path: str = "/whip/{stream}"
    whep_path: str = "/whep/{stream}"
    hls_path: str = "/hls/{stream}/index.m3u8"
    signals_path: str = "/signals/{stream}"
    rounds_path: str = "/api/v1/streams/{stream}/rounds"

    def __post_init__(self) -> None:
        base = _parsed(self.base)
        if base.scheme not in ("http", "https") or not base.host or base.query_string or base.fragment:
            raise TargetError(f"{self.base!r} is no target: it is http:// or https://, a host, and a path at most.")
        for path in (self.whip_path, self.whep_path, self.hls_path, self.signals_path, self.rounds_path):
            if not path.startswith("/") or PLACEHOLDER not in path:
                raise TargetError(f"The path {path!r} has to begin with / and to say where the {PLACEHOLDER} is.")

    def whip(self, stream: str) -> str:
        """Where a studio posts its offer."""
        return self._url(self.whip_path, stream)

    def whep(self, stream: str) -> str:
        """Where a player posts its offer."""
        return self._url(self.whep_path, stream)

    def hls(self, stream: str) -> str:
        """The multivariant playlist."""
        return self._url(self.hls_path, stream)

    def signals(self, stream: str) -> str:
        """The WebSocket."""
        return self._url(self.signals_path, stream)

    def rounds(self, stream: str) -> str:
        """Where a studio opens rounds and moves them on."""
        return self._url(self.rounds_path, stream)

    def watching(self, stream: str) -> tuple[str, ...]:
        """The paths at which a player may have asked for `stream`."""
        paths = (self.whep_path, self.hls_path, self.signals_path)
        return tuple(_filled(path, stream) for path in paths)

    def _url(self, path: str, stream: str) -> str:
        return self.base.rstrip("/") + _filled(path, stream)


def _filled(path: str, stream: str) -> str:
    return path.replace(PLACEHOLDER, quote(stream, safe=""))


def _parsed(base: str) -> URL:
    try:
        return URL(base)
    except ValueError as error:
        raise TargetError(f"{base!r} is no URL: {error}.") from error
