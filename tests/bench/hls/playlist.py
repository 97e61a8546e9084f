"""What a player reads in a media playlist, and no more."""

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

_GZIP_MAGIC = b"\x1f\x8b"
_DATE = re.compile(r"#EXT-X-PROGRAM-DATE-TIME:(.+)")
_PART = re.compile(r'#EXT-X-PART:DURATION=([\d.]+),URI="\w+/(\d+)\.(\d+)\.m4s"')
_HINT = re.compile(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="\w+/(\d+)\.(\d+)\.m4s"')

MAX_KEPT = 256
"""Playlists parsed: those of some seconds. Each is one for all players."""

Part = tuple[int, int]
"""(MSN, part index)."""


@dataclass(frozen=True, slots=True)
class Playlist:
    """One state of a media playlist."""

    parts: dict[Part, float]
    """All that are listed, in order -> when each ended, unix seconds by EXT-X-PROGRAM-DATE-TIME: the capture of the
    sample behind it, which is what the gateway waits for before it can list the part."""
    hint: Part | None
    """The part that comes next."""


def parse(body: bytes) -> Playlist:
    """A playlist, perhaps packed."""
    text = (gzip.decompress(body) if body.startswith(_GZIP_MAGIC) else body).decode()
    parts: dict[Part, float] = {}
    end_unix_s = 0.0
    for line in text.splitlines():
        if match := _DATE.fullmatch(line):
            end_unix_s = datetime.fromisoformat(match[1]).timestamp()
        elif match := _PART.match(line):
            end_unix_s += float(match[1])
            parts[int(match[2]), int(match[3])] = end_unix_s
    hint = _HINT.search(text)
    return Playlist(parts, (int(hint[1]), int(hint[2])) if hint else None)


class Parsed:
    """Parses each playlist once, whoever got it."""

    def __init__(self, read: Callable[[bytes], Playlist] = parse) -> None:
        self._read = read
        self._kept: dict[bytes, Playlist] = {}

    def __call__(self, body: bytes) -> Playlist:
        """See `parse`."""
        playlist = self._kept.get(body)
        if playlist is None:
            if len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            playlist = self._kept[body] = self._read(body)
        return playlist
