"""Scenarios of a few seconds, of which each test says what it is about."""

from typing import Any

from loadgen.scenario.loading import load

Scenario = dict[str, Any]

ROOM = {"join_p95": "join_p95 < 5s", "first_frame_p95": "first_frame_p95 < 10s", "freeze_ratio": "freeze_ratio < 20%"}
"""One moment in which a busy machine's studio or server waits for a core is a freeze of all players at once."""


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


def roomy_thresholds(name: str) -> list[str]:
    """Those of a ready scenario, its times with room for a busy machine's own."""
    return [ROOM.get(threshold.split()[0], threshold) for threshold in load(name).thresholds]
