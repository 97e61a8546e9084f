"""What came of each SSRC of one player, counted as the load generator's players count it; their reports tell it."""

from gateway.wire.serial import delta16
from loadgen.figures import MediaCounts
from loadgen.players.holes import MAX_HOLES
from loadgen.players.packet import Packet
from loadgen.players.track import AudioTrack, Track


class Reception:
    """Only sequence numbers are looked at: to the bench video is no more than sound is."""

    def __init__(self) -> None:
        self.tracks: dict[int, Track] = {}
        """By SSRC."""
        self._counts = MediaCounts()
        self._leapt_over = 0

    @property
    def lost(self) -> int:
        """Packets missing up to now."""
        return sum(track.lost for track in self.tracks.values()) + self._leapt_over

    def on_packet(self, ssrc: int, sequence_number: int, arrival_s: float) -> None:
        """A packet that is authentic, and did not come before."""
        track = self.tracks.get(ssrc)
        if track is None:
            self._begin(ssrc, sequence_number)
        elif sequence_number == track.expected:
            track.expected = (sequence_number + 1) & 0xFFFF
        else:
            self._on_other(track, sequence_number, arrival_s)

    def _on_other(self, track: Track, sequence_number: int, arrival_s: float) -> None:
        missing = delta16(sequence_number, track.highest) - 1
        if missing >= MAX_HOLES:  # To the track the sender began anew; this one does not.
            self._leapt_over += missing
        track.on_packet(_seen(sequence_number, arrival_s))
        hopeless = track.holes.hopeless(arrival_s, rtt_s=0.0)
        if hopeless is not None:
            track.give_up(hopeless, arrival_s)

    def skip_to(self, ssrc: int, sequence_number: int) -> None:
        """A packet came, and others before it that nobody looked at: none of them is taken for lost."""
        track = self.tracks.get(ssrc) or self._begin(ssrc, sequence_number)
        track.expected = (sequence_number + 1) & 0xFFFF

    def _begin(self, ssrc: int, sequence_number: int) -> Track:
        track = self.tracks[ssrc] = AudioTrack(self._counts, _never_opened, can_nack=False, checks_all=False)
        track.on_packet(_seen(sequence_number))
        return track


def _seen(sequence_number: int, arrival_s: float = 0.0) -> Packet:
    """With a payload, so that nobody asks whether it is authentic."""
    return Packet(sequence_number, 0, False, arrival_s, b"", payload=b"")


def _never_opened(_datagram: bytes) -> bytes:
    raise AssertionError("every packet has its payload")
