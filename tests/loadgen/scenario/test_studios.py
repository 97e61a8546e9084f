"""What studios of a scenario may be."""

from typing import Any

import pytest
from pydantic import ValidationError

from loadgen.scenario.fields import FROM_FILE
from loadgen.scenario.studios import (
    FileSource,
    GeneratedSource,
    PauseEvent,
    PictureSize,
    ReconnectEvent,
    RoundsSpec,
    StudiosSpec,
)


def _from_file(**values: Any) -> StudiosSpec:
    return StudiosSpec.model_validate(values, context=FROM_FILE, by_alias=True, by_name=False)


def test_studio_is_by_default_one_table_with_a_generated_picture() -> None:
    studio = _from_file()
    assert studio.stream_names == ("table-1",)
    assert studio.source == GeneratedSource()
    assert (studio.pacing, studio.events) == ("burst", ())


def test_stream_names_are_numbered_from_one() -> None:
    assert _from_file(name="a{n}.b{n}", streams=3).stream_names == ("a1.b1", "a2.b2", "a3.b3")


def test_stream_of_a_single_studio_needs_no_number() -> None:
    assert _from_file(name="feature").stream_names == ("feature",)


@pytest.mark.parametrize("name", ["", "{n} a", "-{n}", "a/{n}", "{m}", "table-{n}" + "x" * 60])
def test_stream_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="expected 1 to 64 letters"):
        _from_file(name=name)


def test_studios_that_would_share_a_name_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected \{n\} in it"):
        _from_file(name="feature", streams=2)


def test_source_is_what_its_keys_say() -> None:
    generated = _from_file(source={"size": "640x360", "frame_rate": 25, "bitrate": "800kbps", "audio": False}).source
    assert generated == GeneratedSource(size=PictureSize(640, 360), frame_rate=25, bitrate_bps=800_000, audio=False)
    assert isinstance(_from_file(source={"file": "table.mp4"}).source, FileSource)


@pytest.mark.parametrize(
    "size",
    ["1280", "1280x", "1280*720", "1281x720", "1280x721", "0x0", "8x8", "4098x720", "1280x2306", 1280, [1280, 720]],
)
def test_picture_size_that_cannot_be_encoded_is_refused(size: object) -> None:
    with pytest.raises(ValidationError, match=r"expected (WIDTHxHEIGHT|even numbers)"):
        _from_file(source={"size": size})


@pytest.mark.parametrize("width", [14, 1281, 4098])
def test_picture_size_that_cannot_be_encoded_is_refused_in_code_too(width: int) -> None:
    with pytest.raises(ValidationError, match="expected even numbers"):
        GeneratedSource(size=PictureSize(width, 720))


@pytest.mark.parametrize(
    "source",
    [
        {"frame_rate": 0},
        {"frame_rate": 121},
        {"bitrate": "49kbps"},
        {"bitrate": "51Mbps"},
        {"keyframe_interval": "99ms"},
        {"keyframe_interval": "21s"},
        {"file": "table.mp4", "bitrate": "1Mbps"},
    ],
)
def test_source_out_of_bounds_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _from_file(source=source)


def test_event_is_what_its_keys_say() -> None:
    events = _from_file(
        events=[
            {"at": "10s", "pause": "2s"},
            {"at": "1m", "reconnect_after": "0s", "goodbye": True, "every": "5m"},
        ]
    ).events
    assert events == (
        PauseEvent(at_s=10, pause_s=2),
        ReconnectEvent(at_s=60, reconnect_after_s=0, goodbye=True, every_s=300),
    )


@pytest.mark.parametrize(
    "event",
    [
        {"at": "10s", "pause": "2s", "every": "2s"},
        {"at": "10s", "reconnect_after": "5s", "every": "3s"},
    ],
)
def test_event_that_would_meet_itself_is_refused(event: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="come again before it has ended"):
        _from_file(events=[event])


@pytest.mark.parametrize("event", [{"at": "1s"}, {"pause": "1s"}, {"at": "1s", "pause": "1s", "reconnect_after": "1s"}])
def test_event_that_is_neither_pause_nor_reconnect_is_refused(event: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="events"):
        _from_file(events=[event])


def test_rounds_are_read_with_their_units() -> None:
    rounds = _from_file(rounds={"at": "4s", "every": "20s", "betting": "10s", "settle_after": "500ms"}).rounds
    assert rounds == RoundsSpec(at_s=4, every_s=20, betting_s=10, result_after_s=2, settle_after_s=0.5)


@pytest.mark.parametrize(
    "rounds",
    [
        {"every": "20s"},
        {"betting": "10s"},
        {"every": "0s", "betting": "10s"},
        {"every": "20s", "betting": "100ms"},
        {"every": "20s", "betting": "10s", "result_after": "0s"},
        {"every": "12.9s", "betting": "10s"},
    ],
)
def test_rounds_out_of_bounds_are_refused(rounds: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="rounds"):
        _from_file(rounds=rounds)


def test_round_that_would_meet_the_next_is_refused() -> None:
    with pytest.raises(ValidationError, match="before this one has ended"):
        _from_file(rounds={"every": "12.9s", "betting": "10s"})
