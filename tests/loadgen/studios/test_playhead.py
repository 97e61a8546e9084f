from loadgen.studios.clip import AudioPacket
from loadgen.studios.playhead import Playhead

LOOP = 360_000
FRAMES = [AudioPacket(b"", number * 3000) for number in range(120)]


def test_playhead_goes_around_without_a_seam_in_time() -> None:
    playhead = Playhead(FRAMES, LOOP)
    seen = []
    for _ in range(250):
        seen.append((playhead.number, playhead.due_rtp_ticks))
        playhead.advance()
    assert seen == [(number % 120, number * 3000) for number in range(250)]


def test_playhead_keeps_uneven_distances_and_the_rest_of_the_loop() -> None:
    playhead = Playhead([AudioPacket(b"", pts) for pts in (100, 1000, 1500)], 4000)
    due = []
    for _ in range(5):
        due.append(playhead.due_rtp_ticks)
        playhead.advance()
    assert due == [100, 1000, 1500, 4100, 5000]


def test_playhead_of_one_unit_repeats_it_every_loop() -> None:
    playhead = Playhead([AudioPacket(b"", 0)], 960)
    playhead.advance()
    assert (playhead.number, playhead.due_rtp_ticks) == (0, 960)


def test_jump_changes_what_is_next_and_not_when() -> None:
    playhead = Playhead(FRAMES, LOOP)
    for _ in range(5):
        playhead.advance()
    assert playhead.jump_to(30) == 25 * 3000
    assert (playhead.number, playhead.due_rtp_ticks) == (30, 15_000)
    assert playhead.jump_to(30) == 0
    assert playhead.jump_to(0) == 90 * 3000, "around the end"


def test_skip_stays_in_step_with_the_other_track() -> None:
    audio = Playhead([AudioPacket(b"", number * 960) for number in range(200)], 192_000)
    audio.advance()
    audio.skip(2400)  # 50 ms are two and a half packets: the third one begins 10 ms after what is skipped
    assert (audio.number, audio.due_rtp_ticks) == (4, 960 + 480)
    audio.skip(480)
    assert (audio.number, audio.due_rtp_ticks) == (5, 960 + 960)
    audio.skip(0)
    assert audio.number == 5
