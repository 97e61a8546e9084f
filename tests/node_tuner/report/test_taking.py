"""All probes one after the other, and one that fails."""

import json
from collections.abc import Callable, Iterator

import pytest

from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Section, as_json
from node_tuner.report.taking import PROBES, take
from tests.node_tuner.namespaces import namespace, pair


def _good(_roots: Roots) -> Iterator[Section]:
    yield Section("good", [Finding("it", True)])


@pytest.mark.parametrize("error", [UnavailableError("needs CAP_NET_ADMIN"), OSError(13, "no"), ValueError("odd")])
def test_take_goes_on_after_a_probe_that_fails(error: Exception) -> None:
    def bad(_roots: Roots) -> Iterator[Section]:
        raise error

    first, second = take(Roots(), {"bad": bad, "good": _good})
    assert (first.title, first.findings[0].value) == ("bad", None)
    assert str(error) in first.findings[0].note
    assert second.title == "good"


def _everything() -> list[Section]:
    return list(take(Roots()))


@pytest.mark.netns
@pytest.mark.nft
def test_take_looks_at_everything_in_a_namespace_and_changes_nothing() -> None:
    with pair() as both:
        before = _state(both.near.namespace.run)
        sections = both.near.namespace.call(_everything)
        assert _state(both.near.namespace.run) == before
    document = as_json(sections)
    json.dumps(document)
    found = document["sections"]
    assert set(PROBES) - {"interfaces"} <= set(found)
    assert "interface media0" in found
    assert not [name for name, section in found.items() if "probe" in section], "no probe failed"
    assert found["kernel"]["network namespace"]["value"] == "another"
    assert found["nftables"]["notrack"]["value"] is True
    assert found["interface media0"]["driver"]["value"] == "veth"


def _state(run: Callable[..., str]) -> tuple[str, ...]:
    looks = (("nft", "list", "ruleset"), ("tc", "qdisc", "show"), ("ip", "link", "show"), ("tc", "filter", "show"))
    return tuple(run(*look) for look in looks)


@pytest.mark.netns
def test_take_in_a_namespace_without_interfaces_but_lo() -> None:
    with namespace() as alone:
        titles = [section.title for section in alone.call(_everything)]
    assert "interface lo" in titles
