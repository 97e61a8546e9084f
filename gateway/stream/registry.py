"""All streams of the process, by name."""

import random
import re
from collections.abc import Iterator

from gateway.errors import SignallingError
from gateway.stream.contract import Sender
from gateway.stream.stream import Stream, StreamSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Registry:
    """Streams exist from the first publisher until a grace period after the last one has gone."""

    def __init__(
        self, sender: Sender, settings: StreamSettings, max_streams: int, random_source: random.Random
    ) -> None:
        self._sender = sender
        self._settings = settings
        self._max_streams = max_streams
        self._random = random_source
        self._streams: dict[str, Stream] = {}

    def stream(self, name: str) -> Stream | None:
        """The stream of that name, if there is one now."""
        return self._streams.get(name)

    def __iter__(self) -> Iterator[Stream]:
        return iter(tuple(self._streams.values()))

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, name: str) -> Stream:
        """The stream of that name, made if need be. SignallingError when there is no room (any more)."""
        self.check_room(name)
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(name, self._sender, self._settings, self._random)
        return stream

    def check_room(self, name: str) -> None:
        """SignallingError when `name` is none, or new while there are too many."""
        check_name(name)
        if name not in self._streams and len(self._streams) >= self._max_streams:
            raise SignallingError(503, "This gateway carries no more streams.", {"Retry-After": "10"})

    def close_abandoned(self, now_s: float, grace_s: float) -> list[Stream]:
        """Forget, and return, the streams whose last source has been gone for `grace_s`."""
        gone = [
            stream
            for stream in self._streams.values()
            if stream.source is None and stream.source_lost_s is not None and now_s - stream.source_lost_s > grace_s
        ]
        for stream in gone:
            del self._streams[stream.name]
        return gone


def check_name(name: str) -> None:
    """SignallingError 404 for what cannot be a stream's name: it becomes a metric label and part of a URL."""
    if not _NAME.fullmatch(name):
        raise SignallingError(404, "A stream's name has 1 to 64 letters, digits, dots, dashes or underscores.")
