import pytest

from loadgen.hls.continuity import Continuity, Seam
from loadgen.hls.fragments import Fragment, InitSection

INIT = InitSection(90_000, is_video=True)


def part(decode_ticks: int, samples: int = 3) -> Fragment:
    return Fragment(decode_ticks, (3_000,) * samples, (1,) * samples, 0)


@pytest.fixture
def continuity() -> Continuity:
    """After one part that ends at 9000."""
    continuity = Continuity()
    assert continuity.on_part([part(0)], INIT, 0) == Seam()
    return continuity


def test_parts_that_fit_have_no_seam(continuity: Continuity) -> None:
    assert continuity.on_part([part(9_000), part(18_000)], INIT, 0) == Seam()
    assert continuity.on_part([part(27_000)], INIT, 0) == Seam()


@pytest.mark.parametrize(("ticks", "missing"), [(1, 0), (3_000, 1), (45_000, 15)])
def test_gap_is_seen_to_the_tick(continuity: Continuity, ticks: int, missing: int) -> None:
    assert continuity.on_part([part(9_000 + ticks)], INIT, 0) == Seam(ticks / 90_000, 0.0, missing)
    assert continuity.on_part([part(18_000 + ticks)], INIT, 0) == Seam()


def test_overlap_is_seen(continuity: Continuity) -> None:
    assert continuity.on_part([part(8_100)], INIT, 0) == Seam(overlap_s=0.01)


def test_gap_within_a_segment_is_seen(continuity: Continuity) -> None:
    assert continuity.on_part([part(9_000), part(21_000)], INIT, 0).missing_samples == 1


def test_nothing_is_expected_behind_a_discontinuity(continuity: Continuity) -> None:
    assert continuity.on_part([part(900_000)], INIT, 1) == Seam()
    assert continuity.on_part([part(912_000)], INIT, 1).missing_samples == 1


def test_nothing_is_expected_once_forgotten_or_in_another_timescale(continuity: Continuity) -> None:
    assert continuity.on_part([part(500)], InitSection(48_000, is_video=True), 0) == Seam()
    continuity.forget()
    assert continuity.on_part([part(77)], InitSection(48_000, is_video=True), 0) == Seam()
