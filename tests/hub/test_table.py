"""Rounds on the media's timeline, in the ledger and in the log."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.config import RoundSettings
from gateway.hls.playlist import Skip
from gateway.hub.table import ROUND_CLASS, Tables, date_range, video_timestamps
from gateway.rounds.causes import AbortCause
from gateway.rounds.description import describe_in_full
from gateway.rounds.request import parse_command
from gateway.rounds.round import Round
from gateway.rounds.rounds import Command, Rounds
from gateway.rounds.states import RoundState
from tests.hls.content import WALL
from tests.hls.presentations_bench import PresentationsBench
from tests.rounds.stand import Stand
from tests.stream.doubles import OPUS

FRAME_S = 1 / 30
MILLISECOND_S = 0.001
"""What playlists cut times to."""


class InPlay:
    """A table that is watched by LL-HLS from its first frame on, and its rounds."""

    def __init__(self, way_s: float = 0.02, skew_s: float = 3600.0) -> None:
        self.bench = PresentationsBench()
        self.records: list[tuple[str, dict[str, Any], float]] = []
        self.frames: list[int] = []
        """RTP timestamps, as players receive them."""
        self.rounds = Rounds(RoundSettings(), WALL, video_timestamps(self.bench.registry, WALL))
        self.rounds.listeners.append(Tables(self.bench.presentations, self._record).on_round)
        studio = self.bench.publish("table", skew_s=skew_s)
        studio.delay_s = way_s
        studio.after_packet = self._after_packet
        self.began_s = self.bench.now_s
        self.presentation = self.bench.open()

    def _record(self, kind: str, record: Mapping[str, Any], now_s: float) -> None:
        self.records.append((kind, dict(record), now_s))

    def _after_packet(self, now_s: float) -> None:
        self.bench.presentations.pump(now_s)
        stream = self.bench.registry.stream("table")
        assert stream is not None
        cache = stream.tracks["video"].cache
        newest = cache.packet(cache.next_index - 1)
        if newest is not None and newest.timestamp not in self.frames:
            self.frames.append(newest.timestamp)

    def say(self, state: str, at_s: float | None = None) -> Round:
        """The studio's word arrives, now or at that time."""
        at_s = self.bench.now_s if at_s is None else at_s
        return self.rounds.command("table", Command(RoundState(state), "r-1"), at_s)

    def playlist(self) -> list[str]:
        """The lines of the video's."""
        return self.presentation.playlist("video", Skip.NOTHING, self.bench.now_s).plain.decode().splitlines()

    def ranges(self) -> dict[str, str]:
        """The tags of the playlist by their ID."""
        tags = [line for line in self.playlist() if line.startswith("#EXT-X-DATERANGE:")]
        return {tag.split('"')[1]: tag for tag in tags}

    def stop(self) -> None:
        """Nobody watches any more."""
        self.bench.presentations.stop()


@pytest.fixture
async def in_play() -> AsyncIterator[InPlay]:
    in_play = InPlay()
    yield in_play
    in_play.stop()


# Date ranges


def test_step_is_a_range_of_its_own() -> None:
    stand = Stand()
    told = stand.say("betting_open", "r-1", closes_in_s=10.0)
    assert date_range(told).tag() == (
        '#EXT-X-DATERANGE:ID="r-1/betting_open",CLASS="railbird.round",START-DATE="2026-09-21T14:30:00.000Z",'
        'X-ROUND-ID="r-1",X-STATE="betting_open",X-CLOSES-AT="2026-09-21T14:30:10.000Z"'
    )
    stand.wait(10.0)
    assert (
        date_range(told)
        .tag()
        .endswith('START-DATE="2026-09-21T14:30:10.000Z",X-ROUND-ID="r-1",X-STATE="betting_closed"')
    )
    stand.rounds.abort("table", "r-1", AbortCause.INGEST_LOSS, {"lossShare": 0.3}, stand.now_s)
    assert date_range(told).tag().endswith('X-STATE="aborted",X-CAUSE="ingest_loss"')


@pytest.mark.parametrize("round_id", ["r", "r" * 64, "A-z_0.9:1", "::", "-"])
def test_every_name_that_a_round_may_have_can_be_written(round_id: str) -> None:
    command = parse_command(f'{{"state":"betting_open","roundId":"{round_id}"}}')
    told = Stand().say("betting_open", command.round_id)
    assert f'ID="{round_id}/betting_open"' in date_range(told).tag()


async def test_whole_round_is_on_the_timeline(in_play: InPlay) -> None:
    in_play.bench.run(4.0)
    for state in ("scheduled", "betting_open", "betting_closed", "result", "settled"):
        in_play.say(state, in_play.bench.now_s)
        in_play.bench.run(0.5)
    ranges = in_play.ranges()
    assert list(ranges) == [f"r-1/{state.value}" for state in RoundState if state is not RoundState.ABORTED]
    assert all(f'CLASS="{ROUND_CLASS}"' in tag and 'X-ROUND-ID="r-1"' in tag for tag in ranges.values())


# The right frame


def _unix_s(tag: str, name: str) -> float:
    found = re.search(rf'{name}[=:]"?([0-9T:.-]+Z)', tag)
    assert found is not None
    return datetime.fromisoformat(found[1]).timestamp()


def _frame_at(lines: list[str], unix_s: float) -> int:
    """Which frame of the playlist, counted from its first, is shown at that time, as a player finds it: by the date of
    its segment and the durations of the parts in it."""
    frames, found = 0, -1
    for line in lines:
        if line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            part_unix_s = _unix_s(line, "TIME")
        if line.startswith("#EXT-X-PART:"):
            duration_s = float(line.partition("DURATION=")[2].partition(",")[0])
            if part_unix_s - MILLISECOND_S <= unix_s < part_unix_s + duration_s - MILLISECOND_S:
                found = frames + int((unix_s - part_unix_s + MILLISECOND_S) / FRAME_S)
            part_unix_s += duration_s
            frames += round(duration_s / FRAME_S)
    assert found >= 0, "the playlist has media of that time"
    return found


def _frame_of(timestamps: list[int], rtp_timestamp: int) -> int:
    """The newest frame that is not past the timestamp, as a page finds it; a millisecond is forgiven."""
    past = [(rtp_timestamp + 90 - each) % (1 << 32) for each in timestamps]
    return max(number for number, ticks in enumerate(past) if ticks < 1 << 31)


@pytest.mark.parametrize("skew_s", [0.0, -7200.0])
@pytest.mark.parametrize("way_s", [0.02, 0.25])
@pytest.mark.parametrize("frames", [60.0, 61.0, 74.5, 89.9, 100.25])
async def test_no_more_bets_is_at_the_frame_that_the_studio_sent_then(
    way_s: float, skew_s: float, frames: float
) -> None:
    """By LL-HLS its START-DATE, by WebRTC its RTP timestamp; whatever the studio's clock says, and however far it is.

    The studio says it after so many frames, by a request that takes as long as its packets.
    """
    in_play = InPlay(way_s, skew_s)
    in_play.bench.run(1.0)
    in_play.say("betting_open")
    said_s = in_play.began_s + frames * FRAME_S
    while in_play.bench.now_s < said_s + way_s:
        in_play.bench.run(0.25)
    closed = in_play.say("betting_closed", said_s + way_s)
    in_play.bench.run(0.75)
    rtp_timestamp = closed.steps[-1].rtp_timestamp
    assert rtp_timestamp is not None
    assert _frame_of(in_play.frames, rtp_timestamp) == int(frames)
    assert _frame_at(in_play.playlist(), _unix_s(in_play.ranges()["r-1/betting_closed"], "START-DATE")) == int(frames)
    in_play.stop()


async def test_round_of_a_stream_without_video_has_no_frame() -> None:
    bench = PresentationsBench()
    bench.publish("table", OPUS)
    rounds = Rounds(RoundSettings(), WALL, video_timestamps(bench.registry, WALL))
    for stream in ("table", "gone"):
        told = rounds.command(stream, Command(RoundState.BETTING_OPEN), bench.now_s)
        assert told.steps[0].rtp_timestamp is None
    bench.presentations.stop()


# The record


async def test_round_is_recorded_once_at_its_end(in_play: InPlay) -> None:
    in_play.bench.run(1.0)
    for state in ("betting_open", "betting_closed", "result"):
        in_play.say(state)
    assert in_play.records == []
    settled = in_play.say("settled")
    in_play.say("settled")
    assert in_play.records == [("round", describe_in_full(settled), in_play.bench.now_s)]


async def test_aborted_round_is_recorded_with_its_evidence(in_play: InPlay) -> None:
    in_play.bench.run(1.0)
    in_play.say("betting_open").bets = 3
    evidence = {"pictureGapMs": 2100}
    in_play.rounds.abort("table", "r-1", AbortCause.ENCODER_STALLED, evidence, in_play.bench.now_s)
    ((_, record, _),) = in_play.records
    assert (record["cause"], record["evidence"], record["bets"]) == ("encoder_stalled", evidence, 3)


async def test_rounds_are_logged_without_a_record() -> None:
    bench = PresentationsBench()
    rounds = Rounds(RoundSettings(), WALL)
    rounds.listeners.append(Tables(bench.presentations).on_round)
    with capture_logs() as logs:
        rounds.command("table", Command(RoundState.BETTING_OPEN, "r-1"), bench.now_s)
        rounds.abort("table", "r-1", AbortCause.POLICY, {"stream": "a name that logs have, too"}, bench.now_s)
    assert [(line["event"], line["stream"], line["round_id"], line["state"]) for line in logs] == [
        ("round", "table", "r-1", "betting_open"),
        ("round", "table", "r-1", "aborted"),
    ]
    assert logs[1]["evidence"] == {"stream": "a name that logs have, too"}
    bench.presentations.stop()
