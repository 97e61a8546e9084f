"""What a WHIP offer asks for and what we answer (RFC 9725 section 4.2, RFC 8829)."""

from dataclasses import dataclass

from gateway.errors import SignallingError
from gateway.ingest.incoming import PublishedMedia
from gateway.stream.layout import CARRIED
from gateway.wire.answer import AnswerMedia
from gateway.wire.formats import MIMES, TrackFormat, codec_to_publish
from gateway.wire.header_extensions import MID, TRANSPORT_SEQUENCE_NUMBER
from gateway.wire.sdp import Codec, Media, Offer

TAKEN_EXTENSIONS = {*CARRIED, MID, TRANSPORT_SEQUENCE_NUMBER}

FEEDBACK = {
    "video": ("nack", "nack pli", "ccm fir", "transport-cc"),
    "audio": ("nack", "transport-cc"),
}
"""What we ask a publisher to listen to, where it offers it."""


@dataclass(frozen=True, slots=True)
class PublishNegotiation:
    """The outcome for all sections of an offer."""

    published: list[PublishedMedia]
    answers: list[AnswerMedia]


def negotiate(offer: Offer, live: dict[str, TrackFormat]) -> PublishNegotiation:
    """Take the first audio and the first video that we can pass through. `live` are the formats that the stream has
    now.

    SignallingError 406 when there is nothing that we can take, 400 when nothing is sent to us.
    """
    published: list[PublishedMedia] = []
    answers: list[AnswerMedia] = []
    chosen = {id(media) for kind in ("audio", "video") if (media := _first_sent(offer, kind)) is not None}
    if not chosen:
        raise SignallingError(400, "The offer sends no audio and no video: a=sendonly or a=sendrecv is needed.")
    for media in offer.media:
        codec = codec_to_publish(media, live.get(media.kind)) if id(media) in chosen else None
        if codec is None:
            answers.append(AnswerMedia(media))
            continue
        extensions = {uri: number for uri, number in media.extensions.items() if uri in TAKEN_EXTENSIONS}
        feedback = tuple(kind for kind in FEEDBACK[media.kind] if kind in codec.feedback)
        answers.append(AnswerMedia(media, "recvonly", codec, extensions, feedback))
        published.append(_published(codec, extensions, feedback))
    if not published:
        raise SignallingError(406, f"None of the offered codecs can be passed through: {_accepted()} can.")
    return PublishNegotiation(published, answers)


def _first_sent(offer: Offer, kind: str) -> Media | None:
    sent = (m for m in offer.media if m.kind == kind and not m.rejected and m.direction in ("sendonly", "sendrecv"))
    return next(sent, None)


def _published(codec: Codec, extensions: dict[str, int], feedback: tuple[str, ...]) -> PublishedMedia:
    return PublishedMedia(
        format=TrackFormat.of(codec),
        payload_type=codec.payload_type,
        rtx_payload_type=codec.rtx_payload_type,
        extensions={number: uri for uri, number in extensions.items()},
        feedback=frozenset(feedback),
    )


def _accepted() -> str:
    names = [mime.partition("/")[2].upper() for mimes in MIMES.values() for mime in mimes]
    return ", ".join(names[:-1]) + " and Opus"
