"""Whatever comes, in whatever order: what players rely on holds."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.hls.access_units import AccessUnitReader
from gateway.hls.cut import Cut
from gateway.hls.rendition import Rendition, Segment
from gateway.hls.segmenter import Durations
from gateway.hls.timeline import Timeline
from gateway.hls.video_writer import VideoWriter
from tests.hls.content import continuous, key_nals, ticks_of, unit, video_track
from tests.hls.packager_bench import PackagerBench, check_in_step
from tests.stream.doubles import H264, OPUS, incoming

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.02, 0.1, 0.3]))
def test_pictures_are_whole_and_never_without_those_they_refer_to(seed: int, loss: float) -> None:
    chance = random.Random(seed)
    track = video_track()
    reader = AccessUnitReader(track, None)
    sent: list[list[bytes]] = []
    arrivals: list[tuple[float, int, int, bytes, bool]] = []
    number = 0
    for picture in range(60):
        key = picture == 0 or chance.random() < 0.1
        nals = [b"\x67sps", b"\x68pps"] if key else []
        slices = [bytes((0x65 if key else 0x41,)) + bytes((picture, place)) for place in range(chance.randint(1, 5))]
        nals += slices
        sent.append(nals)
        for place, nal in enumerate(nals):
            at_s = picture / 30 + chance.uniform(0, 0.02)
            if picture and chance.random() < loss:
                at_s = at_s + chance.uniform(0.05, 0.6) if chance.random() < 0.7 else -1.0
            arrivals.append((at_s, number, picture * 3000, nal, place == len(nals) - 1))
            number += 1
    first = [each for each in arrivals if each[2] == 0]
    later = sorted(each for each in arrivals if each[2] and each[0] >= 0)
    read: list[list[bytes]] = []
    for at_s, sequence_number, timestamp, nal, marker in [*first, *later]:
        track.accept(incoming(sequence_number, timestamp, nal, marker=marker, arrival_s=at_s))
        read += [each.nal_units for each in reader.read(at_s)]
    pictures = [sent.index(nals) for nals in read]  # ValueError for one that was not sent like that
    assert pictures == sorted(set(pictures))
    for before, after in zip([-1, *pictures], pictures, strict=False):
        assert after == before + 1 or sent[after][0] == b"\x67sps"
    if loss == 0.0:
        assert pictures == list(range(60))
    left_out = reader.incomplete + reader.undecodable
    assert left_out <= 60 - len(pictures)


@UNHURRIED
@given(
    st.lists(
        st.tuples(
            st.sampled_from([3000, 3000, 3000, 3600, 1500, 1, 0, -3000, 27_000, 90_000, 190_000, 10**7, -(10**7)]),
            st.sampled_from(["", "", "", "", "key", "epoch", "other", "broken"]),
            st.integers(0, 60_000),
        ),
        max_size=150,
    ),
    st.sampled_from([1, 2, 6]),
)
def test_video_is_continuous_whatever_comes(steps: list[tuple[int, str, int]], target_duration_s: int) -> None:
    rendition = Rendition("video", 0.21, target_duration_s)
    durations = Durations.of(90_000, 0.21, float(target_duration_s), target_duration_s)
    segments: dict[int, Segment] = {}
    cuts: list[Cut] = []
    writer = VideoWriter(rendition, durations, Timeline(), cuts.append)
    track, timestamp = video_track(), 0
    for step, kind, floor in [(0, "key", 0), *steps]:
        timestamp += step
        writer.floor_ticks = writer.end_ticks + floor - 30_000
        nals = key_nals(320, 180) if kind == "other" else [b"\x67", b"\x68", b"\x65"] if kind == "broken" else None
        writer.write(unit(timestamp, key=bool(kind), begins_epoch=kind == "epoch", nals=nals), track, 0.0)
        segments |= {segment.msn: segment for segment in rendition.segments}
    writer.finish(0.0)
    rendition.end()
    segments |= {segment.msn: segment for segment in rendition.segments}
    chunks = continuous((part.payload for segment in segments.values() for part in segment.parts), start=0)
    assert sum(len(chunk.entries) for chunk in chunks) == writer.frames
    assert sum(map(ticks_of, chunks)) == writer.end_ticks
    assert [cut.is_discontinuity for cut in cuts] == [segment.is_discontinuity for segment in segments.values()]
    assert len(segments) == len(cuts)
    for segment in segments.values():
        assert segment.parts
        assert int(segment.duration_s + 0.5) <= target_duration_s
        assert segment.parts[0].is_independent or not segment.is_discontinuity


@pytest.mark.parametrize("seed", range(12))
def test_renditions_stay_in_step_whatever_the_studio_does(seed: int) -> None:
    chance = random.Random(seed)
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(2.0)
    for _ in range(25):
        what = chance.randrange(8)
        if what == 0:
            bench.take_over(skew_s=chance.uniform(-1e4, 1e4))
        elif what == 1:
            bench.studio.skip(chance.uniform(0.0, 3.0))
        elif what == 2:
            bench.studio.has_audio = not bench.studio.has_audio
        elif what == 3:
            bench.studio.has_video = not bench.studio.has_video
        elif what == 4:
            bench.studio.size, bench.studio.wants_keyframe = chance.choice([(640, 360), (320, 180)]), True
        elif what == 5:
            bench.studio.wants_keyframe = True
        elif what == 6:
            bench.studio.fps = chance.choice([15.0, 25.0, 30.0, 50.0])
        bench.studio.run(chance.choice([0.04, 0.1, 0.5, 2.0]))
        assert not packager.is_over
        check_in_step(packager, within_s=0.8)
    bench.studio.has_video = bench.studio.has_audio = True
    bench.studio.run(8.0)
    check_in_step(packager, within_s=0.8)
    newest = [rendition.segments[-1].msn for rendition in packager.renditions]
    assert abs(newest[0] - newest[1]) <= 1
    assert packager.stream.tracks.keys() == {H264.kind, OPUS.kind}
    longest_s = max(segment.duration_s for rendition in packager.renditions for segment in rendition.segments)
    assert longest_s < 2.5
