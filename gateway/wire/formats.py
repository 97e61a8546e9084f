"""Which codecs railbird passes through, and which player can take which stream (RFC 6184 8.2.2, RFC 9628 7.1, AV1 RTP
7.2)."""

from dataclasses import dataclass

from gateway.errors import WireError
from gateway.wire.h264 import H264Profile, profile_class
from gateway.wire.sdp import Codec, Media

VIDEO_MIMES = ("video/h264", "video/vp8", "video/vp9", "video/av1")
AUDIO_MIMES = ("audio/opus",)
MIMES = {"video": VIDEO_MIMES, "audio": AUDIO_MIMES}

CLOCK_RATES_HZ = {"video": 90_000, "audio": 48_000}
"""The only ones that the payload formats above allow."""

_DEFAULT_H264_PROFILE = "42e01f"

# A decoder of the key's profile plays streams of the profiles in its set. Encoders label constrained baseline as
# baseline so often that both count as one.
_BASELINE = {H264Profile.CONSTRAINED_BASELINE, H264Profile.BASELINE}
_HIGH = _BASELINE | {H264Profile.MAIN, H264Profile.CONSTRAINED_HIGH, H264Profile.HIGH}
_PLAYABLE: dict[H264Profile, set[H264Profile]] = {
    H264Profile.CONSTRAINED_BASELINE: _BASELINE,
    H264Profile.BASELINE: _BASELINE,
    H264Profile.MAIN: _BASELINE | {H264Profile.MAIN},
    H264Profile.CONSTRAINED_HIGH: _BASELINE | {H264Profile.MAIN, H264Profile.CONSTRAINED_HIGH},
    H264Profile.HIGH: _HIGH,
    # What Chromium offers where its build has no High of its own; its decoders take all below (H.264 A.2.7).
    H264Profile.HIGH_444_PREDICTIVE: _HIGH | {H264Profile.HIGH_444_PREDICTIVE},
}


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """What a studio sends on one track, as far as players have to agree to it."""

    kind: str
    mime: str
    clock_rate_hz: int
    profile: H264Profile | str | None = None
    """H264: the profile class. VP9, AV1: the value of their profile parameter. Else None."""

    @classmethod
    def of(cls, codec: Codec) -> "TrackFormat":
        """The format that `codec` of a studio's offer announces. WireError for a malformed profile."""
        return cls(codec.mime.partition("/")[0], codec.mime, codec.clock_rate_hz, _profile(codec))

    @property
    def name(self) -> str:
        """`H264`, `VP8`, `opus`."""
        name = self.mime.partition("/")[2]
        return name if name == "opus" else name.upper()

    def is_playable_by(self, codec: Codec) -> bool:
        """Whether a player that offers `codec` can decode this track."""
        if codec.mime != self.mime or codec.clock_rate_hz != self.clock_rate_hz:
            return False
        if self.mime == "video/h264" and not _is_non_interleaved(codec):
            return False
        try:
            offered = _profile(codec)
        except WireError:
            return False
        if isinstance(offered, H264Profile):
            return self.profile in _PLAYABLE.get(offered, {offered})
        return offered == self.profile


def _profile(codec: Codec) -> H264Profile | str | None:
    if codec.mime == "video/h264":
        return profile_class(str(codec.parameters.get("profile-level-id", _DEFAULT_H264_PROFILE)))
    if codec.mime == "video/vp9":
        return str(codec.parameters.get("profile-id", "0"))
    if codec.mime == "video/av1":
        return str(codec.parameters.get("profile", "0"))
    return None


def _is_non_interleaved(codec: Codec) -> bool:
    """Whether the packetization-mode is 1, the only one whose packets may be fragments (RFC 6184 section 6.3)."""
    return str(codec.parameters.get("packetization-mode")) == "1"


def codec_to_publish(media: Media, live: TrackFormat | None) -> Codec | None:
    """The codec of a studio's offer to ask for: what the stream has now if it can, else the first of the studio's own
    order.

    H264 with packetization-mode 1 wins over mode 0, which some players do not take.
    """
    candidates = [codec for codec in media.codecs if _is_publishable(media.kind, codec)]
    if live is not None:
        same = [codec for codec in candidates if codec.mime == live.mime and _profile(codec) == live.profile]
        candidates = same or candidates
    if not candidates:
        return None
    first = candidates[0]
    if first.mime != "video/h264":
        return first
    return next((c for c in candidates if c.mime == first.mime and _is_non_interleaved(c)), first)


def _is_publishable(kind: str, codec: Codec) -> bool:
    try:
        _profile(codec)
    except WireError:
        return False
    return codec.mime in MIMES[kind] and codec.clock_rate_hz == CLOCK_RATES_HZ[kind]


def codec_to_play(media: Media, track: TrackFormat) -> Codec | None:
    """The codec of a player's offer that can take `track`: the same profile if it is offered, else one that contains
    it."""
    playable = [codec for codec in media.codecs if track.is_playable_by(codec)]
    same = [codec for codec in playable if _profile(codec) == track.profile]
    return next(iter(same or playable), None)
