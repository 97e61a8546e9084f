"""What a WHEP offer asks for and what we answer (draft-ietf-wish-whep section 4.2)."""

from dataclasses import dataclass

from gateway.errors import SignallingError
from gateway.stream.layout import OFFERABLE, Layout, LayoutKey, PlayoutDelay
from gateway.stream.track import Track
from gateway.transport.data_channel import ChannelTerms
from gateway.wire.answer import AnswerMedia, SendingTrack
from gateway.wire.formats import codec_to_play
from gateway.wire.header_extensions import PLAYOUT_DELAY
from gateway.wire.sctp import DEFAULT_PORT
from gateway.wire.sdp import Codec, Media, Offer, Sctp

FEEDBACK = {"video": ("nack", "nack pli", "ccm fir"), "audio": ("nack",)}
"""What a viewer may tell us, where it offers to."""


class Layouts:
    """Layouts by key, so that viewers with the same browser share one."""

    def __init__(self) -> None:
        self._layouts: dict[LayoutKey, Layout] = {}

    MAX_LAYOUTS = 4096
    """A browser version makes one; a peer that invents mids and ids must not fill memory."""

    def of(self, key: LayoutKey) -> Layout:
        """The one layout of `key`."""
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) >= self.MAX_LAYOUTS:
                # Viewers keep the layouts that they have; the next ones make, and share, new ones.
                self._layouts.clear()
            layout = self._layouts[key] = Layout(key)
        return layout


@dataclass(frozen=True, slots=True)
class WatchNegotiation:
    """The outcome for all sections of an offer: layouts by track kind."""

    layouts: dict[str, Layout]
    answers: list[AnswerMedia]
    channel: ChannelTerms | None = None
    """Of the data channel `signals`, where one was offered."""


def negotiate(
    offer: Offer,
    stream: str,
    tracks: dict[str, Track],
    playout_delay: PlayoutDelay | None,
    layouts: Layouts,
    max_message_bytes: int,
) -> WatchNegotiation:
    """Answer with what the stream has, and take the data channel's section if there is one; `max_message_bytes` is the
    longest message of a player. SignallingError 406 when the player cannot take the stream, 400 when it wants to
    receive nothing."""
    chosen = {kind: media for kind in ("audio", "video") if (media := _first_received(offer, kind)) is not None}
    if not chosen:
        raise SignallingError(400, "The offer receives no audio and no video: a=recvonly or a=sendrecv is needed.")
    accepted: dict[str, Layout] = {}
    answers: list[AnswerMedia] = []
    channel: ChannelTerms | None = None
    for media in offer.media:
        if channel is None and media.sctp is not None and not media.rejected:
            channel = ChannelTerms(media.sctp.port, media.sctp.max_message_bytes, max_message_bytes)
            answers.append(AnswerMedia(media, sctp=Sctp(DEFAULT_PORT, max_message_bytes)))
            continue
        track = tracks.get(media.kind)
        if chosen.get(media.kind) is not media or track is None:
            answers.append(AnswerMedia(media))
            continue
        codec = _codec(media, track)
        accepted[media.kind] = layouts.of(_layout_key(offer, media, codec, track, playout_delay))
        answers.append(_answer(media, codec, track, stream))
    if not accepted:
        raise SignallingError(406, f"The stream has only {' and '.join(tracks)}, which the offer does not ask for.")
    return WatchNegotiation(accepted, answers, channel)


def _first_received(offer: Offer, kind: str) -> Media | None:
    received = (m for m in offer.media if m.kind == kind and not m.rejected and m.direction in ("recvonly", "sendrecv"))
    return next(received, None)


def _codec(media: Media, track: Track) -> Codec:
    codec = codec_to_play(media, track.format)
    if codec is None:
        profile = (
            f" ({getattr(track.format.profile, 'value', track.format.profile)} profile)" if track.format.profile else ""
        )
        raise SignallingError(
            406, f"The stream's {media.kind} is {track.format.name}{profile}, which the offer does not contain."
        )
    return codec


def _extensions(media: Media) -> dict[str, int]:
    return {uri: media.extensions[uri] for uri in OFFERABLE if uri in media.extensions}


def _layout_key(
    offer: Offer, media: Media, codec: Codec, track: Track, playout_delay: PlayoutDelay | None
) -> LayoutKey:
    extensions = _extensions(media)
    return LayoutKey(
        ssrc=track.ssrc,
        rtx_ssrc=track.rtx_ssrc,
        payload_type=codec.payload_type,
        rtx_payload_type=codec.rtx_payload_type,
        mid=media.mid,
        ids=tuple(extensions.items()),
        playout_delay=playout_delay if PLAYOUT_DELAY in extensions else None,
        allows_mixed=offer.allows_mixed_extensions,
    )


def _answer(media: Media, codec: Codec, track: Track, stream: str) -> AnswerMedia:
    feedback = tuple(kind for kind in FEEDBACK[media.kind] if kind in codec.feedback)
    rtx_ssrc = track.rtx_ssrc if codec.rtx_payload_type is not None else None
    sends = SendingTrack(track.ssrc, rtx_ssrc, "railbird", f"{stream} {media.kind}")
    return AnswerMedia(media, "sendonly", codec, _extensions(media), feedback, sends)
