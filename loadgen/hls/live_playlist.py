"""One media playlist as a player follows it: each reload asks for the next part, and is answered when it is there."""

import asyncio
import time

from gateway.errors import WireError
from loadgen.hls.cursor import new_parts
from loadgen.hls.fetcher import Answer
from loadgen.hls.playlist import MediaPlaylist
from loadgen.hls.playlists import Playlists
from loadgen.hls.requests import RETRY_S, Requests, StartOverError, retry_after_s, start_over

WAIT_TARGETS, WAIT_MARGIN_S = 3, 5.0
"""How long a request for the next part may take: so many target durations until the server has to answer (section
6.2.5.2), and some more."""
MAX_TRIES = 4
"""Failures in a row: then the player begins anew."""

_GONE = (401, 403, 404, 410)


class LivePlaylist:
    """See the module. `newest` is there once `load` has returned."""

    newest: MediaPlaylist

    def __init__(self, url: str, requests: Requests, playlists: Playlists) -> None:
        self.url = url
        self.changed = asyncio.Event()
        """Set with each that came; who waits for it clears it."""
        self._requests = requests
        self._ledger = requests.ledger
        self._playlists = playlists
        self._loaded_s = 0.0
        self._failures = 0

    async def load(self) -> None:
        """The first time, whole. StartOverError when it cannot be had."""
        if not self._take(await self._requests.require(self.url), None):
            raise StartOverError("playlist")

    async def reload(self) -> None:
        """Again and again, until the stream ends."""
        is_whole = False
        while not self.newest.has_ended:
            wanted = self.newest.next_position
            if not self.newest.can_block_reload:
                await asyncio.sleep(self._pace_s)
            is_blocking = self.newest.can_block_reload and not is_whole
            answer = await self._requests.ask(self._reload_url(wanted, is_whole), self.wait_s)
            is_whole = answer is None or answer.status == 400
            if answer is None or not answer.is_good:
                await self._back_off(answer)
                continue
            self._failures = 0
            before = self.newest
            is_whole = not self._take(answer, before)
            self._judge(answer, wanted, is_blocking)
            if self.newest.next_position <= wanted and not self.newest.has_ended:
                if is_blocking:
                    self._ledger.on_playlist_error("reload_not_blocked")
                await asyncio.sleep(self._pace_s)

    def _reload_url(self, wanted: tuple[int, int], is_whole: bool) -> str:
        """With delivery directives, in the order of their names, so that all ask for the same (section 6.2.5)."""
        playlist = self.newest
        directives = []
        if playlist.can_block_reload and not is_whole:
            directives.append(f"_HLS_msn={wanted[0]}")
            if playlist.part_target_s is not None:
                directives.append(f"_HLS_part={wanted[1]}")
        skip_s = playlist.can_skip_until_s
        # An older playlist may lack what would be skipped (section 6.2.5.1).
        if skip_s is not None and not is_whole and time.time() - self._loaded_s < skip_s / 2:
            directives.append("_HLS_skip=YES")
        if not directives:
            return self.url
        return self.url + ("&" if "?" in self.url else "?") + "&".join(directives)

    def _take(self, answer: Answer, before: MediaPlaylist | None) -> bool:
        """Whether it could be used."""
        ledger = self._ledger
        try:
            reading = self._playlists.read(answer, before)
        except WireError:
            ledger.on_playlist_error("unusable")
            return False
        ledger.counts.playlists += 1
        ledger.counts.delta_updates += reading.is_delta
        for rule in reading.broken_rules:
            ledger.on_playlist_error(rule)
        self.newest = reading.playlist
        self._loaded_s = answer.arrived_s
        self.changed.set()
        return True

    def _judge(self, answer: Answer, wanted: tuple[int, int], is_blocking: bool) -> None:
        """One part more than before is what the reload waited for; of several, the first was there when it was sent."""
        added = new_parts(self.newest, wanted)
        if added and is_blocking:
            self._ledger.on_awaited(answer, added[-1].end_unix_s)
        if len(added) > 1:
            self._ledger.on_request(answer)

    @property
    def _pace_s(self) -> float:
        """Between reloads that do not wait for anything (section 6.3.4)."""
        return (self.newest.part_target_s or self.newest.target_duration_s) / 2

    @property
    def wait_s(self) -> float:
        """For what is not there yet."""
        return WAIT_TARGETS * self.newest.target_duration_s + WAIT_MARGIN_S

    async def _back_off(self, answer: Answer | None) -> None:
        """Wait before the next reload. StartOverError when there is no use in it."""
        self._failures += 1
        if self._failures >= MAX_TRIES or (answer is not None and answer.status in _GONE):
            raise start_over(answer)
        await asyncio.sleep(retry_after_s(answer) or RETRY_S)
