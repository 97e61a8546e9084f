"""The studios of a scenario: what they publish, and what goes wrong with them."""

import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Tag, WithJsonSchema, model_validator

from loadgen.scenario.bounds import MAX_DURATION_S, MAX_STREAMS, MAX_STUDIO_BITRATE_BPS
from loadgen.scenario.durations import BIT_RATE, DURATION
from loadgen.scenario.fields import NAME_PATTERN, NAME_RULE, InconsistentError, Section, Within, chosen_by_key

_SIZE = r"^([1-9][0-9]{1,3})x([1-9][0-9]{1,3})$"


class PictureSize(NamedTuple):
    """In pixels; as text, `1280x720`."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def _read_size(given: object) -> object:
    if isinstance(given, PictureSize):
        return given
    match = re.fullmatch(_SIZE, given) if isinstance(given, str) else None
    if match is None:
        raise ValueError("expected WIDTHxHEIGHT, such as 1280x720")
    return PictureSize(int(match[1]), int(match[2]))


def _encodable(size: PictureSize) -> PictureSize:
    # Two colour samples a 2x2 block (4:2:0), and the largest picture of H.264 level 5.1.
    if any(length % 2 or length < 16 for length in size) or size.width > 4096 or size.height > 2304:
        raise ValueError("expected even numbers, from 16x16 to 4096x2304")
    return size


Size = Annotated[
    PictureSize,
    BeforeValidator(_read_size),
    AfterValidator(_encodable),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _SIZE}),
]


class GeneratedSource(Section):
    """A moving picture, H.264 at a constant bit rate, encoded once before the run; and a tone, Opus."""

    size: Size = PictureSize(1280, 720)
    """Of the picture, width and height in pixels."""
    frame_rate: float = Field(30.0, ge=1, le=120)
    """Frames a second."""
    bitrate_bps: Annotated[float, Within(BIT_RATE, 50_000, MAX_STUDIO_BITRATE_BPS)] = Field(1_500_000, alias="bitrate")
    """Of video; sound adds 64 kb/s."""
    keyframe_interval_s: Annotated[float, Within(DURATION, 0.1, 20)] = Field(2.0, alias="keyframe_interval")
    """Between two keyframes."""
    audio: bool = True
    """Whether there is sound."""


class FileSource(Section):
    """H.264 without B-frames, and Opus if there is sound, from an mp4 or mkv file; looped, and never encoded again."""

    file: Path
    """Relative to the directory of the scenario's file; given by --set, to the current one."""


class _Event(Section):
    at_s: Annotated[float, Within(DURATION, 0, MAX_DURATION_S)] = Field(alias="at")
    """When it happens, to all studios of the group: since the run began."""
    every_s: Annotated[float, Within(DURATION, 1, MAX_DURATION_S)] | None = Field(None, alias="every")
    """And how often from then on; without it, once."""

    def _ends_before_it_comes_again(self, seconds: float) -> None:
        if self.every_s is not None and self.every_s <= seconds:
            raise InconsistentError(("every",), "it would come again before it has ended")


class PauseEvent(_Event):
    """Nothing is sent for a while, and the session stays: an encoder that hangs, a cable pulled and plugged."""

    pause_s: Annotated[float, Within(DURATION, 0.01, 3600)] = Field(alias="pause")
    """How long."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        self._ends_before_it_comes_again(self.pause_s)
        return self


class ReconnectEvent(_Event):
    """The session is lost, and after a while a new one begins, with new keys and SSRCs: an encoder that restarts."""

    reconnect_after_s: Annotated[float, Within(DURATION, 0, 3600)] = Field(alias="reconnect_after")
    """From the end of the one to the beginning of the other."""
    goodbye: bool = False
    """Whether it ends the session by DELETE; else it just vanishes."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        self._ends_before_it_comes_again(self.reconnect_after_s)
        return self


class RoundsSpec(Section):
    """Rounds of the game, one after another, opened and moved on by the studio. The server closes their bets."""

    at_s: Annotated[float, Within(DURATION, 0, MAX_DURATION_S)] = Field(0.0, alias="at")
    """When the first is opened: since the run began."""
    every_s: Annotated[float, Within(DURATION, 1, 3600)] = Field(alias="every")
    """From the opening of one round to that of the next."""
    betting_s: Annotated[float, Within(DURATION, 0.5, 3600)] = Field(alias="betting")
    """How long bets are open."""
    result_after_s: Annotated[float, Within(DURATION, 0.5, 3600)] = Field(2.0, alias="result_after")
    """From then to the result."""
    settle_after_s: Annotated[float, Within(DURATION, 0, 3600)] = Field(1.0, alias="settle_after")
    """From the result until it is settled."""

    @model_validator(mode="after")
    def _ends_before_the_next(self) -> Self:
        if self.betting_s + self.result_after_s + self.settle_after_s > self.every_s:
            raise InconsistentError(("every",), "the next round would begin before this one has ended")
        return self


Source = Annotated[
    Annotated[FileSource, Tag("(with)")] | Annotated[GeneratedSource, Tag("(without)")],
    chosen_by_key("file", FileSource),
]
Event = Annotated[
    Annotated[ReconnectEvent, Tag("(with)")] | Annotated[PauseEvent, Tag("(without)")],
    chosen_by_key("reconnect_after", ReconnectEvent),
]


class StudiosSpec(Section):
    """Studios that do the same, each with a stream of its own."""

    name: str = "table-{n}"
    """Of their streams; {n} becomes 1, 2, 3 ..."""
    streams: int = Field(1, ge=1, le=MAX_STREAMS)
    """How many."""
    source: Source = GeneratedSource()
    pacing: Literal["burst", "paced"] = "burst"
    """Whether a frame's packets are sent at once, as most encoders do, or spread over the time until the next frame."""
    events: tuple[Event, ...] = ()
    rounds: RoundsSpec | None = None
    """Without it, there are none."""

    @model_validator(mode="after")
    def _has_good_names(self) -> Self:
        if self.streams > 1 and "{n}" not in self.name:
            raise InconsistentError(("name",), "expected {n} in it, as there are several streams")
        if not all(re.fullmatch(NAME_PATTERN, name) for name in self.stream_names):
            raise InconsistentError(("name",), f"{NAME_RULE}; {{n}} stands for the number")
        return self

    @property
    def stream_names(self) -> tuple[str, ...]:
        """What is published, in order."""
        return tuple(self.name.replace("{n}", str(number)) for number in range(1, self.streams + 1))
