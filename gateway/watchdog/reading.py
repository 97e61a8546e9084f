"""Reads what there is of the process and of a stream into samples: plain counters that others keep anyway."""

from dataclasses import replace

from gateway.clockwork import Clockwork
from gateway.hub.hub import Hub
from gateway.ingest.publisher import Publisher
from gateway.stream.figures import IngestFigures
from gateway.stream.track import Track, TrackFigures
from gateway.transport.port import MediaPort
from gateway.watchdog.pictures import newest_picture_s
from gateway.watchdog.sample import ProcessSample, StreamSample

_UNSEEN = StreamSample(0.0, 0.0, None, None, None, None, sends_video=True, is_connected=False, ended_by=None)
"""A stream of which nothing is known."""


def read_process(clockwork: Clockwork, port: MediaPort, now_s: float) -> ProcessSample:
    """How the process does since this was last read: who reads it begins the worst anew."""
    sample = ProcessSample(
        at_s=now_s,
        loop_lag_s=clockwork.worst_lag_s,
        queue_lateness_s=port.worst_lateness_s,
        kernel_drops=port.socket.kernel_receive_drops(),
    )
    clockwork.worst_lag_s = port.worst_lateness_s = 0.0
    return sample


def read_stream(
    hub: Hub, name: str, previous: StreamSample | None, now_s: float, loop_lag_s: float = 0.0
) -> StreamSample:
    """The stream now. What went away, with its studio or altogether, stays as it was in the `previous` sample.

    `loop_lag_s` is how long the process has just stood still: timers may ring before the socket is read.
    """
    before = previous or _UNSEEN
    stream, read_until_s = hub.registry.stream(name), now_s - loop_lag_s
    if stream is None:
        return replace(before, at_s=now_s, read_until_s=read_until_s, is_connected=False, sends_video=True)
    publisher = hub.studios.publishers.get(stream.source.session_id) if stream.source is not None else None
    video, audio = stream.tracks.get("video"), stream.tracks.get("audio")
    figures = video.figures if video is not None else TrackFigures()
    ingest = stream.ingest_before + (publisher.figures if publisher is not None else IngestFigures())
    return StreamSample(
        at_s=now_s,
        read_until_s=read_until_s,
        picture_s=newest_picture_s(video, before.picture_s) if video is not None else before.picture_s,
        sound_s=_newest_s(audio) if publisher is None or _sends(publisher, "audio") else None,
        media_s=_latest(before.media_s, _newest_s(video), _newest_s(audio)),
        studio_s=_latest(before.studio_s, stream.source_lost_s, _heard_s(publisher)),
        sends_video=publisher is None or _sends(publisher, "video"),
        is_connected=publisher is not None,
        ended_by=stream.source_lost_by,
        packets_expected=ingest.video_expected,
        packets_missed=ingest.video_missed,
        packets_recovered=ingest.video_recovered,
        packets_unseen=ingest.video_unseen,
        frames=figures.frames,
        frames_lost=ingest.frames_lost,
        frames_undecodable=figures.awaiting_keyframe_frames,
    )


def _sends(publisher: Publisher, kind: str) -> bool:
    return any(track.media.format.kind == kind for track in publisher.tracks)


def _newest_s(track: Track | None) -> float | None:
    """When the newest packet of the track arrived."""
    packet = track.cache.packet(track.cache.next_index - 1) if track is not None else None
    return packet.arrival_s if packet is not None else None


def _heard_s(publisher: Publisher | None) -> float | None:
    return publisher.session.last_seen_s if publisher is not None else None


def _latest(*times_s: float | None) -> float | None:
    return max((time_s for time_s in times_s if time_s is not None), default=None)
