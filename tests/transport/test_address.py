import pytest

from gateway.transport.address import Address, family_of, host_of


@pytest.mark.parametrize(
    ("address", "host", "family"),
    [
        (("192.0.2.1", 5), "192.0.2.1", "ipv4"),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1", "ipv4"),
        (("2001:db8::1", 5, 0, 0), "2001:db8::1", "ipv6"),
        (("::1", 5, 0, 0), "::1", "ipv6"),
    ],
)
def test_host_and_family_of_an_address(address: Address, host: str, family: str) -> None:
    assert host_of(address) == host
    assert family_of(address) == family
