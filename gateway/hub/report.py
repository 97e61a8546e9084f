"""What a stream is doing, for the API and the studio page."""

from typing import Any

from gateway.hub.hub import Hub
from gateway.ingest.incoming import IncomingTrack
from gateway.ingest.publisher import Publisher
from gateway.stream.stream import Stream
from gateway.stream.track import Track
from gateway.transport.address import family_of
from gateway.transport.session import Session


def stream_report(hub: Hub, stream: Stream, now_s: float) -> dict[str, Any]:
    """The stream, its publisher and its tracks, JSON-ready. Units in names; counters since the stream began."""
    publisher = hub.studios.publishers.get(stream.source.session_id) if stream.source is not None else None
    return {
        "stream": stream.name,
        "state": "live" if hub.is_live(stream, now_s) else "waiting",
        "viewers": stream.viewers,
        "since_s": round(now_s - stream.live_since_s, 1) if stream.live_since_s is not None else None,
        "bitrate_bps": round(stream.bitrate_bps),
        "publisher": _publisher_report(publisher) if publisher is not None else None,
        "tracks": [_track_report(stream, track, publisher, now_s) for track in stream.tracks.values()],
    }


def _publisher_report(publisher: Publisher) -> dict[str, Any]:
    # Without its session's id: that is what ends it, and everybody may read this.
    address = publisher.session.address
    return {
        "address_family": family_of(address) if address is not None else None,
        "rtt_s": publisher.round_trip_s,
    }


def _track_report(stream: Stream, track: Track, publisher: Publisher | None, now_s: float) -> dict[str, Any]:
    figures = track.figures
    incoming = _incoming(publisher, track.kind)
    keyframe_s = track.keyframe_arrival_s
    return {
        "kind": track.kind,
        "codec": track.format.name,
        "bitrate_bps": round(track.rate.bits()),
        "packets": figures.packets,
        "lost": incoming.nacks.abandoned if incoming is not None else 0,
        "recovered": incoming.nacks.recovered if incoming is not None else 0,
        "frames": figures.frames,
        "frame_rate": round(track.rate.frames(), 1),
        "keyframe_age_s": round(now_s - keyframe_s, 1) if keyframe_s is not None else None,
        "keyframe_requests": stream.keyframe_requests_sent if track.is_video else 0,
    }


def _incoming(publisher: Publisher | None, kind: str) -> IncomingTrack | None:
    tracks = publisher.tracks if publisher is not None else []
    return next((track for track in tracks if track.media.format.kind == kind), None)


def session_report(session: Session, now_s: float) -> dict[str, Any]:
    """One session, JSON-ready. No address: what the API shows may end up in a ticket."""
    return {
        "session": session.session_id,
        "stream": session.stream,
        "leg": session.leg.value,
        "state": "connected" if session.srtp is not None else "connecting",
        "age_s": round(now_s - session.created_s, 1),
        "silent_s": round(now_s - session.last_seen_s, 1),
        "profile": session.srtp.profile.openssl_name.decode() if session.srtp is not None else None,
    }
