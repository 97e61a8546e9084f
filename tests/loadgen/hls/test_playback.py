"""The model of a player on virtual time: parts of 0.2 s, of which three are held back."""

import pytest

from loadgen.hls.playback import MIN_STALL_S, Playback, State

PART_S = 0.2
HOLD_BACK_S = 0.6
PDT_UNIX_S = 500.0
"""Of position 0."""


def playback(has_audio: bool = True, lead_in_s: float = 0.0, audio_begin_s: float = 0.0) -> Playback:
    return Playback(audio_begin_s if has_audio else None, HOLD_BACK_S, PART_S, lead_in_s)


def feed(player: Playback, now_s: float, parts: int = 1, has_audio: bool = True) -> None:
    """So many parts at once, dated by the position that they get."""
    for _ in range(parts):
        begin_s = player.add_video(PART_S, 0.0, None, now_s)
        player._pieces[-1] = type(player._pieces[-1])(begin_s, PDT_UNIX_S + begin_s)
        if has_audio:
            player.add_audio(PART_S, 0.0, now_s)


def test_picture_begins_once_the_hold_back_is_there() -> None:
    player = playback()
    feed(player, 10.0, parts=2)
    assert (player.state, player.began_s, player.live_latency_s(10.1)) == (State.WAITING, None, None)
    feed(player, 10.2)
    assert (player.state, player.began_s) == (State.PLAYING, 10.2)


def test_picture_waits_for_audio_too() -> None:
    player = playback()
    feed(player, 10.0, parts=3, has_audio=False)
    assert player.state is State.WAITING
    player.add_audio(PART_S, 0.0, 10.3)
    assert player.began_s == 10.3


def test_lead_in_is_decoded_and_not_shown() -> None:
    player = playback(lead_in_s=0.5)
    feed(player, 10.0, parts=5)
    assert player.state is State.WAITING
    feed(player, 10.1)
    assert player.live_latency_s(10.1) == pytest.approx(10.1 - (PDT_UNIX_S + 0.5))


def test_steady_parts_play_without_stalls_at_a_steady_latency() -> None:
    player = playback()
    feed(player, 10.0, parts=3)
    for number in range(50):
        now_s = 10.2 + number * PART_S
        feed(player, now_s)
        assert player.live_latency_s(now_s) == pytest.approx(10.0 - PDT_UNIX_S)
    assert (player.state, player.stalls, player.longest_stall_s) == (State.PLAYING, 0, 0.0)


@pytest.mark.parametrize("dry", ["video", "audio"])
def test_stall_begins_where_a_rendition_runs_dry_and_ends_with_its_next_part(dry: str) -> None:
    player = playback()
    feed(player, 10.0, parts=3)
    for _ in range(5):
        if dry == "video":
            player.add_audio(PART_S, 0.0, 10.3)
        else:
            player.add_video(PART_S, 0.0, None, 10.3)
    player.advance(11.0)
    assert player.state is State.STALLED
    assert player.pending_stall_s(11.1) == pytest.approx(0.5)
    if dry == "video":
        player.add_video(PART_S, 0.0, None, 11.1)
    else:
        player.add_audio(PART_S, 0.0, 11.1)
    assert (player.state, player.stalls, player.pending_stall_s(11.2)) == (State.PLAYING, 1, 0.0)
    assert player.stalled_s == pytest.approx(0.5)
    assert player.longest_stall_s == pytest.approx(0.5)


def test_stall_makes_what_follows_later() -> None:
    player = playback()
    feed(player, 10.0, parts=3)
    feed(player, 11.6)
    assert player.live_latency_s(11.6) == pytest.approx(10.0 - PDT_UNIX_S + 1.0)


def test_short_stall_is_not_counted_but_delays() -> None:
    player = playback()
    feed(player, 10.0, parts=3)
    feed(player, 10.6 + MIN_STALL_S / 2)
    assert (player.stalls, player.stalled_s) == (0, 0.0)
    assert player.longest_stall_s == pytest.approx(MIN_STALL_S / 2)
    assert player.pending_stall_s(10.6) == 0.0


def test_gap_takes_its_time_and_an_overlap_gives_none() -> None:
    player = playback(has_audio=False)
    feed(player, 10.0, parts=3, has_audio=False)
    assert player.add_video(PART_S, 0.4, None, 10.1) == pytest.approx(1.0)
    assert player.add_video(PART_S, -0.1, None, 10.1) == pytest.approx(1.1)
    player.advance(11.2)
    assert player.pending_stall_s(12.0) == 0.0
    player.advance(11.4)
    assert player.pending_stall_s(12.0) == pytest.approx(0.7)


def test_audio_that_begins_earlier_has_to_catch_up() -> None:
    player = playback(audio_begin_s=-0.1)
    feed(player, 10.0, parts=3)
    player.advance(10.55)
    assert player.state is State.STALLED


def test_frames_are_delayed_to_when_they_are_shown() -> None:
    player = playback(has_audio=False, lead_in_s=0.2)
    begin_s = player.add_video(PART_S, 0.0, None, 10.0)
    player.add_stamp(begin_s, 9.0)  # decoded, and not shown
    for _ in range(3):
        begin_s = player.add_video(PART_S, 0.0, None, 10.0)
        player.add_stamp(begin_s, 9.5 + begin_s)
    player.advance(10.5)
    # Positions 0.2, 0.4 and 0.6 are shown at 10.0, 10.2 and 10.4.
    assert player.take_delays_s() == pytest.approx([0.3, 0.3, 0.3])
    assert player.take_delays_s() == []


def test_frames_behind_a_stall_are_delayed_by_it() -> None:
    player = playback(has_audio=False)
    feed(player, 10.0, parts=3, has_audio=False)
    player.advance(11.0)
    begin_s = player.add_video(PART_S, 0.0, None, 11.0)
    player.add_stamp(begin_s, 10.8)
    player.advance(11.1)
    assert player.take_delays_s() == pytest.approx([0.2])


def test_jump_is_a_stall_until_the_hold_back_is_there_again() -> None:
    player = playback()
    feed(player, 10.0, parts=3)
    player.jump(0.0, 0.0, 10.2)
    feed(player, 10.3, parts=2)
    assert player.state is State.STALLED
    feed(player, 10.5)
    assert (player.state, player.stalls) == (State.PLAYING, 1)
    assert player.stalled_s == pytest.approx(0.3)


def test_end_is_played_out_and_is_no_stall() -> None:
    player = playback()
    feed(player, 10.0, parts=3)
    player.end(True, 10.1)
    player.end(False, 10.1)
    player.advance(10.5)
    assert player.live_latency_s(10.5) is not None
    player.advance(11.0)
    assert (player.state, player.stalls, player.pending_stall_s(12.0)) == (State.ENDED, 0, 0.0)
    assert player.live_latency_s(12.0) is None


def test_stream_that_ends_before_the_hold_back_is_shown_all_the_same() -> None:
    player = playback()
    feed(player, 10.0, parts=1)
    player.end(True, 10.1)
    player.end(False, 10.1)
    assert player.state is State.PLAYING
