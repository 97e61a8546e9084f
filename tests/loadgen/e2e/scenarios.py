"""Scenarios of a few seconds, of which each test says what it is about."""

from typing import Any

Scenario = dict[str, Any]


def studio(name: str = "table-1", bitrate: str = "400kbps", **settings: Any) -> dict[str, Any]:
    """Studios whose picture is small and soon encoded; video alone, so that all that is lost can be retransmitted."""
    source = {"size": "320x180", "bitrate": bitrate, "keyframe_interval": "1s", "audio": False}
    return {"name": name, "source": source, **settings}


def players(count: int, name: str = "viewers", **settings: Any) -> dict[str, Any]:
    """Players that come at once, unless `settings` say otherwise."""
    return {"name": name, "count": count, **settings}


def scenario(duration: str, *groups: dict[str, Any], studios: tuple[dict[str, Any], ...] = (studio(),)) -> Scenario:
    """Without thresholds: tests give theirs by --threshold."""
    return {"name": "proof", "duration": duration, "studios": list(studios), "players": list(groups)}
