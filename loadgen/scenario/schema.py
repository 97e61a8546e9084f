"""What a scenario file says, typed. `examples/` explains each key where it is used; `json_schema` is for editors."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from loadgen.errors import ScenarioError
from loadgen.scenario.bounds import MAX_DURATION_S
from loadgen.scenario.checks import check
from loadgen.scenario.durations import DURATION
from loadgen.scenario.fields import Name, Section, Within
from loadgen.scenario.players import (
    BetsSpec,
    ImpairmentSpec,
    Leaves,
    PlayersSpec,
    PoissonArrival,
    RampArrival,
    SignalsSpec,
)
from loadgen.scenario.studios import (
    FileSource,
    GeneratedSource,
    PauseEvent,
    PictureSize,
    ReconnectEvent,
    RoundsSpec,
    StudiosSpec,
)
from loadgen.verdict.thresholds import parse_threshold

__all__ = [
    "BetsSpec",
    "FileSource",
    "GeneratedSource",
    "ImpairmentSpec",
    "Leaves",
    "PauseEvent",
    "PictureSize",
    "PlayersSpec",
    "PoissonArrival",
    "RampArrival",
    "ReconnectEvent",
    "RoundsSpec",
    "Scenario",
    "SignalsSpec",
    "StudiosSpec",
    "json_schema",
]


def _readable(threshold: str) -> str:
    try:
        return parse_threshold(threshold).text
    except ScenarioError as error:
        raise ValueError(str(error)) from None


class Scenario(Section):
    """Who publishes, who watches, for how long, and what must come out."""

    name: Name
    """Stands in the report."""
    summary: str = Field("", max_length=1000)
    """One sentence for people."""
    duration_s: Annotated[float, Within(DURATION, 1, MAX_DURATION_S)] = Field(alias="duration")
    """Of the whole run, ramps included; at its end everybody says goodbye."""
    seed: int = Field(1, ge=0, le=2**63 - 1)
    """What chance makes of it: the same seed makes the same arrivals, stays, hops and losses."""
    late_after_s: Annotated[float, Within(DURATION, 0.001, 10)] = Field(0.15, alias="late_after")
    """A frame that comes this long after it should have counts as late."""
    studios: tuple[StudiosSpec, ...] = ()
    """Without any, the server has the streams already."""
    players: tuple[PlayersSpec, ...] = ()
    thresholds: tuple[Annotated[str, AfterValidator(_readable)], ...] = ()
    """What must hold over the whole run, or it fails: `join_p95 < 500ms`."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check(self.studios, self.players, self.duration_s)
        return self

    @property
    def stream_names(self) -> tuple[str, ...]:
        """What the studios publish, in order."""
        return tuple(name for group in self.studios for name in group.stream_names)

    def streams_of(self, group: PlayersSpec) -> tuple[str, ...]:
        """What players of `group` may watch; never empty."""
        return self.stream_names if group.streams == "all" else group.streams

    def settings(self) -> dict[str, Any]:
        """As a file would say it, defaults included; what it says is this scenario again."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a scenario file, for editors and for other tools."""
    schema = Scenario.model_json_schema(by_alias=True, schema_generator=_WithWrittenDefaults)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _WithWrittenDefaults(GenerateJsonSchema):
    """Gives defaults as a file would say them: with their unit."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        written = schema["schema"].get("serialization", {})
        if "default" in described and written.get("type") == "function-plain":
            described["default"] = written["function"](schema["default"])
        return described

    def encode_default(self, dft: Any) -> Any:
        return dft.model_dump(mode="json", by_alias=True) if isinstance(dft, Section) else super().encode_default(dft)
