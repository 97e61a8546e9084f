"""What happens at the table, on the media's timeline: EXT-X-DATERANGE (draft-pantos-hls-rfc8216bis section 4.4.5.1).

Whoever knows of a round or a signal marks it here; both playlists then carry it for as long as they name media of its
time.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.errors import MisuseError
from gateway.hls.clock_text import date_time

MAX_DATE_RANGES = 64
"""Of a stream at a time: two rounds a second for a whole window. Beyond it the oldest go."""

MAX_ATTRIBUTES = 16
"""Of a range, over all that is said of it."""

_NO_TEXT = r"\"\x00-\x1f\x7f-\x9f\ud800-\udfff"
_ID = re.compile(rf"[^{_NO_TEXT}]{{1,128}}")
_ATTRIBUTE = re.compile(r"X-[A-Z0-9-]{1,64}")
_QUOTED = re.compile(rf"[^{_NO_TEXT}]{{1,512}}")
_YEAR_9999_S = 253_402_300_000


@dataclass(frozen=True, slots=True)
class DateRange:
    """One range. `attributes` are named X-...; a text goes out quoted, a number as it is.

    MisuseError for what the tag cannot say.
    """

    range_id: str
    range_class: str
    start_unix_s: float
    duration_s: float | None = None
    planned_duration_s: float | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.range_id) or not _ID.fullmatch(self.range_class):
            raise MisuseError(f"{self.range_id!r} of class {self.range_class!r} is no date range")
        if len(self.attributes) > MAX_ATTRIBUTES:
            raise MisuseError(f"{self.range_id!r} has {len(self.attributes)} attributes")
        for name, value in self.attributes.items():
            if not _ATTRIBUTE.fullmatch(name) or not _is_writable(value):
                raise MisuseError(f"{name!r} is no attribute of a date range, or its value cannot be written")
        if not 0 <= self.start_unix_s < _YEAR_9999_S:
            raise MisuseError(f"{self.start_unix_s} is no time at which a date range can start")
        for seconds in (self.duration_s, self.planned_duration_s):
            if seconds is not None and not 0 <= seconds < math.inf:
                raise MisuseError(f"a date range cannot last {seconds} s")

    @property
    def end_unix_s(self) -> float:
        """Its end as far as it is known; the start of one without a duration."""
        return self.start_unix_s + max(self.duration_s or 0.0, self.planned_duration_s or 0.0)

    def tag(self) -> str:
        """The line of the playlist."""
        fields = [
            f'ID="{self.range_id}"',
            f'CLASS="{self.range_class}"',
            f'START-DATE="{date_time(self.start_unix_s)}"',
        ]
        if self.duration_s is not None:
            fields.append(f"DURATION={self.duration_s:.3f}")
        if self.planned_duration_s is not None:
            fields.append(f"PLANNED-DURATION={self.planned_duration_s:.3f}")
        for name, value in self.attributes.items():
            fields.append(f"{name}={_written(value)}")
        return "#EXT-X-DATERANGE:" + ",".join(fields)


def _is_writable(value: str | float) -> bool:
    return _QUOTED.fullmatch(value) is not None if isinstance(value, str) else math.isfinite(value)


def _written(value: str | float) -> str:
    """Quoted, or decimal without an exponent (section 4.2)."""
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:d}" if isinstance(value, int) else f"{value:.6f}"


@dataclass(slots=True)
class _Marked:
    date_range: DateRange
    marked_s: float


def _said_more(before: DateRange, date_range: DateRange) -> DateRange:
    """`before`, with what `date_range` says that it did not."""
    planned_s = date_range.planned_duration_s if before.planned_duration_s is None else before.planned_duration_s
    return replace(
        before,
        duration_s=date_range.duration_s if before.duration_s is None else before.duration_s,
        planned_duration_s=planned_s,
        attributes={**date_range.attributes, **before.attributes},
    )


class DateRanges:
    """The ranges of one stream. They live as long as the stream, whether or not it is packaged now."""

    def __init__(self) -> None:
        self.version = 0
        """Grows with each change."""
        self._marked: dict[str, _Marked] = {}
        self._removed: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._marked)

    def mark(self, date_range: DateRange, now_s: float) -> None:
        """Add a range, or say more of one that is there: its end. What was said of it before stays said (rule of equal
        values, section 4.4.5.1)."""
        before = self._marked.get(date_range.range_id)
        if before is not None:
            date_range = _said_more(before.date_range, date_range)
        self._removed = [(when_s, name) for when_s, name in self._removed if name != date_range.range_id]
        self._marked[date_range.range_id] = _Marked(date_range, now_s)
        while len(self._marked) > MAX_DATE_RANGES:
            self._remove(next(iter(self._marked)), now_s)
        self.version += 1

    def forget_before(self, unix_s: float, now_s: float, remembered_s: float) -> None:
        """Drop ranges that ended before `unix_s`, where the playlists begin; who asks for a delta update within
        `remembered_s` is told of it."""
        for range_id in [name for name, each in self._marked.items() if each.date_range.end_unix_s < unix_s]:
            self._remove(range_id, now_s)
        self._removed = [(when_s, name) for when_s, name in self._removed if now_s - when_s <= remembered_s]

    def tags(self, marked_after_s: float = -math.inf) -> list[str]:
        """The lines of all ranges; for a delta update of those that were marked since."""
        return [each.date_range.tag() for each in self._marked.values() if each.marked_s >= marked_after_s]

    def recently_removed(self) -> str:
        """Their ids, as EXT-X-SKIP lists them (section 4.4.5.2)."""
        return "\t".join(name for _when_s, name in self._removed)

    def _remove(self, range_id: str, now_s: float) -> None:
        del self._marked[range_id]
        self._removed.append((now_s, range_id))
        del self._removed[:-MAX_DATE_RANGES]
        self.version += 1
