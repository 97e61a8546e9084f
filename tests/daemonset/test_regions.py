"""Regions are the same edge, but for what a region is: its jurisdictions, addresses, limits, partners."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations
from typing import Any

import pytest

from tests.daemonset.pods import gateway, named, of_kind, pods
from tests.daemonset.rendering import DAEMONSET, Object
from tests.daemonset.trees import REGIONS, objects

pytestmark = pytest.mark.kubectl

REGION = pytest.mark.parametrize("region", REGIONS)
PAIR = pytest.mark.parametrize("pair", list(combinations(REGIONS, 2)), ids="-".join)

MAY_DIFFER = (
    r".*/labels/railbird\.io/region",
    r"ConfigMap railbird-region/data/.*",
    r"CiliumLoadBalancerIPPool railbird-gateway/spec/blocks/.*",
    r"Service railbird-gateway/metadata/annotations/external-dns\..*",
    r"ConfigMap railbird-settings/data/RAILBIRD_(LIMITS__SESSIONS|DRAIN__ELSEWHERE|TRACING__\w+)",
    r"DaemonSet railbird-gateway/.*/containers/gateway/resources/(requests|limits)/(cpu|memory)",
    r"DaemonSet railbird-collector/.*/env/TRACES_URL/value",
    # Of components that a region may do without.
    r"ConfigMap railbird-settings/data/RAILBIRD_(ROUNDS__LEDGER|AUDIT__DIRECTORY)",
    r"DaemonSet railbird-gateway/.*/ledger(/.*)?",
    r"DaemonSet railbird-gateway/.*/containers/gateway/env/OTEL_RESOURCE_ATTRIBUTES/.*",
    r"(ConfigMap|DaemonSet|NetworkPolicy|Service|ServiceAccount) railbird-collector/.*",
    r"NetworkPolicy railbird-gateway/spec/egress/3/.*",  # to the collector: the last one
)
"""Paths of what two regions may say differently."""

_HASH = re.compile(r"-[a-z0-9]{10}$")
"""Behind the name of a generated ConfigMap."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Region:
    data: dict[str, str]
    jurisdictions: frozenset[str]
    signalling: tuple[Network, ...]
    media: tuple[Network, ...]
    elsewhere: tuple[str, ...]


def _settings(region: str) -> dict[str, str]:
    (found,) = (
        each["data"]
        for each in of_kind(objects(region), "ConfigMap")
        if each["metadata"]["name"].startswith("railbird-settings-")
    )
    return dict(found)


def _region(name: str) -> Region:
    data = named(objects(name), "ConfigMap", "railbird-region")["data"]
    pool = named(objects(name), "CiliumLoadBalancerIPPool", "railbird-gateway")["spec"]
    return Region(
        data,
        frozenset(data["jurisdictions"].split()),
        tuple(ip_network(each["cidr"]) for each in pool["blocks"]),
        tuple(map(ip_network, data["mediaPrefixes"].split())),
        tuple(json.loads(_settings(name)["RAILBIRD_DRAIN__ELSEWHERE"])),
    )


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(path, value) of every leaf; items of lists go by their name where they have one."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{path}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            name = each.get("name", number) if isinstance(each, dict) else number
            yield from _flat(each, f"{path}/{name}")
    else:
        yield path, _HASH.sub("", value) if isinstance(value, str) else value


def _leaves(each: Object) -> Iterator[tuple[str, Any]]:
    return _flat(each, f"{each['kind']} {_HASH.sub('', each['metadata']['name'])}")


def _everything(region: str) -> dict[str, Any]:
    return {path: value for each in objects(region) for path, value in _leaves(each)}


def test_there_are_regions_to_roll_out_one_after_the_other() -> None:
    assert len(REGIONS) >= 2


@PAIR
def test_regions_differ_only_where_they_may(pair: tuple[str, str]) -> None:
    one, other = map(_everything, pair)
    differing = [path for path in one | other if one.get(path) != other.get(path)]
    assert differing
    assert [path for path in differing if not any(re.fullmatch(each, path) for each in MAY_DIFFER)] == []


@PAIR
def test_regions_have_addresses_of_their_own(pair: tuple[str, str]) -> None:
    one, other = map(_region, pair)
    for mine in one.signalling + one.media:
        assert not any(mine.version == its.version and mine.overlaps(its) for its in other.signalling + other.media)


@REGION
def test_region_has_addresses_of_both_families_and_media_apart(region: str) -> None:
    found = _region(region)
    for networks in (found.signalling, found.media):
        assert sorted(each.version for each in networks) == [4, 6]
    for pool in found.signalling:
        assert not any(pool.version == each.version and pool.overlaps(each) for each in found.media)


@REGION
def test_pool_is_for_the_service_of_signalling_alone(region: str) -> None:
    selector = named(objects(region), "CiliumLoadBalancerIPPool", "railbird-gateway")["spec"]["serviceSelector"]
    wanted = dict(selector["matchLabels"])
    assert wanted.pop("io.kubernetes.service.namespace") == "railbird"
    balanced = [each for each in of_kind(objects(region), "Service") if each["spec"].get("type") == "LoadBalancer"]
    assert [wanted.items() <= each["metadata"]["labels"].items() for each in balanced] == [True]


@REGION
def test_region_says_its_name_everywhere(region: str) -> None:
    assert _region(region).data["region"] == region
    for each in objects(region):
        assert each["metadata"]["labels"]["railbird.io/region"] == region
    for pod in pods(objects(region)):
        assert pod.labels["railbird.io/region"] == region


@REGION
def test_name_of_the_service_is_the_address_of_the_region(region: str) -> None:
    annotations = named(objects(region), "Service", "railbird-gateway")["metadata"]["annotations"]
    address = f"https://{annotations['external-dns.alpha.kubernetes.io/hostname']}"
    assert _region(region).data["address"] == address


@REGION
def test_players_are_moved_only_to_where_their_jurisdictions_are_served(region: str) -> None:
    by_address = {_region(each).data["address"]: _region(each) for each in REGIONS}
    here = _region(region)
    for address in here.elsewhere:
        assert here.jurisdictions <= by_address[address].jurisdictions


@REGION
def test_players_are_not_moved_to_where_they_are(region: str) -> None:
    """A page keeps its connection to an address that it knows, and that leads to the node that drains."""
    assert _region(region).data["address"] not in _region(region).elsewhere


@REGION
def test_region_has_jurisdictions_by_their_codes(region: str) -> None:
    found = _region(region).jurisdictions
    assert found
    assert all(re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", each) for each in found)


@REGION
def test_session_of_every_player_fits_into_the_memory(region: str) -> None:
    """104 kB each, measured, above what a gateway has without players (README.md)."""
    limit = gateway(objects(region)).container("gateway").spec["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    needed_bytes = int(_settings(region)["RAILBIRD_LIMITS__SESSIONS"]) * 104_000 + (256 << 20)
    assert needed_bytes < int(limit.removesuffix("Gi")) << 30


def _per_node(region: str, resource: str) -> float:
    """What the pods of one node ask for, besides what their init containers need before: cores, or GiB."""
    asked = (
        str(each.spec["resources"]["requests"][resource])
        for pod in pods(objects(region))
        for each in pod.containers
        if each.stays
    )
    units = {"m": 1e-3, "Mi": 1 / 1024, "Gi": 1.0, "": 1.0}
    return sum(
        float(number) * units[unit] for number, unit in (re.findall(r"^([\d.]+)(\D*)$", each)[0] for each in asked)
    )


@REGION
def test_readme_says_what_a_node_of_the_region_must_have(region: str) -> None:
    text = (DAEMONSET / "README.md").read_text(encoding="utf-8")
    assert f"{region} {_per_node(region, 'cpu'):.1f} cores and {_per_node(region, 'memory'):.1f} GiB" in text


@REGION
def test_image_is_named_by_the_release_alone(region: str) -> None:
    images = {each.spec["image"] for pod in pods(objects(region)) for each in pod.containers}
    others = {each.spec["image"] for name in REGIONS for pod in pods(objects(name)) for each in pod.containers}
    assert images <= others
    assert all(re.fullmatch(r"registry\.example\.com/railbird/\w+@sha256:[0-9a-f]{64}", each) for each in images)
