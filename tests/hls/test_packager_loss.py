"""A stream on a lossy path becomes LL-HLS, on virtual time: what NACK repairs leaves no trace in it."""

import random

import pytest

from gateway.config import HlsSettings
from gateway.hls.packager import Packager
from tests.hls.content import continuous, opus_second, run_at_once, video_format
from tests.virtual.link import Conditions
from tests.virtual.studio import StudioSettings
from tests.virtual.table import Table

PUMP_S = 0.01
FRAGMENT_BYTES = 1100


def draw_payloads(_mime: str, _studio: int, frame: int, is_keyframe: bool, chance: random.Random) -> list[bytes]:
    """A picture as browsers send it: parameter sets that parse, then fragments of one slice (RFC 6184 section 5.8)."""
    form = video_format()
    sets = [*form.sps, *form.pps] if is_keyframe else []
    indicator, header = (0x7C, 0x05) if is_keyframe else (0x5C, 0x01)
    count = chance.randint(10, 18) if is_keyframe else chance.randint(2, 8)
    body = frame.to_bytes(4, "big") + bytes(FRAGMENT_BYTES - 4)
    flags = [0x80, *[0] * (count - 2), 0x40]
    return sets + [bytes((indicator, header | flag)) + body for flag in flags]


@pytest.fixture(autouse=True)
def real_media(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.virtual.studio.draw_payloads", draw_payloads)
    monkeypatch.setattr("tests.virtual.studio.draw_audio", lambda _studio, number, _chance: opus_second()[number % 50])


def packaged(table: Table) -> Packager:
    """What packages the stream of `table` from now on."""
    stream, scheduler = table.gateway.stream, table.scheduler
    packager = Packager(stream, HlsSettings(), run_at_once, lambda: None)
    scheduler.every(PUMP_S, lambda: packager.pump(scheduler.now_s))
    return packager


def pictures(packager: Packager) -> list[int]:
    """The numbers of all pictures in the window, as the studio drew them."""
    chunks = continuous(part.payload for segment in packager.video.segments for part in segment.parts)
    return [int.from_bytes(entry.payload[5:9], "big") for chunk in chunks for entry in chunk.entries]


@pytest.mark.parametrize("seed", range(4))
def test_loss_that_is_repaired_breaks_nothing(seed: int) -> None:
    table = Table(seed, ingest=Conditions(loss=0.05, reordering=0.05, duplication=0.02))
    seat = table.add_studio(StudioSettings(seed=seed, keyframe_every=60))
    packager = packaged(table)
    table.run(14.0)
    assert seat.up.lost > 50
    assert packager.breaks == 0
    assert packager.reader is not None
    numbers = pictures(packager)
    assert numbers == sorted(set(numbers))
    # A packet whose repair was lost three times over comes too late, and costs pictures up to the keyframe asked for.
    missing = numbers[-1] + 1 - numbers[0] - len(numbers)
    assert missing <= 15 * packager.reader.incomplete <= 15
    assert numbers[0] <= 60, "the first keyframe may have been lost before anybody could ask for it"
    assert len(numbers) > 330
    assert packager.audio is not None
    continuous(part.payload for segment in packager.audio.segments for part in segment.parts)
    assert packager.audio_pipeline is not None
    assert packager.audio_pipeline.figures.undecodable_packets == 0


def test_loss_that_nobody_repairs_costs_pictures_and_no_break() -> None:
    table = Table(3, ingest=Conditions(loss=0.01))
    table.add_studio(StudioSettings(seed=3, keyframe_every=60, answers_nack=False))
    packager = packaged(table)
    table.run(14.0)
    assert packager.reader is not None
    assert packager.reader.incomplete > 2
    assert packager.breaks == 0
    numbers = pictures(packager)
    assert numbers == sorted(numbers)
    assert max(round(segment.duration_s) for segment in packager.video.segments) <= 2


@pytest.mark.parametrize("seed", range(3))
def test_takeover_on_a_lossy_path_breaks_once(seed: int) -> None:
    table = Table(seed, ingest=Conditions(loss=0.05))
    first = table.add_studio(StudioSettings(1, seed=11, first_sequence_number=60_000, skew_s=7200))
    packager = packaged(table)
    table.run(5.0)
    first.studio.stop()
    table.run(0.7)
    table.add_studio(StudioSettings(2, seed=22, first_sequence_number=300, skew_s=-7200))
    table.run(5.0)
    assert packager.breaks == 1
    for rendition in packager.renditions:
        assert [segment.is_discontinuity for segment in rendition.segments].count(True) == 1
    pictures(packager)


def test_studio_that_restarts_its_numbers_breaks_once() -> None:
    """Another SSRC, sequence number and timestamp in the same session."""
    table = Table(1)
    seat = table.add_studio(StudioSettings(1, seed=11, keyframe_every=60))
    packager = packaged(table)
    table.run(5.0)
    outgoing = seat.studio.video
    outgoing.ssrc, outgoing.index, outgoing.first_timestamp = 0xBEEF, 17, 12345
    seat.studio._sealer.start_at(0xBEEF, 17)
    table.run(5.0)
    assert packager.breaks == 1
    numbers = pictures(packager)
    assert numbers == sorted(numbers)
    assert len(numbers) > 230
