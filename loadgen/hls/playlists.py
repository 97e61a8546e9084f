"""Playlists as they are read, shared by the players of a process: at a live edge hundreds of them are given the same
bytes, after the same bytes."""

from dataclasses import dataclass
from typing import TypeVar

from gateway.errors import WireError
from loadgen.hls.fetcher import Answer
from loadgen.hls.playlist import MediaPlaylist, completed, parse_media_playlist
from loadgen.hls.rules import contradictions, violations

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

MAX_KEPT = 256
"""Of both renditions and both kinds (whole, delta) of some dozens of streams, the newest of each."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What the bytes say by themselves."""

    playlist: MediaPlaylist
    broken_rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says after the one before."""

    playlist: MediaPlaylist
    """Whole: a delta update is completed."""
    is_delta: bool
    broken_rules: tuple[str, ...]
    """In itself, and after the one before."""
    made_of: tuple[MediaPlaylist, MediaPlaylist | None]
    """The bytes' own, and the one before: kept, so that no others can have their ids."""


class Playlists:
    """See the module."""

    def __init__(self) -> None:
        self._parsed: dict[bytes, _Parsed] = {}
        """By the answer's body."""
        self._readings: dict[tuple[int, int], Reading] = {}
        """By the ids of what a reading is made of."""

    def read(self, answer: Answer, before: MediaPlaylist | None) -> Reading:
        """WireError for what cannot be used after `before`, the player's last."""
        parsed = self._parsed.get(answer.body)
        if parsed is None:
            playlist = parse_media_playlist(answer.text())
            parsed = _kept(self._parsed, answer.body, _Parsed(playlist, tuple(sorted(violations(playlist)))))
        key = (id(parsed.playlist), id(before))
        return self._readings.get(key) or _kept(self._readings, key, _read(parsed, before))


def _kept(cache: dict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    if len(cache) >= MAX_KEPT:
        del cache[next(iter(cache))]
    cache[key] = value
    return value


def _read(parsed: _Parsed, before: MediaPlaylist | None) -> Reading:
    update, rules = parsed.playlist, parsed.broken_rules
    if before is None:
        if update.skipped:
            raise WireError("It skips, and was not asked to.")
        return Reading(update, False, rules, (update, None))
    playlist = completed(update, before)
    return Reading(playlist, update.skipped > 0, (*rules, *contradictions(playlist, before)), (update, before))
