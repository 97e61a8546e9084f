"""How often somebody may: token buckets by key, in bounded memory. Pure."""

from collections import OrderedDict

MAX_KEYS = 100_000
"""Beyond it the ones that were quiet the longest start afresh: some 20 MB."""

BURST_S = 2.0
"""What may come at once: this many seconds' worth."""


class Rates:
    """Each key may do something `per_s` times a second on average, and BURST_S times as often in a burst."""

    def __init__(self, per_s: float, max_keys: int = MAX_KEYS) -> None:
        self._per_s = per_s
        self._burst = max(per_s * BURST_S, 1.0)
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """key -> (what is left, when that was so)."""

    def __len__(self) -> int:
        return len(self._buckets)

    def allows(self, key: str, now_s: float) -> bool:
        """Whether `key` may now; if so, it is counted. A time before that of the last call is taken for that one: what
        comes by several ways does not come in order."""
        left, then_s = self._buckets.get(key, (self._burst, now_s))
        newest_s = max(then_s, now_s)
        left = min(left + (newest_s - then_s) * self._per_s, self._burst)
        is_allowed = left >= 1
        self._buckets[key] = (left - 1 if is_allowed else left, newest_s)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return is_allowed
