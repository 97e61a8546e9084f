"""Instants as playlists write them."""

from datetime import UTC, datetime


def date_time(unix_s: float) -> str:
    """ISO 8601 in UTC, with milliseconds: what EXT-X-PROGRAM-DATE-TIME and EXT-X-DATERANGE carry."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
