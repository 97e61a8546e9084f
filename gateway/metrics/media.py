"""What streams carry: packets, frames, viewers."""

from gateway.metrics.family import Family

_STREAM = ("stream",)
_STREAM_LEG = ("stream", "leg")

FAMILIES = (
    Family(
        "railbird_viewers",
        "gauge",
        ("stream", "protocol"),
        "Players that watch; of hls those whose requests come here, and not to a cache in front.",
    ),
    Family("railbird_stream_live", "gauge", _STREAM, "1 while a studio publishes the stream."),
    Family("railbird_packets_total", "counter", _STREAM_LEG, "RTP packets received (ingest) or sent (egress)."),
    Family("railbird_bytes_total", "counter", _STREAM_LEG, "Bytes: ingest of payload, egress of whole SRTP packets."),
    Family(
        "railbird_sends_total",
        "counter",
        _STREAM,
        "System calls that sent media; packets a send is the batch size.",
    ),
    Family("railbird_failed_sends_total", "counter", _STREAM, "Sends that the kernel refused for one destination."),
    Family(
        "railbird_packets_lost_total",
        "counter",
        _STREAM_LEG,
        "Packets that never came: to us, or as players report.",
    ),
    Family(
        "railbird_packets_recovered_total", "counter", _STREAM, "Packets of the studio recovered by retransmission."
    ),
    Family("railbird_nacked_packets_total", "counter", _STREAM_LEG, "Packets asked for again: by us, by players."),
    Family("railbird_retransmissions_total", "counter", ("stream", "kind"), "Packets sent to players again."),
    Family("railbird_retransmissions_refused_total", "counter", ("stream", "reason"), "Packets not sent again."),
    Family("railbird_keyframe_requests_total", "counter", _STREAM_LEG, "PLI and FIR: by players, and sent to studios."),
    Family("railbird_keyframes_total", "counter", _STREAM, "Keyframes received."),
    Family("railbird_frames_total", "counter", ("stream", "track"), "Frames received."),
    Family(
        "railbird_frames_dropped_total",
        "counter",
        ("stream", "leg", "reason"),
        "Video frames that were not passed on, or not shown; docs/qos.md says what each reason means.",
    ),
    Family(
        "railbird_packets_dropped_total",
        "counter",
        ("stream", "leg", "reason"),
        "Packets: of the studio, oversized; of sound to players, audio_overload (the socket was full).",
    ),
)
