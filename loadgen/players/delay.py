"""How old a frame is when it is there, by what its studio wrote into it.

The stamp of our own studios (SEI) is of nanoseconds and in every frame; abs-capture-time is what other encoders send.
Both are of the studio's clock: across machines the figure is as true as their clocks agree.
"""

from collections.abc import Sequence

from gateway.clock import unix_from_ntp
from gateway.errors import WireError
from gateway.wire.header_extensions import parse_abs_capture_time, parse_extensions
from gateway.wire.rtp import parse_header
from loadgen.players.packet import Packet
from loadgen.studios.stamps import find_stamp


def frame_delay_s(packets: Sequence[Packet], now_s: float, capture_time_id: int | None) -> float | None:
    """From the studio's stamp to `now_s`; None when the frame has none. `capture_time_id` is the negotiated id of
    abs-capture-time."""
    stamp = find_stamp(packet.payload for packet in packets if packet.payload is not None)
    if stamp is not None:
        return now_s - stamp.unix_ns / 1e9
    return _capture_delay_s(packets[0], now_s, capture_time_id) if capture_time_id is not None else None


def _capture_delay_s(packet: Packet, now_s: float, capture_time_id: int) -> float | None:
    try:
        header = parse_header(packet.datagram)
        value = parse_extensions(header.extension_profile, header.extension).get(capture_time_id)
        if value is None:
            return None
        captured_unix_s = unix_from_ntp(parse_abs_capture_time(value).ntp_timestamp)
    except WireError:
        return None
    return now_s - captured_unix_s
