"""Streams by name: which names there may be, how many, and when one is forgotten."""

import random

import pytest

from gateway.errors import SignallingError
from gateway.stream.registry import Registry, check_name
from gateway.stream.stream import StreamSettings
from tests.stream.doubles import H264, RecordingSender, RecordingSource


def registry_of(max_streams: int = 2) -> Registry:
    return Registry(RecordingSender(), StreamSettings(), max_streams, random.Random(1))


@pytest.mark.parametrize("name", ["a", "7", "table-1", "Table_2.main", "x" * 64])
def test_name_of_plain_characters_is_taken(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", ".", "-a", "_a", "a b", "a/b", "täble", "a\n", 'a"', "x" * 65])
def test_name_that_would_not_fit_a_label_or_url_is_not_found(name: str) -> None:
    with pytest.raises(SignallingError, match="1 to 64 letters") as refusal:
        check_name(name)
    assert refusal.value.status == 404


def test_open_makes_a_stream_once() -> None:
    registry = registry_of()
    assert registry.stream("table") is None
    stream = registry.open("table")
    assert registry.open("table") is stream
    assert registry.stream("table") is stream
    assert (list(registry), len(registry)) == ([stream], 1)


def test_room_is_refused_to_a_new_stream_only() -> None:
    registry = registry_of(max_streams=2)
    registry.open("one")
    registry.check_room("two")
    registry.open("two")
    registry.check_room("two")
    with pytest.raises(SignallingError, match="no more streams") as refusal:
        registry.check_room("three")
    assert refusal.value.status == 503
    assert "Retry-After" in refusal.value.headers


def test_open_without_room_is_refused() -> None:
    registry = registry_of(max_streams=1)
    one = registry.open("one")
    with pytest.raises(SignallingError):
        registry.open("two")
    assert list(registry) == [one]


def test_room_for_what_is_no_name_is_not_found() -> None:
    with pytest.raises(SignallingError) as refusal:
        registry_of().check_room("a b")
    assert refusal.value.status == 404


def test_stream_is_forgotten_after_the_grace_period() -> None:
    registry = registry_of()
    stream, source = registry.open("table"), RecordingSource()
    stream.attach(source, [H264], 0.0)
    assert registry.close_abandoned(1000.0, grace_s=60.0) == []
    stream.detach(source, 1000.0)
    assert registry.close_abandoned(1060.0, grace_s=60.0) == []
    assert registry.close_abandoned(1060.1, grace_s=60.0) == [stream]
    assert registry.stream("table") is None


def test_stream_that_a_source_came_back_to_stays() -> None:
    registry = registry_of()
    stream, source = registry.open("table"), RecordingSource()
    stream.attach(source, [H264], 0.0)
    stream.detach(source, 10.0)
    stream.attach(RecordingSource("second"), [H264], 20.0)
    assert registry.close_abandoned(1000.0, grace_s=60.0) == []


def test_streams_may_be_forgotten_while_they_are_walked() -> None:
    registry = registry_of()
    for name in ("one", "two"):
        source = RecordingSource()
        registry.open(name).attach(source, [H264], 0.0)
        registry.open(name).detach(source, 0.0)
    for _ in registry:
        registry.close_abandoned(100.0, grace_s=60.0)
    assert len(registry) == 0
