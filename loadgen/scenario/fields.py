"""What the sections of a scenario are made of.

A field has two names: with its unit in code (`stay_s`), without it in a file (`stay`), where the value has the unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from loadgen.scenario.durations import Quantity

FROM_FILE = "from file"
"""The context of a validation in which every number needs its unit."""


class Section(BaseModel):
    """A mapping of a scenario file: its keys are known, or it is refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, use_attribute_docstrings=True
    )


class InconsistentError(ValueError):
    """Settings that are fine by themselves and not together; `where` is the path to the one to change."""

    def __init__(self, where: tuple[str | int, ...], sentence: str) -> None:
        super().__init__(sentence)
        self.where = where


@dataclass(frozen=True, slots=True)
class Within:
    """Makes a float a quantity with bounds: text with a unit in a file, a number of base units in code."""

    quantity: Quantity
    least: float
    most: float

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self.quantity.text, when_used="json")
        return core_schema.with_info_plain_validator_function(self._value, serialization=written)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": self.quantity.pattern, "$comment": self._range}

    def _value(self, given: object, info: core_schema.ValidationInfo[Any]) -> float:
        if isinstance(given, (int, float)) and info.context != FROM_FILE:
            value = float(given)
        else:
            value = self.quantity.parse(given if isinstance(given, str) else "")
        if not self.least <= value <= self.most:
            raise ValueError(f"expected {self._range}")
        return value

    @property
    def _range(self) -> str:
        return f"{self.quantity.text(self.least)} to {self.quantity.text(self.most)}"


def chosen_by_key(key: str, has_it: type[Section]) -> Discriminator:
    """Two sections in one place, told apart by a key that one of them must have.

    Their tags are (in parentheses, as the path to a setting leaves them out) `(with)` and `(without)`.
    """

    def tag(given: object) -> str:
        has_key = key in given if isinstance(given, Mapping) else isinstance(given, has_it)
        return "(with)" if has_key else "(without)"

    return Discriminator(tag)


NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"

NAME_RULE = "expected 1 to 64 letters, digits, dots, dashes and underscores, a letter or a digit first"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""Of what needs no quoting: in a URL, in the name of a file, in a metric's label."""
