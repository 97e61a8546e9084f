"""Everything that a threshold can be about: name, dimension, meaning, and where the figure comes from."""

from collections.abc import Iterator

from loadgen import shares
from loadgen.verdict import readings
from loadgen.verdict.metric import Metric, Need
from loadgen.verdict.of_moves import OF_MOVES
from loadgen.verdict.of_signals import OF_SIGNALS
from loadgen.verdict.readings import media_count, media_share
from loadgen.verdict.units import Dimension

_NOBODY_WATCHED = "nobody watched"
_NOBODY_JOINED = "nobody tried to join"
_NO_REQUEST = "nobody asked by LL-HLS"
_NO_SAMPLE = "the gateway's process could not be read"

_DISTRIBUTIONS = (
    ("join", "join_s", "from a player's POST to its SRTP keys", "nobody joined"),
    ("first_frame", "first_frame_s", "from a player's POST to its first complete keyframe", "nobody saw a keyframe"),
    ("delay", "delay_s", "of a frame, from the studio's stamp to its last packet", "no sampled player saw a stamp"),
    ("rtt", "rtt_s", "of ICE checks, round trip", "no ICE check was answered"),
    ("jitter", "jitter_s", "of video between arrivals (RFC 3550), a player and second", _NOBODY_WATCHED),
    ("gap", "gap_s", "between two frames that could be shown, the longest of each session", "no session ended"),
    ("hls_join", "hls_join_s", "LL-HLS: from asking for the playlist to a part that can be decoded", "nobody joined"),
    ("hls_first_frame", "hls_first_frame_s", "LL-HLS: from asking for the playlist to the picture", "nobody saw any"),
    ("hls_request", "hls_request_s", "LL-HLS: of a request for what is there, to the last byte", _NO_REQUEST),
    (
        "hls_lateness",
        "hls_lateness_s",
        "LL-HLS: of a request that waits for a part, from the part's end by PROGRAM-DATE-TIME to the last byte",
        "no request waited, or parts have no date",
    ),
    (
        "hls_latency",
        "hls_latency_s",
        "LL-HLS: how old what is shown is, by PROGRAM-DATE-TIME, a player and second",
        "nobody saw a picture, or parts have no date",
    ),
    (
        "hls_delay",
        "hls_delay_s",
        "LL-HLS: of a frame, from the studio's stamp to when a player shows it",
        "no sampled player saw a stamp",
    ),
    ("bet_rtt", "bet_rtt_s", "of a bet, from sending it to its first answer", "no bet was answered"),
    ("signal_rtt", "signal_rtt_s", "of the server's pings over signals, as it tells its players", "none was told"),
    ("signal_join", "signal_join_s", "players by signals alone: from asking for them to the welcome", "none came"),
    (
        "move",
        "move_s",
        "who was told to move: from the last frame at the one edge to the first at the other",
        "nobody was moved, or saw a frame afterwards",
    ),
    (
        "back",
        "back_s",
        "who was closed by the server: from the last frame until one was seen again, wherever that was",
        "nobody was closed by the server, or came back",
    ),
)
_PERCENTILES = (50, 90, 95, 99)


def _of_distributions() -> Iterator[Metric]:
    for prefix, distribution, meaning, absence in _DISTRIBUTIONS:
        statistics = [
            (f"p{each}", f"percentile {each}", readings.percentile(distribution, each / 100)) for each in _PERCENTILES
        ]
        statistics += [
            ("max", "maximum", readings.largest(distribution)),
            ("mean", "mean", readings.mean(distribution)),
        ]
        for suffix, title, read in statistics:
            yield Metric(f"{prefix}_{suffix}", Dimension.DURATION, f"{meaning}: {title}", read, absence)


_OF_PLAYERS = (
    Metric(
        "freeze_ratio",
        Dimension.SHARE,
        "frozen time of watched time",
        media_share(shares.freeze_ratio),
        _NOBODY_WATCHED,
    ),
    Metric(
        "freezes",
        Dimension.COUNT,
        "freezes of all players, by libwebrtc's rule, and stalls of those by LL-HLS",
        media_count(lambda media: media.freezes, lambda media: media.watched_s),
        _NOBODY_WATCHED,
    ),
    Metric(
        "loss",
        Dimension.SHARE,
        "packets that did not come in the first place, of those expected",
        media_share(shares.loss),
        _NOBODY_WATCHED,
    ),
    Metric(
        "residual_loss",
        Dimension.SHARE,
        "packets that did not come, retransmitted or not, of those expected",
        media_share(shares.residual_loss),
        _NOBODY_WATCHED,
    ),
    Metric(
        "frames_incomplete",
        Dimension.SHARE,
        "frames of which a packet never came, of all frames",
        media_share(shares.frames_incomplete),
        _NOBODY_WATCHED,
    ),
    Metric(
        "frames_undecodable",
        Dimension.SHARE,
        "whole frames after one that was not, before the next keyframe, of all frames",
        media_share(shares.frames_undecodable),
        _NOBODY_WATCHED,
    ),
    Metric(
        "frames_dropped",
        Dimension.SHARE,
        "frames that could not be shown: incomplete or undecodable, of all frames",
        media_share(shares.frames_not_shown),
        _NOBODY_WATCHED,
    ),
    Metric(
        "frames_late",
        Dimension.SHARE,
        "complete frames later than the scenario's late_after, of all frames",
        media_share(shares.frames_late),
        _NOBODY_WATCHED,
    ),
    Metric(
        "frames_broken",
        Dimension.COUNT,
        "frames whose packets all came and whose payloads do not fit together, at sampled players of H264",
        media_count(lambda media: media.frames_broken, shares.frames),
        _NOBODY_WATCHED,
    ),
    Metric(
        "authentication_failures",
        Dimension.COUNT,
        "packets that SRTP refused, of those checked",
        media_count(lambda media: media.authentication_failures, lambda m: m.checked + m.authentication_failures),
        "no packet was checked",
    ),
    Metric(
        "bitrate_p5",
        Dimension.BITRATE,
        "what all but the worst 5 % of the sessions of 5 s and more received",
        readings.session_bitrate(0.05),
        "no session lasted 5 s",
    ),
    Metric(
        "bitrate_p50",
        Dimension.BITRATE,
        "what half of the sessions of 5 s and more received",
        readings.session_bitrate(0.5),
        "no session lasted 5 s",
    ),
)

_OF_HLS = (
    Metric(
        "hls_stalls",
        Dimension.COUNT,
        "times that a player by LL-HLS ran dry",
        readings.hls_count(lambda hls: hls.stalls, lambda hls: hls.watched_s),
        _NOBODY_WATCHED,
    ),
    Metric(
        "hls_stall_ratio",
        Dimension.SHARE,
        "time stalled of time watched by LL-HLS",
        readings.hls_share(shares.stall_ratio),
        _NOBODY_WATCHED,
    ),
    Metric(
        "hls_requests_failed",
        Dimension.SHARE,
        "requests by LL-HLS without an answer, or with a status of 400 and above, of all",
        readings.hls_share(shares.requests_failed),
        _NO_REQUEST,
    ),
    Metric(
        "hls_playlist_errors",
        Dimension.COUNT,
        "rules of the LL-HLS draft that playlists broke, and playlists of no use",
        readings.hls_count(lambda hls: hls.playlist_errors, lambda hls: hls.requests),
        _NO_REQUEST,
    ),
    Metric(
        "hls_media_errors",
        Dimension.COUNT,
        "init sections, parts and segments by LL-HLS that cannot be read",
        readings.hls_count(lambda hls: hls.media_errors, lambda hls: hls.requests),
        _NO_REQUEST,
    ),
    Metric(
        "hls_gaps",
        Dimension.COUNT,
        "parts by LL-HLS that begin later than the one before them ended, by tfdt",
        readings.hls_count(lambda hls: hls.gaps, lambda hls: hls.parts + hls.segments),
        "no part came",
    ),
    Metric(
        "hls_overlaps",
        Dimension.COUNT,
        "parts by LL-HLS that begin before the one before them ended, by tfdt",
        readings.hls_count(lambda hls: hls.overlaps, lambda hls: hls.parts + hls.segments),
        "no part came",
    ),
    Metric(
        "hls_restarts",
        Dimension.COUNT,
        "times that players by LL-HLS began anew: with the multivariant playlist, or out of the window",
        readings.hls_count(lambda hls: hls.restarts + hls.overruns, lambda hls: hls.requests),
        _NO_REQUEST,
    ),
)

_OF_SESSIONS = (
    Metric("join_failures", Dimension.SHARE, "joins that failed, of all", readings.join_failures, _NOBODY_JOINED),
    Metric(
        "no_picture",
        Dimension.SHARE,
        "sessions that never saw a complete keyframe, of those that joined; no other figure of frames has them",
        readings.no_picture,
        "nobody joined",
    ),
    Metric(
        "sessions_failed",
        Dimension.COUNT,
        "joins that failed, and sessions that the server ended",
        readings.sessions_failed,
        _NOBODY_JOINED,
    ),
    Metric(
        "closed_by_server",
        Dimension.COUNT,
        "sessions that the server ended",
        readings.closed_by_server,
        "nobody joined",
    ),
    Metric("viewers_peak", Dimension.COUNT, "most players that watched at once", readings.viewers_peak, _NOBODY_JOINED),
    Metric(
        "studio_failures",
        Dimension.COUNT,
        "studios' sessions that did not come up, or that the server ended",
        readings.studio_failures,
        "no studio published",
    ),
)

_OF_GATEWAY = (
    Metric(
        "packets_missing",
        Dimension.SHARE,
        "packets that the gateway counts as sent to players and that they did not read, of those sent",
        readings.packets_missing,
        "the gateway's counters could not be read, or counted nothing",
        Need.COUNTERS,
    ),
    Metric(
        "gateway_cpu_p95",
        Dimension.SHARE,
        "CPU of the gateway's process, of one core: percentile 95 of the run's seconds",
        readings.gateway(lambda sample: sample.cpu_share, 0.95),
        _NO_SAMPLE,
        Need.PROCESS,
    ),
    Metric(
        "gateway_cpu_max",
        Dimension.SHARE,
        "CPU of the gateway's process, of one core: the busiest second",
        readings.gateway(lambda sample: sample.cpu_share, 1.0),
        _NO_SAMPLE,
        Need.PROCESS,
    ),
    Metric(
        "gateway_rss_max",
        Dimension.SIZE,
        "resident memory of the gateway's process: the most",
        readings.gateway(lambda sample: sample.rss_bytes, 1.0),
        _NO_SAMPLE,
        Need.PROCESS,
    ),
    Metric(
        "gateway_rss_slope",
        Dimension.GROWTH,
        "growth of the gateway's resident memory while everybody watches",
        readings.gateway_rss_slope,
        "the steady part of the run was too short, or the gateway's process could not be read",
        Need.PROCESS,
    ),
)

METRICS = {
    metric.name: metric
    for metric in (*_of_distributions(), *_OF_PLAYERS, *_OF_HLS, *OF_SIGNALS, *OF_MOVES, *_OF_SESSIONS, *_OF_GATEWAY)
}
"""By name, in the order in which they are listed for people."""
