import pytest

from gateway.errors import WireError
from loadgen.hls import playlists as playlists_module
from loadgen.hls.fetcher import Answer
from loadgen.hls.playlists import Playlists
from tests.loadgen.hls.test_playlist import HEAD, LATER, WHOLE


def answer(text: str) -> Answer:
    """With a playlist."""
    return Answer("http://h/", 200, text.encode(), False, None, 0.0, 1.0)


DELTA = f"{HEAD}#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n{LATER}"


def test_same_bytes_after_the_same_are_read_once() -> None:
    playlists = Playlists()
    first = playlists.read(answer(WHOLE), None)
    assert playlists.read(answer(WHOLE), None) is first
    second = playlists.read(answer(DELTA), first.playlist)
    assert playlists.read(answer(DELTA), first.playlist) is second
    assert (first.is_delta, second.is_delta) == (False, True)
    assert second.playlist.segments == first.playlist.segments


def test_players_that_came_by_different_ways_share_a_whole_playlist() -> None:
    playlists = Playlists()
    first = playlists.read(answer(WHOLE), None).playlist
    later = WHOLE + '#EXT-X-PART:DURATION=0.2,URI="video/10.1.m4s"\n'
    assert playlists.read(answer(later), first).playlist is playlists.read(answer(later), None).playlist


def test_same_bytes_after_others_are_another_playlist() -> None:
    playlists = Playlists()
    first = playlists.read(answer(WHOLE), None)
    other = playlists.read(answer(WHOLE.replace("video/7.m4s", "video/seven.m4s")), None)
    merged = [playlists.read(answer(DELTA), each.playlist).playlist for each in (first, other)]
    assert [playlist.segments[0].uri for playlist in merged] == ["video/7.m4s", "video/seven.m4s"]


def test_broken_rules_are_those_of_the_playlist_and_of_the_change() -> None:
    playlists = Playlists()
    first = playlists.read(answer(WHOLE), None)
    changed = WHOLE.replace("TARGETDURATION:2", "TARGETDURATION:3").replace("HOLD-BACK=0.63", "HOLD-BACK=0.3")
    broken = playlists.read(answer(changed), first.playlist).broken_rules
    assert {"part_hold_back_too_short", "target_duration_changed"} <= set(broken)
    assert "target_duration_changed" not in playlists.read(answer(changed), None).broken_rules


def test_delta_update_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(WireError, match="not asked"):
        Playlists().read(answer(DELTA), None)


def test_readings_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlists_module, "MAX_KEPT", 3)
    playlists = Playlists()
    for number in range(10):
        playlists.read(answer(WHOLE + f"# {number}\n"), None)
    assert len(playlists._parsed) == len(playlists._readings) == 3
