"""One rendition's media as a player downloads them: what the playlist lists, in order, one after another.

A player that follows preload hints (AVPlayer) asks for the next part before it is listed; one that does not (hls.js up
to 1.6, its issue 3988) waits for the playlist. What a hint brought is kept until the playlist lists it.
"""

import asyncio
from collections.abc import Callable

from gateway.errors import WireError
from loadgen.hls.continuity import Continuity, Seam
from loadgen.hls.cursor import Item, Start, behind, next_item
from loadgen.hls.fetcher import Answer
from loadgen.hls.fragments import Fragment, InitSection, parse_fragments, parse_init_section
from loadgen.hls.live_playlist import LivePlaylist
from loadgen.hls.requests import RETRY_S, Requests, StartOverError, retry_after_s

MAX_PART_TRIES = 2
"""For one part: then a player goes on without it."""

Delivered = Callable[[Item, bytes, list[Fragment], InitSection, Seam], None]
"""Called with each part, in order."""


class Download:
    """See the module."""

    def __init__(self, playlist: LivePlaylist, requests: Requests, delivered: Delivered, follows_hints: bool) -> None:
        self._playlist = playlist
        self._requests = requests
        self._ledger = requests.ledger
        self._delivered = delivered
        self._follows_hints = follows_hints
        self._position = (0, 0)
        self._init: InitSection
        self._map_url: str | None = None
        self._continuity = Continuity()
        self._discontinuities: int | None = None
        self._hint: str | None = None
        """URI of the latest that was followed."""
        self._hinted: Answer | None = None
        """What it brought, until it is listed."""

    def begin_at(self, start: Start) -> None:
        """Where the download begins."""
        self._position = (start.msn, start.part)
        self._continuity.forget()

    async def run(self) -> None:
        """Until the stream ends. StartOverError, and OverrunError."""
        while True:
            self._playlist.changed.clear()
            item = next_item(self._playlist.newest, self._position)
            if item is not None:
                await self._download(item)
            elif self._playlist.newest.has_ended:
                return
            else:
                await self._await_more()

    async def _await_more(self) -> None:
        uri = self._playlist.newest.hint_uri
        if not self._follows_hints or uri is None or uri == self._hint:
            await self._playlist.changed.wait()
            return
        self._hint = uri
        answer = await self._requests.ask(self._requests.address(self._playlist.url, uri), self._playlist.wait_s)
        if answer is not None and answer.is_good:
            self._hinted = answer
            self._ledger.counts.hinted_parts += 1
        else:
            self._ledger.counts.hints_missed += 1

    async def _download(self, item: Item) -> None:
        self._position = behind(item)
        await self._enter(item)
        if item.is_gap:
            return
        answer = self._take_hinted(item) or await self._listed(item)
        if answer is None:
            return
        counts = self._ledger.counts
        counts.parts += item.part is not None
        counts.segments += item.part is None
        try:
            fragments = parse_fragments(answer.body, self._init)
        except WireError:
            counts.media_errors += 1
            return
        seam = self._continuity.on_part(fragments, self._init, item.segment.discontinuities)
        self._note(seam)
        self._delivered(item, answer.body, fragments, self._init, seam)

    def _take_hinted(self, item: Item) -> Answer | None:
        """What the latest hint brought, where it was for `item`."""
        answer, self._hinted = self._hinted, None
        if answer is None:
            return None
        if item.uri != self._hint:
            self._ledger.counts.hints_missed += 1
            return None
        self._ledger.on_awaited(answer, item.end_unix_s)
        return answer

    async def _listed(self, item: Item) -> Answer | None:
        """None when it cannot be had: a player goes on without it."""
        for tries in range(1, MAX_PART_TRIES + 1):
            answer = await self._requests.ask(self._requests.address(self._playlist.url, item.uri))
            if answer is not None and answer.is_good:
                self._ledger.on_request(answer)
                return answer
            if tries < MAX_PART_TRIES:
                await asyncio.sleep(retry_after_s(answer) or RETRY_S)
        return None

    async def _enter(self, item: Item) -> None:
        """Load the init section, where it is another one; count the discontinuity."""
        segment = item.segment
        if self._discontinuities is not None and segment.discontinuities != self._discontinuities:
            self._ledger.counts.discontinuities += 1
        self._discontinuities = segment.discontinuities
        if segment.map_uri is None:
            raise StartOverError("playlist")
        url = self._requests.address(self._playlist.url, segment.map_uri)
        if url == self._map_url:
            return
        answer = await self._requests.require(url)
        self._ledger.counts.init_sections += 1
        try:
            self._init = parse_init_section(answer.body)
        except WireError:
            self._ledger.counts.media_errors += 1
            raise StartOverError("media") from None
        self._map_url = url

    def _note(self, seam: Seam) -> None:
        counts = self._ledger.counts
        if seam.gap_s:
            counts.gaps += 1
            counts.gap_s += seam.gap_s
        if seam.overlap_s:
            counts.overlaps += 1
            counts.overlap_s += seam.overlap_s
