"""Which interface a profile means."""

from ipaddress import ip_address
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from node_tuner.machine.choice import ByAddress, ByDefaultRoute, ByName, Choice
from node_tuner.profile.interface import InterfaceField, choice_of

FIELD: TypeAdapter[Any] = TypeAdapter(InterfaceField)


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        ("default_route", ByDefaultRoute()),
        ({"name": "eth0"}, ByName("eth0")),
        ({"name": "bond0.100"}, ByName("bond0.100")),
        ({"address": "192.0.2.7"}, ByAddress(ip_address("192.0.2.7"))),
        ({"address": "2001:db8::7"}, ByAddress(ip_address("2001:db8::7"))),
    ],
)
def test_interface_is_chosen(given: object, choice: Choice) -> None:
    assert choice_of(FIELD.validate_python(given)) == choice


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("eth0", "'default_route'"),
        (5, "valid dictionary or instance"),
        ({}, "expected exactly one of name, address"),
        ({"name": "eth0", "address": "192.0.2.7"}, "expected exactly one of name, address"),
        ({"name": "a/b"}, "should match pattern"),
        ({"name": "sixteen-letters-"}, "should match pattern"),
        ({"name": ""}, "should match pattern"),
        ({"address": "192.0.2.300"}, "expected an IPv4 or IPv6 address"),
        ({"address": "192.0.2.0/24"}, "expected an IPv4 or IPv6 address"),
        ({"address": 5}, "valid string"),
    ],
)
def test_interface_that_cannot_be_is_refused(given: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FIELD.validate_python(given)
