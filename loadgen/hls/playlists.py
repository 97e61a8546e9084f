"""Playlists as they are read, shared by the players of a process: at a live edge hundreds of them are given the same
bytes, after the same bytes."""

from dataclasses import dataclass

from gateway.errors import WireError
from loadgen.hls.fetcher import Answer
from loadgen.hls.playlist import MediaPlaylist, completed, parse_media_playlist
from loadgen.hls.rules import contradictions, violations

MAX_KEPT = 256
"""Of both renditions and both kinds (whole, delta) of some dozens of streams, the newest of each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in one answer."""

    playlist: MediaPlaylist
    """Whole: a delta update is completed."""
    is_delta: bool
    broken_rules: tuple[str, ...]
    """In itself, and after the one before."""
    before: MediaPlaylist | None
    """The one before: kept, so that no other can have its id."""


class Playlists:
    """See the module."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, int], Reading] = {}
        """By the answer's body and the id of the playlist before it."""

    def read(self, answer: Answer, before: MediaPlaylist | None) -> Reading:
        """WireError for what cannot be used after `before`, the player's last."""
        key = (answer.body, id(before))
        known = self._known.get(key)
        if known is None:
            known = _read(answer, before)
            if len(self._known) >= MAX_KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = known
        return known


def _read(answer: Answer, before: MediaPlaylist | None) -> Reading:
    update = parse_media_playlist(answer.text())
    rules = sorted(violations(update))
    if before is None:
        if update.skipped:
            raise WireError("It skips, and was not asked to.")
        return Reading(update, False, tuple(rules), None)
    playlist = completed(update, before)
    return Reading(playlist, update.skipped > 0, (*rules, *contradictions(playlist, before)), before)
