"""The reader of boxes, on what `hand_made_media` writes."""

from __future__ import annotations

import pytest

from tests.hls_conformance.boxes import read_boxes, read_samples, read_track
from tests.hls_conformance.hand_made_media import AUDIO, IDR, SLICE, VIDEO, Format, init_section, part


@pytest.mark.parametrize("kept", [VIDEO, AUDIO])
def test_track_of_an_init_section(kept: Format) -> None:
    track = read_track(init_section(kept))
    assert (track.track_id, track.timescale) == (1, kept.timescale)
    assert (track.handler.encode(), track.sample_entry.encode()) == (kept.handler, kept.sample_entry)


def test_samples_of_fragments_that_follow_one_another() -> None:
    fragments = part(VIDEO, 10.0, 0.2) + part(VIDEO, 10.2, 0.2, SLICE)
    samples = read_samples(fragments, read_track(init_section(VIDEO)))
    assert [sample.decode_ticks for sample in samples] == [900_000 + 3000 * number for number in range(12)]
    assert [number for number, sample in enumerate(samples) if sample.is_sync] == [0]
    assert {sample.payload for sample in samples} == {IDR, SLICE}
    assert samples[0].payload == IDR


def test_reader_refuses_a_box_that_is_cut_off() -> None:
    with pytest.raises(AssertionError, match="a box b'mdat'"):
        read_boxes(part(VIDEO, 0.0, 0.2)[:-1])


def test_reader_refuses_samples_beyond_the_end() -> None:
    fragment = part(VIDEO, 0.0, 0.2)
    without_data = fragment[: fragment.index(b"mdat") - 4]
    with pytest.raises(AssertionError, match="beyond the end"):
        read_samples(without_data, read_track(init_section(VIDEO)))
