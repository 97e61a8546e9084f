"""The operators' answer; its shape over HTTP is in tests/http/test_qos.py."""

import json

from gateway.clock import WallClock
from gateway.hub.collector import GatewayCollector
from gateway.quality.operations import Operations
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from tests.quality.streams import Sampled


def operating(sampled: Sampled) -> Operations:
    """As `app.py` builds it."""
    hub = sampled.desk.hub
    collector = GatewayCollector(hub, [hub.rounds.samples, hub.signals.samples, sampled.quality.samples])
    return Operations(hub, sampled.quality, sampled.process, collector.samples, WallClock(0.0))


async def test_streams_with_most_viewers_are_drawn_first(sampled: Sampled) -> None:
    for name in ("a-empty", "b-full"):
        sampled.desk.studio(name)
    sampled.frames(1, "b-full")
    sampled.desk.player("b-full")
    sampled.tick(3)
    history = operating(sampled).report(sampled.now_s)["history"]
    assert list(history["streams"]) == ["b-full", "a-empty"]


async def test_drops_are_told_by_leg_and_reason_of_a_stream_and_of_all(sampled: Sampled) -> None:
    for name in ("one", "other"):
        sampled.desk.studio(name)
        sampled.desk.stream(name).figures.drop_frames("overload", 5)
    report = operating(sampled).report(sampled.now_s)
    assert report["frames_dropped"]["egress"]["overload"] == 10
    assert [stream["frames_dropped"]["egress"]["overload"] for stream in report["streams"]] == [5, 5]


async def test_report_is_json_whatever_a_studio_gave_as_result(sampled: Sampled) -> None:
    rounds = sampled.desk.hub.rounds
    for state in (RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED):
        rounds.command("table", Command(state, "one"), 0.0)
    rounds.command("table", Command(RoundState.RESULT, "one", result={"winner": ["banker", 7]}), 0.0)
    report = json.loads(json.dumps(operating(sampled).report(sampled.now_s), allow_nan=False))
    (row,) = report["streams"][0]["rounds"]["open"]
    assert (row["state"], row["result"]) == ("result", {"winner": ["banker", 7]})
