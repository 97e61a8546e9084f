import ipaddress

import ifaddr
import pytest

from gateway.hub.addresses import candidate_hosts


def _adapter(*addresses: str | tuple[str, int, int]) -> ifaddr.Adapter:
    return ifaddr.Adapter("eth0", "eth0", [ifaddr.IP(address, 24, "eth0") for address in addresses])


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two interfaces, with what an ordinary machine has."""
    adapters = [
        _adapter("127.0.0.1", ("::1", 0, 0)),
        _adapter("169.254.7.7", ("fe80::1", 0, 2), ("2001:db8::5", 0, 0), "192.0.2.5"),
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)


@pytest.mark.usefixtures("machine")
def test_candidates_are_the_configured_addresses_in_their_order() -> None:
    public = [ipaddress.ip_address("2001:db8::9"), ipaddress.ip_address("198.51.100.9")]
    assert candidate_hosts(public, "::") == ["2001:db8::9", "198.51.100.9"]


@pytest.mark.usefixtures("machine")
def test_candidates_of_a_bound_address_are_that_address() -> None:
    assert candidate_hosts([], "192.0.2.5") == ["192.0.2.5"]


@pytest.mark.usefixtures("machine")
def test_candidates_of_a_dual_stack_wildcard_are_the_machines_own_with_loopback_last() -> None:
    assert candidate_hosts([], "::") == ["192.0.2.5", "2001:db8::5", "127.0.0.1", "::1"]


@pytest.mark.usefixtures("machine")
def test_candidates_of_an_ipv4_wildcard_are_ipv4() -> None:
    assert candidate_hosts([], "0.0.0.0") == ["192.0.2.5", "127.0.0.1"]


def test_candidates_of_this_machine_are_addresses() -> None:
    hosts = candidate_hosts([], "::")
    assert ipaddress.ip_address("127.0.0.1") in map(ipaddress.ip_address, hosts)
