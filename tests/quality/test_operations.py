"""The operators' answer; its shape over HTTP is in tests/http/test_qos.py."""

import json
from typing import Any

from gateway.clock import WallClock
from gateway.hub.collector import GatewayCollector
from gateway.quality.operations import KEPT_S, Operations
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from tests.quality.streams import Sampled


def operating(sampled: Sampled) -> Operations:
    """As `app.py` builds it."""
    hub = sampled.desk.hub
    return Operations(hub, sampled.quality, sampled.process, GatewayCollector(hub).process_samples, WallClock(0.0))


async def told(operations: Operations, now_s: float, *names: str) -> Any:
    """The answer, read."""
    return json.loads(await operations.report_text(now_s, names))


async def test_drops_are_told_by_leg_and_reason_of_the_stream(sampled: Sampled) -> None:
    for name, frames in (("one", 5), ("other", 7)):
        sampled.desk.studio(name)
        sampled.desk.stream(name).figures.drop_frames("overload", frames)
    details = (await told(operating(sampled), sampled.now_s, "one", "other"))["details"]
    assert [details[name]["frames_dropped"]["egress"]["overload"] for name in ("one", "other")] == [5, 7]


async def test_what_was_read_is_told_again_for_a_second_and_not_longer(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.frames(1)
    operations, now_s = operating(sampled), sampled.now_s
    before = await told(operations, now_s, "table")
    sampled.desk.player()
    sampled.desk.stream().figures.drop_frames("overload", 5)
    assert await told(operations, now_s + KEPT_S * 0.9, "table") == before
    after = await told(operations, now_s + KEPT_S, "table")
    assert after["streams"][0]["viewers_webrtc"] == 1
    assert after["details"]["table"]["frames_dropped"]["egress"]["overload"] == 5


async def test_stream_that_goes_while_its_details_are_written_is_told_as_gone(sampled: Sampled) -> None:
    publisher = sampled.desk.studio()
    sampled.tick(3)
    writing = operating(sampled).report_text(sampled.now_s, ["table"])
    writing.send(None)  # as far as to where others have their turn
    publisher.session.close("left")
    sampled.desk.registry.close_abandoned(publisher.last_media_s + 1e6, 60.0)
    sampled.tick()
    try:
        while True:
            writing.send(None)
    except StopIteration as ended:
        report = json.loads(ended.value)
    assert report["details"]["table"]["tracks"] == []
    assert report["history"]["streams"] == {}


async def test_report_is_json_whatever_a_studio_gave_as_result(sampled: Sampled) -> None:
    rounds = sampled.desk.hub.play.rounds
    for state in (RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED):
        rounds.command("table", Command(state, "one"), 0.0)
    rounds.command("table", Command(RoundState.RESULT, "one", result={"winner": ["banker", 7]}), 0.0)
    report = await told(operating(sampled), sampled.now_s, "table")
    (row,) = report["details"]["table"]["rounds"]["open"]
    assert (row["state"], row["result"]) == ("result", {"winner": ["banker", 7]})
