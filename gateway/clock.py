"""The one place that converts between monotonic, NTP and RTP time.

Inside railbird an instant is a monotonic time in seconds (`now_s`, a float), read once at the edge (socket, timer) and
passed down; nothing below `transport` reads a clock. NTP timestamps are UQ32.32 integers (RFC 5905 section 6).
"""

import time
from dataclasses import dataclass

NTP_UNIX_OFFSET_S = 2_208_988_800
"""Seconds from the NTP epoch (1900) to the Unix epoch (1970)."""

_UQ32 = 1 << 32


def monotonic_s() -> float:
    """The current monotonic time in seconds."""
    return time.monotonic()


def unix_s() -> float:
    """The current Unix time in seconds; for what the kernel stamps and tokens say, never for what we send."""
    return time.time()


@dataclass(frozen=True, slots=True)
class WallClock:
    """Monotonic time read as NTP time: one anchor for the life of the process, so that no NTP step reaches a viewer."""

    unix_minus_monotonic_s: float

    @classmethod
    def anchored(cls) -> "WallClock":
        """A clock anchored to the system's time now."""
        return cls(time.time() - time.monotonic())

    def unix_s(self, now_s: float) -> float:
        """Unix time in seconds of the monotonic instant `now_s`."""
        return now_s + self.unix_minus_monotonic_s

    def ntp(self, now_s: float) -> int:
        """UQ32.32 NTP timestamp of the monotonic instant `now_s`."""
        return ntp_from_unix(self.unix_s(now_s))


def ntp_from_unix(unix_s: float) -> int:
    """Unix time in seconds as UQ32.32 NTP timestamp."""
    return ntp_from_seconds(unix_s + NTP_UNIX_OFFSET_S)


def unix_from_ntp(ntp_timestamp: int) -> float:
    """Unix time in seconds of a UQ32.32 NTP timestamp of this era (until 2036)."""
    return ntp_timestamp / _UQ32 - NTP_UNIX_OFFSET_S


def ntp_from_seconds(seconds: float) -> int:
    """Seconds since 1900 as UQ32.32 modulo 2**64 (the NTP era is dropped)."""
    return int(seconds * _UQ32) & 0xFFFFFFFFFFFFFFFF


def ntp_difference_s(newer: int, older: int) -> float:
    """Signed seconds between two UQ32.32 timestamps less than 68 years apart."""
    ticks = (newer - older) & 0xFFFFFFFFFFFFFFFF
    if ticks >= 1 << 63:
        ticks -= 1 << 64
    return ticks / _UQ32


def ntp_middle32(ntp_timestamp: int) -> int:
    """The middle 32 bits, in units of 1/65536 s, as LSR, LRR and DLSR carry them (RFC 3550 section 6.4.1)."""
    return (ntp_timestamp >> 16) & 0xFFFFFFFF


def middle32_from_seconds(seconds: float) -> int:
    """A delay in seconds in units of 1/65536 s, saturated to 32 bits."""
    return min(max(int(seconds * 65536), 0), 0xFFFFFFFF)


def round_trip_s(now_middle32: int, last_report: int, delay_since_last_report: int) -> float | None:
    """Round-trip time in seconds from LSR and DLSR (RFC 3550 section 6.4.1); None when there is none or it is
    absurd."""
    if last_report == 0:
        return None
    round_trip = (now_middle32 - last_report - delay_since_last_report) & 0xFFFFFFFF
    # A peer that rounds up its delay yields a small negative number; a peer that lies yields nonsense. Neither is
    # a measurement.
    return round_trip / 65536 if round_trip < 60 * 65536 else None
