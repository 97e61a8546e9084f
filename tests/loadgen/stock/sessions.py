"""Peer connections of stock aiortc: one that takes what is published, one that gives it to a viewer."""

import secrets
from collections.abc import Iterable

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole, MediaRelay
from aiortc.sdp import SessionDescription

from tests.loadgen.stock.pictures import SmallPicture

KINDS = frozenset({"audio", "video"})


class OfferError(ValueError):
    """The offer does not parse, or has nothing that we could answer with."""


def offered_kinds(offer: str) -> frozenset[str]:
    """`audio`, `video` or both; OfferError where there is neither."""
    try:
        kinds = frozenset(media.kind for media in SessionDescription.parse(offer).media) & KINDS
    except Exception as error:  # the parser fails in many ways
        raise OfferError(f"no SDP: {error}") from error
    if not kinds:
        raise OfferError("the offer has neither audio nor video")
    return kinds


class Session:
    """What a publisher and a viewer have in common: an offer in, an answer out."""

    def __init__(self) -> None:
        self.name = secrets.token_urlsafe(12)
        # No STUN server: nothing of a test leaves this machine.
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    def _add(self, track_or_kind: MediaStreamTrack | str, direction: str) -> None:
        transceiver = self.connection.addTransceiver(track_or_kind, direction)
        if transceiver.kind == "video":
            codecs = RTCRtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences([each for each in codecs if each.mimeType in ("video/H264", "video/rtx")])

    async def answer(self, offer: str) -> str:
        """The answer, with all candidates; OfferError when aiortc cannot answer this offer."""
        try:
            await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await self.connection.setLocalDescription(await self.connection.createAnswer())
        except Exception as error:  # so does this
            raise OfferError(f"cannot be answered: {error}") from error
        return self.connection.localDescription.sdp

    async def close(self) -> None:
        """Say goodbye to the peer, and let go."""
        await self.connection.close()


class Viewer(Session):
    """Is sent these tracks."""

    def __init__(self, tracks: Iterable[MediaStreamTrack]) -> None:
        super().__init__()
        for track in tracks:
            self._add(track, "sendonly")


class Publisher(Session):
    """Sends us tracks, each of which is decoded once and shown to many."""

    def __init__(self, kinds: Iterable[str]) -> None:
        super().__init__()
        self._relay = MediaRelay()
        self._drain = MediaBlackhole()
        self._sources: dict[str, MediaStreamTrack] = {}
        for kind in sorted(kinds):
            self._add(kind, "recvonly")
        self.connection.on("track", self._take)

    def _take(self, track: MediaStreamTrack) -> None:
        source = SmallPicture(track) if track.kind == "video" else track
        self._sources[track.kind] = source
        # aiortc queues decoded frames without bound, so somebody must always take them.
        self._drain.addTrack(self._relay.subscribe(source, buffered=False))

    async def answer(self, offer: str) -> str:
        """See `Session`."""
        answer = await super().answer(offer)
        await self._drain.start()
        return answer

    def tracks(self, kinds: frozenset[str]) -> list[MediaStreamTrack]:
        """Tracks for one more viewer, of these kinds."""
        # Unbuffered: for a viewer that falls behind, frames are left out and not kept.
        return [self._relay.subscribe(self._sources[kind], buffered=False) for kind in sorted(kinds & {*self._sources})]

    async def close(self) -> None:
        """See `Session`; its viewers see no more."""
        await self._drain.stop()
        await super().close()
