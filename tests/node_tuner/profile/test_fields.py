"""What all sections have in common."""

import pytest
from pydantic import BaseModel, ValidationError

from node_tuner.ports import Ports
from node_tuner.profile.fields import InconsistentError, KnobSection, PortSet, PortsOrReference, refuse


class Lists(BaseModel):
    own: PortSet
    any: PortsOrReference = "media_ports"


@pytest.mark.parametrize("given", [8189, "8189", ["8189"], [8189], (8189,), Ports({8189})])
def test_ports_are_read_however_they_are_written(given: object) -> None:
    assert Lists.model_validate({"own": given, "any": given}) == Lists(own=Ports({8189}), any=Ports({8189}))


def test_ports_are_written_as_text() -> None:
    written = Lists.model_validate({"own": "9000-9001,8189"}).model_dump(mode="json")
    assert written == {"own": "8189,9000-9001", "any": "media_ports"}


@pytest.mark.parametrize("given", [True, None, 0, 65_536, -1, 1.5, {}, {"a": 1}, [[1]], "media_ports", [], [None], ","])
def test_what_is_no_ports_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        Lists.model_validate({"own": given})


def test_knob_is_optional_to_begin_with_and_has_a_reason() -> None:
    assert KnobSection(why=" it is so ", source="a page").why == "it is so"
    assert KnobSection(why="a", source="b").required is False


@pytest.mark.parametrize(
    "values",
    [
        {"source": "b"},
        {"why": "a"},
        {"why": "", "source": "b"},
        {"why": "a", "source": "\t"},
        {"why": "a" * 1001, "source": "b"},
        {"why": 5, "source": "b"},
        {"why": "a", "source": "b", "required": 1},
        {"why": "a", "source": "b", "required": "true"},
        {"why": "a", "source": "b", "optional": True},
    ],
)
def test_knob_without_what_it_needs_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KnobSection.model_validate(values)


def test_refusal_tells_every_problem() -> None:
    problems = ((("rx",), "too few"), (("tx", 0), "too many"))
    with pytest.raises(InconsistentError, match="too few; too many") as refused:
        refuse(*problems)
    assert refused.value.problems == problems


def test_nothing_is_refused_without_a_problem() -> None:
    refuse()
