"""Who is put under load, and who is not. Names are looked up in a table here: a test asks no name server."""

import ipaddress
import pickle
import socket
from typing import Any

import pytest

from loadgen.errors import TargetError
from loadgen.target import safety
from loadgen.target.safety import Permission, require_permission

NAMES = {
    "edge.internal": ["10.1.2.3", "fd00::3"],
    "edge.example": ["203.0.113.7", "2001:db8::7"],
    "half.example": ["192.168.0.9", "203.0.113.9"],
    "mapped.example": ["::ffff:203.0.113.7"],
    "zone.internal": ["fe80::5%eth0"],
}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    really = socket.getaddrinfo

    def look_up(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        if host in NAMES:
            return [(0, 0, 0, "", (address, 0)) for address in NAMES[host]]
        if any(each.isalpha() for each in host) and ":" not in host and host != "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return really(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.255.0.1",
        "https://[::1]:8443/live",
        "http://localhost",
        "http://10.255.0.1",
        "http://172.16.0.1",
        "http://172.31.255.255",
        "http://192.168.3.4",
        "http://169.254.9.9",
        "http://[fe80::1]",
        "http://[fd12::1]",
        "http://[::ffff:10.0.0.1]",
        "http://edge.internal",
        "http://EDGE.internal.:8080",
        "http://zone.internal",
    ],
)
def test_near_target_is_permitted(url: str) -> None:
    assert require_permission(url, ()).addresses


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://203.0.113.7", "203.0.113.7"),
        ("http://8.8.8.8", "8.8.8.8"),
        ("http://172.32.0.1", "172.32.0.1"),
        ("http://100.64.0.1", "100.64.0.1"),
        ("http://0.0.0.0", "0.0.0.0"),
        ("http://[2001:db8::7]", "2001:db8::7"),
        ("http://[::ffff:8.8.8.8]", "8.8.8.8"),
        ("http://edge.example", "2001:db8::7 and 203.0.113.7"),
        ("http://half.example", "203.0.113.9"),
        ("http://mapped.example", "203.0.113.7"),
        ("http://127.0.0.1@edge.example", "2001:db8::7 and 203.0.113.7"),
    ],
)
def test_far_target_is_refused_by_its_addresses_and_the_flag_is_named(url: str, addresses: str) -> None:
    with pytest.raises(TargetError) as refused:
        require_permission(url, ())
    assert f"is {addresses}, not on this machine" in str(refused.value)
    assert "--i-own-this-target" in str(refused.value)


def test_refusal_says_what_to_type() -> None:
    with pytest.raises(TargetError, match=r"--i-own-this-target edge\.example\."):
        require_permission("https://edge.example:8443/x", ["other.example"])


@pytest.mark.parametrize("named", ["edge.example", "Edge.Example", "edge.example."])
def test_target_that_is_named_is_permitted(named: str) -> None:
    permission = require_permission("https://EDGE.example:8443", [named])
    assert {str(each) for each in permission.addresses} == set(NAMES["edge.example"])
    assert permission.is_own


def test_address_that_is_named_is_permitted() -> None:
    assert require_permission("http://[2001:DB8::7]", ["[2001:db8::7]"]).is_own


def test_name_is_not_permitted_by_naming_its_address() -> None:
    with pytest.raises(TargetError):
        require_permission("http://edge.example", NAMES["edge.example"])


@pytest.mark.parametrize(
    "url", ["", "edge.internal", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://[::1"]
)
def test_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(TargetError, match="is no URL"):
        require_permission(url, ())


def test_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TargetError, match=r"The host nowhere\.example cannot be looked up"):
        require_permission("http://nowhere.example", ["nowhere.example"])


@pytest.mark.parametrize(
    ("ip", "near", "own"),
    [
        ("127.0.0.1", True, True),
        ("192.168.0.1", True, True),
        ("fe80::1%eth0", True, True),
        ("::ffff:10.0.0.1", True, True),
        ("203.0.113.7", False, True),
        ("2001:db8::7", False, True),
        ("::ffff:203.0.113.7", False, True),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("255.255.255.255", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("a3b1.local", False, False),
        ("", False, False),
    ],
)
def test_media_goes_to_near_addresses_and_to_where_an_own_target_says(ip: str, near: bool, own: bool) -> None:
    assert require_permission("http://edge.internal", ["edge.example"]).may_send_media_to(ip) is near
    assert require_permission("http://edge.example", ["edge.example"]).may_send_media_to(ip) is own


@pytest.mark.parametrize(
    ("host", "is_permitted"),
    [
        ("edge.internal", True),
        ("EDGE.INTERNAL.", True),
        ("edge.example", True),
        ("10.0.0.1", True),
        ("[::1]", True),
        ("8.8.8.8", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_redirect_leads_to_named_hosts_and_near_addresses(host: str, is_permitted: bool) -> None:
    permission = require_permission("http://edge.internal", ["edge.example"])
    assert permission.may_send_requests_to(host) is is_permitted


def test_permission_travels_to_the_workers() -> None:
    permission = require_permission("http://127.0.0.1", ["edge.example"])
    addresses = frozenset({ipaddress.IPv4Address("127.0.0.1")})
    own = permission.own_addresses
    assert permission == Permission("127.0.0.1", addresses, frozenset({"edge.example"}), own)
    assert pickle.loads(pickle.dumps(permission)) == permission


def test_this_machines_own_addresses_are_permitted_whatever_network_they_are_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public, ours = ipaddress.ip_address("203.0.113.7"), ipaddress.ip_address("2001:db8::7")
    monkeypatch.setattr(safety, "_own_addresses", lambda: frozenset((public, ours)))
    permission = require_permission("http://edge.example", ())
    assert permission.may_send_media_to("203.0.113.7")
    assert not permission.may_send_media_to("203.0.113.8")
    with pytest.raises(TargetError, match="half"):
        require_permission("http://half.example", ())


def test_own_addresses_are_those_of_the_interfaces() -> None:
    assert ipaddress.ip_address("127.0.0.1") in require_permission("http://127.0.0.1", ()).own_addresses
