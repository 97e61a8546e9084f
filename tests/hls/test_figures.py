"""Counters of packaging, over all generations of a stream."""

from dataclasses import fields

from gateway.hls.figures import PackagingFigures
from tests.hls.packager_bench import PackagerBench


def test_figures_add_up_field_by_field() -> None:
    counted = PackagingFigures(*range(1, len(fields(PackagingFigures)) + 1))
    total = counted + counted
    assert [getattr(total, each.name) for each in fields(total)] == [2 * n for n in range(1, len(fields(total)) + 1)]


def test_figures_of_a_steady_studio_are_its_parts_alone() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    assert PackagingFigures.of(packager) == PackagingFigures()
    bench.studio.run(4.3)
    figures = PackagingFigures.of(packager)
    assert (figures.video_parts, figures.audio_parts) == (21, packager.renditions[1].parts_made)
    assert figures == PackagingFigures(video_parts=figures.video_parts, audio_parts=figures.audio_parts)


def test_figures_count_a_break() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.take_over().run(3.0)
    assert PackagingFigures.of(packager).discontinuities == 1
