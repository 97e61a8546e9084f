"""The sampler: streams that come and go, what is exported, what is told."""

import asyncio
import json
from itertools import pairwise

from gateway.metrics import FAMILIES
from gateway.quality.history import POINT_S
from gateway.quality.report import NOTHING_SEEN, glance
from gateway.quality.sampler import EDGE_COLUMNS, TICK_S
from qos.windows import SPANS
from tests.quality.streams import Sampled


async def test_stream_is_sampled_from_its_second_tick_on(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.frames(5)
    sampled.tick()
    assert sampled.quality.streams["table"].total("1m").window_ms == 0
    sampled.frames(30)
    sampled.tick()
    total = sampled.quality.streams["table"].total("1m")
    assert (total.ingest_frames, total.window_ms) == (30, 1000)


async def test_player_is_counted_as_watching_and_its_frames_as_due(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.frames(1)
    sampled.desk.player()
    sampled.tick()
    sampled.frames(25)
    sampled.tick()
    total = sampled.quality.streams["table"].total("1m")
    assert (total.viewers, total.egress_frames, total.egress_dropped) == (1, 25, 0)
    assert total.dropped_share == 0


async def test_stream_that_is_gone_is_forgotten_and_one_of_its_name_begins_anew(sampled: Sampled) -> None:
    publisher = sampled.desk.studio()
    sampled.frames(5)
    sampled.tick(3)
    before = sampled.quality.streams["table"]
    publisher.session.close("left")
    sampled.desk.registry.close_abandoned(publisher.last_media_s + 1e6, 60.0)
    sampled.tick()
    assert sampled.quality.streams == {}
    sampled.desk.studio()
    sampled.tick(2)
    assert sampled.quality.streams["table"] is not before


async def test_round_trip_of_a_stream_that_is_not_there_is_ignored(sampled: Sampled) -> None:
    sampled.quality.note_round_trip("nobody", 0.1)
    assert sampled.quality.streams == {}


async def test_points_come_each_five_seconds_and_streams_take_turns(sampled: Sampled) -> None:
    names = [f"table-{number}" for number in range(7)]
    for name in names:
        sampled.desk.studio(name)
    sampled.tick(31)
    assert len(sampled.quality.history) == 6
    reports = {name: sampled.quality.streams[name].history.report() for name in names}
    times = {name: [float(each or 0) for each in report["at_unix_s"]] for name, report in reports.items()}
    for of_stream in times.values():
        assert {later - earlier for earlier, later in pairwise(of_stream)} == {POINT_S}
    assert len({of_stream[0] for of_stream in times.values()}) == POINT_S / TICK_S


async def test_edge_history_has_its_columns_and_the_process(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.frames(1)
    sampled.desk.player()
    sampled.tick(2)
    sampled.process.note_lag(0.25)
    sampled.tick(10)
    report = sampled.quality.history.report()
    assert tuple(report) == ("at_unix_s", *EDGE_COLUMNS)
    assert report["streams"][-1] == 1
    assert report["viewers_webrtc"][-1] == 1
    assert report["sessions"][-1] == 2
    assert 250 in report["loop_lag_max_ms"]


async def test_stream_without_data_exports_no_score(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.tick(3)
    names = {name for name, _, _ in sampled.quality.samples()}
    assert names == {"railbird_frames_due_total"}


async def test_samples_are_those_of_their_families_in_every_window(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.tick()
    sampled.frames(30)
    sampled.quality.note_round_trip("table", 0.46)
    sampled.tick(5)
    told = list(sampled.quality.samples())
    for name, labels, _ in told:
        assert len(labels) == len(FAMILIES[name].labels)
    scores = {labels[1]: value for name, labels, value in told if name == "railbird_qos_score"}
    assert scores.keys() == {span.name for span in SPANS}
    assert 79 < scores["1m"] < 81
    edge = {labels[0]: value for name, labels, value in told if name == "railbird_qos_edge_score"}
    assert edge == scores
    lost = {labels[2]: value for name, labels, value in told if name == "railbird_qos_points_lost"}
    assert lost.keys() == {"signal_rtt", "frames_dropped", "packets_lost"}, "terms without data have no sample"


async def test_report_is_as_new_as_the_last_tick(sampled: Sampled) -> None:
    """What is kept so that it need not be written twice is written anew when it has changed."""
    sampled.desk.studio()
    sampled.tick()
    for _ in range(12):
        sampled.frames(30)
        sampled.tick()
        (stream,) = json.loads(await sampled.quality.report_text())["streams"]
        quality = sampled.quality.streams["table"]
        told = [window["measured"]["frames"]["ingest"]["frames"] for window in stream["windows"].values()]
        assert told == [quality.total(span.name).ingest_frames for span in SPANS]


async def test_due_and_dropped_frames_of_a_leg_make_a_share(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.frames(1)
    sampled.tick()
    sampled.frames(30)
    sampled.desk.stream().figures.drop_frames("overload", 12)
    sampled.tick()
    due = {labels: value for name, labels, value in sampled.quality.samples() if name == "railbird_frames_due_total"}
    assert due == {("table", "ingest"): 30, ("table", "egress"): 12, ("table", "player"): 0}


async def test_glance_and_edge_are_those_of_the_last_point(sampled: Sampled) -> None:
    sampled.desk.studio()
    sampled.tick()
    assert sampled.quality.glance("table") == NOTHING_SEEN
    sampled.quality.note_round_trip("table", 0.46)
    sampled.tick(round(POINT_S))
    assert sampled.quality.glance("table") == glance(sampled.quality.streams["table"])
    assert sampled.quality.glance("table")["worst_term"] == "signal_rtt"
    assert sampled.quality.edge["worst_stream"] == "table"


async def test_report_that_is_being_written_lets_others_have_their_turn_and_is_written_once(sampled: Sampled) -> None:
    names = [f"table-{number}" for number in range(5)]
    for name in names:
        sampled.desk.studio(name)
    sampled.tick()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    one, other = await asyncio.gather(sampled.quality.report_text(), sampled.quality.report_text())
    running.cancel()
    assert one is other
    assert [each["stream"] for each in json.loads(one)["streams"]] == names
    assert turns >= len(names)
