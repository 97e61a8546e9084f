"""What one player's requests came to, since it was last asked."""

from collections import Counter
from dataclasses import dataclass, field

from loadgen.figures import HlsCounts, Interval, MediaCounts
from loadgen.hls.fetcher import Answer


@dataclass(slots=True)
class Ledger:
    """Filled by a player's renditions, emptied into intervals."""

    counts: HlsCounts = field(default_factory=HlsCounts)
    media: MediaCounts = field(default_factory=MediaCounts)
    failures: Counter[str] = field(default_factory=Counter)
    broken_rules: Counter[str] = field(default_factory=Counter)
    requests_s: list[float] = field(default_factory=list)
    latenesses_s: list[float] = field(default_factory=list)

    def on_answer(self, answer: Answer) -> None:
        """Any, good or not."""
        self.counts.requests += 1
        self.media.bytes += len(answer.body)
        if not answer.is_good:
            self.counts.failures += 1
            self.failures[f"http_{answer.status}"] += 1

    def on_no_answer(self, cause: str) -> None:
        """A request came to nothing."""
        self.counts.requests += 1
        self.counts.failures += 1
        self.failures[cause] += 1

    def on_request(self, answer: Answer) -> None:
        """It was for something that was there: how long it took is the server's doing."""
        self.requests_s.append(answer.arrived_s - answer.sent_s)

    def on_awaited(self, answer: Answer, end_unix_s: float | None) -> None:
        """It brought, or listed, the next part, which ended then by PROGRAM-DATE-TIME. A player that was held up asks
        later: that is in it, or a server that is late with everything would look better for it."""
        if end_unix_s is not None:
            self.latenesses_s.append(answer.arrived_s - end_unix_s)

    def on_playlist_error(self, rule: str) -> None:
        """A rule that was broken."""
        self.counts.playlist_errors += 1
        self.broken_rules[rule] += 1

    def on_watched(self, seconds: float) -> None:
        """So long, stalls among it."""
        self.counts.watched_s += seconds
        self.media.watched_s += seconds

    def on_stalls(self, stalls: int, stalled_s: float) -> None:
        """To who watches, a stall is a freeze."""
        self.counts.stalls += stalls
        self.counts.stalled_s += stalled_s
        self.media.freezes += stalls
        self.media.frozen_s += stalled_s

    def take(self, interval: Interval, stream: str) -> tuple[MediaCounts, HlsCounts]:
        """Add all of it to `interval`, and begin anew; the counts, for the session's own record."""
        media, counts = self.media.take(), self.counts.take()
        interval.media.setdefault(stream, MediaCounts()).add(media)
        interval.hls.setdefault(stream, HlsCounts()).add(counts)
        interval.hls_failures.update(self.failures)
        interval.broken_rules.update(self.broken_rules)
        interval.generator.hls_requests += counts.requests
        for distribution, values_s in (
            (interval.hls_request_s, self.requests_s),
            (interval.hls_lateness_s, self.latenesses_s),
        ):
            for value_s in values_s:
                distribution.add(value_s)
            values_s.clear()
        self.failures.clear()
        self.broken_rules.clear()
        return media, counts
