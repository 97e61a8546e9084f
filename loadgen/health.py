"""Whether the load generator keeps up. When it does not, its players see its own doing, and there is no verdict."""

import math

from loadgen.figures import Generator, Interval
from loadgen.report import wording

BUSY_SHARE = 0.95
"""Of a core: from here on a process has no time left for what comes at once."""

LATE_S = 0.25
"""How late a round of reading may begin. Nothing is mistimed by it (the kernel has stamped what waits), but NACKs,
handshakes and goodbyes wait as long, and sockets fill up."""

UNSTAMPED_LATE_S = 0.1
"""The same where there are players by LL-HLS, or signals over a WebSocket: no kernel stamps their answers, so that
whatever is late here is in their figures. It is half a part."""

TOLERATED_SHARE = 0.05
"""Of the intervals: the peak of a storm may take all there is for a moment."""


def falls_behind(generator: Generator) -> str | None:
    """Why it did not keep up in one interval, in words; None when it did."""
    if generator.kernel_drops:
        return f"falls behind: its sockets lost {wording.plural(generator.kernel_drops, 'read')}"
    if generator.busiest_share >= BUSY_SHARE:
        return f"falls behind: a core is {wording.share(generator.busiest_share)} full"
    if generator.lateness_s >= _late_s(generator):
        return f"falls behind: {wording.duration(generator.lateness_s)} late"
    return None


def _late_s(generator: Generator) -> float:
    return UNSTAMPED_LATE_S if generator.hls_requests or generator.websocket_messages else LATE_S


class Health:
    """Of a whole run: fed with its intervals."""

    def __init__(self) -> None:
        self._intervals = 0
        self._busy = 0
        self._late = 0
        self._kernel_drops = 0
        self._worst_lateness_s = 0.0
        self._late_s = LATE_S

    def on_interval(self, interval: Interval) -> None:
        """One more is over."""
        generator = interval.generator
        self._intervals += 1
        self._busy += generator.busiest_share >= BUSY_SHARE
        late_s = _late_s(generator)
        self._late_s = min(self._late_s, late_s)
        # One that was held up for some seconds says so once, and was late in all of them.
        self._late += math.ceil(generator.lateness_s) if generator.lateness_s >= late_s else 0
        self._kernel_drops += generator.kernel_drops
        self._worst_lateness_s = max(self._worst_lateness_s, generator.lateness_s)

    def complaints(self) -> list[str]:
        """Why no verdict can be given, a sentence each; empty when the generator kept up."""
        tolerated = max(1, round(self._intervals * TOLERATED_SHARE))
        complaints = []
        if self._kernel_drops:
            lost = wording.plural(self._kernel_drops, "packet")
            complaints.append(f"The load generator lost {lost} in its own sockets, which it was too slow to read.")
        if self._busy > tolerated:
            complaints.append(
                f"A process of the load generator had used up its core in {self._busy} of {self._intervals} intervals."
            )
        if self._late > tolerated:
            complaints.append(
                f"The load generator read {wording.duration(self._late_s)} late or later in {self._late} of "
                f"{self._intervals} intervals, {wording.duration(self._worst_lateness_s)} at worst."
            )
        return complaints
