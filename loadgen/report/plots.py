"""Which plots the report has: one message each. How they are drawn is in `drawing`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from loadgen import shares
from loadgen.report.steps import Step
from loadgen.report.wording import Dimension

Read = Callable[[Step], float | None]
"""A figure of a step, in the base unit; None where it was not measured: a gap in the line."""


class Colour(Enum):
    """Names of the page's CSS variables, each with a dark and a light value.

    FIRST, SECOND and THIRD are told apart by every kind of colour blindness, and so are FIRST and ALARM.
    """

    FIRST = "--first"
    SECOND = "--second"
    THIRD = "--third"
    ALARM = "--alarm"


class Shape(Enum):
    """How values become marks."""

    LINE = "line"
    BARS = "bars"
    """For what is counted, and mostly 0."""


@dataclass(frozen=True, slots=True)
class Line:
    """One of the lines (or rows of bars) of a plot."""

    label: str
    colour: Colour
    read: Read


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot over the time of the run."""

    title: str
    sentence: str
    dimension: Dimension
    lines: tuple[Line, ...]
    shape: Shape = Shape.LINE
    per: str = ""
    """What stands after the unit on the axis: ` a second`."""
    begins_at_zero: bool = True
    """Heights compare then; without, a slow growth can be seen."""
    is_of_hls: bool = False
    """Whether it is of players by LL-HLS alone: without any, nobody misses it."""
    is_of_signals: bool = False
    """Likewise, of players with signals."""


def _percentiles(name: str) -> tuple[Line, ...]:
    ranks = (("p50", 0.5, Colour.FIRST), ("p95", 0.95, Colour.SECOND), ("p99", 0.99, Colour.THIRD))
    return tuple(Line(label, colour, _quantile(name, share)) for label, share, colour in ranks)


def _quantile(name: str, share: float) -> Read:
    return lambda step: step.distributions[name].quantile(share)


def _longest(name: str) -> Read:
    return lambda step: step.distributions[name].largest if step.distributions[name].count else None


def _bitrate_bps(step: Step) -> float | None:
    return shares.divided(step.media.bytes * 8, step.seconds)


def _bitrate_a_viewer_bps(step: Step) -> float | None:
    return shares.divided(step.media.bytes * 8, step.seconds * step.viewers)


def _joins_a_second(step: Step) -> float | None:
    return shares.divided(step.joins, step.seconds)


def _failures_a_second(step: Step) -> float | None:
    return shares.divided(sum(step.join_failures.values()), step.seconds)


def _bets_not_accepted_a_second(step: Step) -> float | None:
    signals = step.signals
    return shares.divided(signals.bets_answered - signals.accepted + signals.bets_unanswered, step.seconds)


PLOTS = (
    Plot(
        "Viewers",
        "Players that have their keys and watch, and players that are still joining.",
        Dimension.COUNT,
        (
            Line("watching", Colour.FIRST, lambda step: step.viewers),
            Line("joining", Colour.SECOND, lambda step: step.joining),
        ),
    ),
    Plot(
        "Joins",
        "Players that came in, and players that were refused or gave up.",
        Dimension.COUNT,
        (Line("joined", Colour.FIRST, _joins_a_second), Line("failed", Colour.ALARM, _failures_a_second)),
        Shape.BARS,
        " a second",
    ),
    Plot(
        "Time to join",
        "From the POST of the offer to the SRTP keys, of the joins at that time.",
        Dimension.DURATION,
        _percentiles("join_s"),
    ),
    Plot(
        "Time to the first frame",
        "From the POST of the offer to the last packet of the first whole keyframe.",
        Dimension.DURATION,
        _percentiles("first_frame_s"),
    ),
    Plot(
        "Delay from the studio to the player",
        "From the studio's stamp in a frame to the frame's last packet, of the sampled players' frames.",
        Dimension.DURATION,
        _percentiles("delay_s"),
    ),
    Plot(
        "Loss",
        "Share of the packets that did not come, and of those that no retransmission brought either.",
        Dimension.SHARE,
        (
            Line("lost", Colour.FIRST, lambda step: shares.loss(step.media)),
            Line("never came", Colour.ALARM, lambda step: shares.residual_loss(step.media)),
        ),
    ),
    Plot(
        "Frames that could not be shown",
        "Share of the frames: not whole, or after one that was not; and of those that came whole but late.",
        Dimension.SHARE,
        (
            Line("not shown", Colour.ALARM, lambda step: shares.frames_not_shown(step.media)),
            Line("late", Colour.FIRST, lambda step: shares.frames_late(step.media)),
        ),
    ),
    Plot(
        "Freezes",
        "Pictures that stood still, counted at all players as a browser counts them.",
        Dimension.COUNT,
        (Line("freezes", Colour.ALARM, lambda step: shares.divided(step.media.freezes, step.seconds)),),
        Shape.BARS,
        " a second",
    ),
    Plot(
        "Longest time without a frame",
        "Of each player the longest gap between two frames: the median player's, and the worst one's.",
        Dimension.DURATION,
        (
            Line("median", Colour.FIRST, _quantile("gap_s", 0.5)),
            Line("p99", Colour.SECOND, _quantile("gap_s", 0.99)),
            Line("worst", Colour.THIRD, _longest("gap_s")),
        ),
    ),
    Plot(
        "Bitrate received",
        "By all players together, retransmissions included.",
        Dimension.RATE,
        (Line("all players", Colour.FIRST, _bitrate_bps),),
    ),
    Plot(
        "Bitrate a viewer",
        "The mean of those who watch: it sinks when the gateway no longer keeps up.",
        Dimension.RATE,
        (Line("mean", Colour.FIRST, _bitrate_a_viewer_bps),),
    ),
    Plot(
        "Time to the picture by LL-HLS",
        "From the request for the multivariant playlist to when a player begins to show.",
        Dimension.DURATION,
        _percentiles("hls_first_frame_s"),
        is_of_hls=True,
    ),
    Plot(
        "Live latency of LL-HLS",
        "How old what players show is, by PROGRAM-DATE-TIME.",
        Dimension.DURATION,
        _percentiles("hls_latency_s"),
        is_of_hls=True,
    ),
    Plot(
        "Delay from the studio to the picture by LL-HLS",
        "From the studio's stamp in a frame to when a player shows it, of the sampled players' frames.",
        Dimension.DURATION,
        _percentiles("hls_delay_s"),
        is_of_hls=True,
    ),
    Plot(
        "Requests by LL-HLS for what is there",
        "Playlists, init sections and listed parts: from sending the request to the last byte.",
        Dimension.DURATION,
        _percentiles("hls_request_s"),
        is_of_hls=True,
    ),
    Plot(
        "Requests by LL-HLS that wait for a part",
        "From the end of the part by PROGRAM-DATE-TIME to the last byte of the answer.",
        Dimension.DURATION,
        _percentiles("hls_lateness_s"),
        is_of_hls=True,
    ),
    Plot(
        "Requests by LL-HLS",
        "Of all players together, and those without an answer or with a status of 400 and above.",
        Dimension.COUNT,
        (
            Line("all", Colour.FIRST, lambda step: shares.divided(step.hls.requests, step.seconds)),
            Line("failed", Colour.ALARM, lambda step: shares.divided(step.hls.failures, step.seconds)),
        ),
        per=" a second",
        is_of_hls=True,
    ),
    Plot(
        "Round trip of a bet",
        "From sending a bet to its first answer.",
        Dimension.DURATION,
        _percentiles("bet_rtt_s"),
        is_of_signals=True,
    ),
    Plot(
        "Round trip of a ping over signals",
        "As the gateway measures it, and tells its players.",
        Dimension.DURATION,
        _percentiles("signal_rtt_s"),
        is_of_signals=True,
    ),
    Plot(
        "Bets",
        "Of all players together, and those that were not accepted, whatever the cause.",
        Dimension.COUNT,
        (
            Line("sent", Colour.FIRST, lambda step: shares.divided(step.signals.bets, step.seconds)),
            Line("not accepted", Colour.ALARM, _bets_not_accepted_a_second),
        ),
        per=" a second",
        is_of_signals=True,
    ),
    Plot(
        "CPU of the gateway",
        "Of one core: 100 % is a whole one.",
        Dimension.SHARE,
        (Line("gateway", Colour.FIRST, lambda step: step.gateway.cpu_share),),
    ),
    Plot(
        "Memory of the gateway",
        "Resident set of the process. The axis does not begin at 0.",
        Dimension.BYTES,
        (Line("gateway", Colour.FIRST, lambda step: step.gateway.rss_bytes),),
        begins_at_zero=False,
    ),
    Plot(
        "CPU of the load generator",
        "Of its busiest process: near 100 % of a core it measures itself.",
        Dimension.SHARE,
        (Line("busiest", Colour.SECOND, lambda step: step.generator.busiest_share),),
    ),
    Plot(
        "CPU time of the load generator a packet",
        "Of the players' processes, for each RTP packet that they received.",
        Dimension.CPU_A_PACKET,
        (Line("mean", Colour.SECOND, lambda step: shares.cpu_a_packet_s(step.generator)),),
    ),
)
