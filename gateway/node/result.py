"""The node tuner's result file (docs/node-tuner.md), read strictly: taken whole or not at all. Pure.

Its schema is all that the gateway knows of the tuner. What a later tuner of the same schema adds is passed over.
"""

import json
from enum import Enum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from gateway.errors import RailbirdError

SCHEMA = 1
"""The one that is known: what another means must not be guessed."""

MAX_RESULT_BYTES = 1 << 20
"""A profile's knobs on a machine with 128 queues take a tenth."""
MAX_KNOBS = 256
"""Each is a series in every scrape; the shipped profile has some fifty."""
MAX_TOLD_CHARS = 200
"""Of a value or a sentence of the file in what the gateway says."""


class NodeResultError(RailbirdError):
    """No result that could be believed; the message says why."""


class KnobState(Enum):
    """What became of a knob."""

    TUNED = "tuned"
    SKIPPED = "skipped"
    NOT_NEEDED = "not_needed"
    FAILED = "failed"
    FOREIGN = "foreign"

    @property
    def is_as_wanted(self) -> bool:
        """Whether nothing is to be said of it."""
        return self in (KnobState.TUNED, KnobState.NOT_NEEDED)


class Overall(Enum):
    """What all knobs make together."""

    TUNED = "tuned"
    DEGRADED = "degraded"
    FAILED = "failed"


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class KnobResult(_Part):
    """One row of the file."""

    # A metric's label, and a word of a line.
    name: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,96}$")]
    required: bool
    state: KnobState
    wanted: str
    found: JsonValue
    why: str
    note: str

    def __str__(self) -> str:
        """One line for people: what is wrong with it, and why."""
        found = "nothing" if self.found is None else told(self.found)
        said = f"{self.name}: {self.state.value}: found {found}, wanted {told(self.wanted)}"
        return f"{said}: {told(self.note or self.why)}"


class Profile(_Part):
    """Which profile the tuner followed."""

    name: str
    digest: str


class NodeResult(_Part):
    """The whole file."""

    overall: Overall
    written_at: AwareDatetime
    boot_id: str
    namespace: str
    profile: Profile
    knobs: tuple[KnobResult, ...] = Field(max_length=MAX_KNOBS)

    @property
    def written_unix_s(self) -> float:
        """When the tuner wrote it."""
        return self.written_at.timestamp()

    @property
    def is_failed(self) -> bool:
        """Whether the node is not fit for media, by what the file says or by what it shows."""
        return self.overall is Overall.FAILED or bool(self.failures)

    @property
    def failures(self) -> tuple[KnobResult, ...]:
        """Required knobs that are not as wanted."""
        return tuple(knob for knob in self.knobs if knob.required and not knob.state.is_as_wanted)

    @property
    def shortcomings(self) -> tuple[KnobResult, ...]:
        """Optional ones."""
        return tuple(knob for knob in self.knobs if not knob.required and not knob.state.is_as_wanted)


class _Versioned(_Part):
    version: int = Field(alias="schema")


def parse_result(data: bytes) -> NodeResult:
    """NodeResultError says what is wrong with it."""
    if len(data) > MAX_RESULT_BYTES:
        raise NodeResultError(f"it has more than {MAX_RESULT_BYTES} bytes")
    try:
        schema = _Versioned.model_validate_json(data).version
        if schema != SCHEMA:
            raise NodeResultError(f"its schema is {schema}, and this gateway knows {SCHEMA} alone")
        return NodeResult.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise NodeResultError(told(f"{where}: {first['msg']}" if where else first["msg"])) from None


def told(value: JsonValue) -> str:
    """On one line, and not too long."""
    text = value if isinstance(value, str) else json.dumps(value)
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= MAX_TOLD_CHARS else f"{line[:MAX_TOLD_CHARS]}..."
