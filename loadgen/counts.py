"""Sums of what happened: fields that are added up, over players, streams and seconds. Times are seconds."""

from dataclasses import dataclass
from typing import TypeVar

_Counts = TypeVar("_Counts", bound="Counts")


class Counts:
    """Sums: a dataclass with slots, all of whose fields are numbers that begin at 0."""

    __slots__: tuple[str, ...] = ()

    def add(self: _Counts, other: _Counts) -> None:
        """Add every field."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def take(self: _Counts) -> _Counts:
        """What was counted since the last call; this begins at 0 again."""
        taken = type(self)()
        for name in self.__slots__:
            setattr(taken, name, getattr(self, name))
            setattr(self, name, 0)
        return taken


@dataclass(slots=True)
class MediaCounts(Counts):
    """Sums over the players of one stream, or over one player."""

    packets: int = 0
    """RTP packets received, each once: what only a retransmission brought is among them, repeats are not."""
    bytes: int = 0
    """Of whole SRTP packets, everything that came."""
    retransmissions: int = 0
    """Packets that came again: RTX, or the same packet after a NACK."""
    duplicates: int = 0
    """Packets that came twice and had not been asked for."""
    lost: int = 0
    """Packets that did not come in the first place, repaired or not."""
    recovered: int = 0
    """Of `lost`: those that a retransmission brought."""
    reordered: int = 0
    """Packets that came after a later one, unasked."""
    nacked: int = 0
    """Packets asked for again, each counted once."""
    plis: int = 0
    frames_complete: int = 0
    """Video frames all of whose packets came, and that could be decoded: no frame before them is missing."""
    frames_incomplete: int = 0
    """Video frames given up: at least one packet never came."""
    frames_undecodable: int = 0
    """Video frames that came whole, after one that did not and before the next keyframe."""
    frames_late: int = 0
    """Of `frames_complete`: those that came later than the scenario's `late_after`."""
    frames_broken: int = 0
    """Of `frames_complete`, at sampled players of H264: those whose payloads do not fit together."""
    freezes: int = 0
    frozen_s: float = 0.0
    watched_s: float = 0.0
    """Since the first complete keyframe."""
    checked: int = 0
    """Packets that were authenticated and decrypted."""
    authentication_failures: int = 0
    malformed: int = 0
    impaired: int = 0
    """Packets that the scenario's own impairment dropped; they count as lost, too."""

    @property
    def expected(self) -> int:
        """Packets that should have come."""
        return self.packets - self.recovered + self.lost


@dataclass(slots=True)
class HlsCounts(Counts):
    """What LL-HLS players asked for and were given: sums over those of one stream, or over one player. Bytes, frames
    and stalls are in `MediaCounts`, too, where WHEP has them: a stall is a freeze."""

    requests: int = 0
    """All that were sent and ended, whatever came of them."""
    failures: int = 0
    """Of those: no answer, an answer cut off, or a status of 400 and above."""
    playlists: int = 0
    """Answers that were playlists, delta updates among them."""
    delta_updates: int = 0
    parts: int = 0
    """Answers that were parts, those of hints among them."""
    hinted_parts: int = 0
    """Of those: asked for by EXT-X-PRELOAD-HINT, before they were there."""
    hints_missed: int = 0
    """Hinted parts that came to nothing: the server refused them, or went on with others."""
    segments: int = 0
    """Whole segments, where no parts were listed."""
    init_sections: int = 0
    playlist_errors: int = 0
    """Rules of the draft that playlists broke, and playlists that could not be used."""
    media_errors: int = 0
    """Init sections, parts and segments that no demuxer could read."""
    gaps: int = 0
    """Parts that began later than the one before them ended, by tfdt."""
    gap_s: float = 0.0
    overlaps: int = 0
    """Parts that began before the one before them ended, by tfdt."""
    overlap_s: float = 0.0
    discontinuities: int = 0
    """That were announced."""
    overruns: int = 0
    """Times that what a player wanted next had left the window: it went on at the live edge."""
    restarts: int = 0
    """Times that a player began anew with the multivariant playlist: the generation was gone, or did not answer."""
    stalls: int = 0
    stalled_s: float = 0.0
    watched_s: float = 0.0
    """Since the picture began."""


@dataclass(slots=True)
class StudioCounts(Counts):
    """What one studio's stream sent since the last interval."""

    packets: int = 0
    bytes: int = 0
    frames: int = 0
    keyframes: int = 0
    nacks_received: int = 0
    retransmissions: int = 0
    plis_received: int = 0
    connects: int = 0
    """WHIP sessions that came up."""
    failures: int = 0
    """WHIP sessions that did not, or that the server ended."""
    rounds_opened: int = 0
    rounds_settled: int = 0
    rounds_aborted: int = 0
    """Rounds that the server had ended when the studio wanted to move them on."""


BET_STATES = ("accepted", "late", "duplicate", "unknown_round", "rate_limited", "unavailable", "forbidden")
"""What a bet may be answered (docs/signals.md); `SignalCounts` has a sum of each."""


@dataclass(slots=True)
class SignalCounts(Counts):
    """What players and the server told one another beside the media: sums over those of one stream, or over one
    player. Each bet is counted once, however often it was sent."""

    connections: int = 0
    """That were welcomed."""
    connections_lost: int = 0
    """Of those: ended by the server, or broken."""
    messages: int = 0
    """Of the server, whatever they were."""
    pings: int = 0
    """Of the server, each answered at once."""
    reports: int = 0
    """Sent."""
    complaints: int = 0
    """Messages of type error."""
    bets: int = 0
    resends: int = 0
    """Of bets on a data channel that were not answered in time."""
    bets_answered: int = 0
    bets_unanswered: int = 0
    """Bets that got no answer within the grace before the player left, or before the server ended the connection."""
    bets_abandoned: int = 0
    """Bets without an answer when their player vanished by itself."""
    accepted: int = 0
    """Bets that were answered so; and likewise BET_STATES."""
    late: int = 0
    duplicate: int = 0
    """Of bets that no other answer came to."""
    unknown_round: int = 0
    rate_limited: int = 0
    unavailable: int = 0
    forbidden: int = 0
    other_answers: int = 0
    """Bets that were answered in a way that we do not know: refusals of a later version."""
    delivered: int = 0
    undelivered: int = 0
    """Accepted bets that do not count, as their players were told."""
    rounds: int = 0
    """That a player saw open for bets: each by each player."""
    rounds_settled: int = 0
    rounds_aborted: int = 0
    rules_broken: int = 0
    """Of docs/signals.md, by the server."""
