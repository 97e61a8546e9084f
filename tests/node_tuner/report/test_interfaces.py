"""Interfaces of a namespace, and what their drivers say."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from node_tuner.machine.roots import Roots
from node_tuner.report import interfaces as module
from node_tuner.report.finding import Section
from node_tuner.report.interfaces import interfaces
from tests.node_tuner.namespaces import LINK, namespace, pair
from tests.node_tuner.privileges import NOBODY, become


def _sections() -> Sequence[Section]:
    return list(interfaces(Roots()))


def _values(section: Section) -> Mapping[str, object]:
    return {each.name: each.value for each in section.findings}


@pytest.mark.netns
def test_interfaces_of_a_veth_with_queues() -> None:
    with pair(queues=4) as both:
        sections = {each.title: each for each in both.near.namespace.call(_sections)}
    media = sections[f"interface {LINK}"]
    values = _values(media)
    assert values["driver"] == "veth"
    assert values["queues"] == {"rx": 4, "tx": 4}
    assert values["speed Mb/s"] == 10_000
    assert values["UDP segmentation offload"] is True
    assert values["channels"] == {"rx": 4, "tx": 4}
    notes = {each.name: each.note for each in media.findings}
    assert notes["channels"] == "at most rx 4, tx 4"
    assert values["coalescing"] is None
    assert "has no coalescing" in notes["coalescing"]
    assert "cannot be changed" not in notes["UDP segmentation offload"]
    assert "interface lo" in sections


def _as_nobody() -> Sequence[Section]:
    become(NOBODY)
    return _sections()


@pytest.mark.netns
def test_interfaces_without_rights_are_told_all_the_same() -> None:
    with pair() as both:
        sections = {each.title: each for each in both.near.namespace.call(_as_nobody)}
    media = sections[f"interface {LINK}"]
    assert _values(media)["UDP segmentation offload"] is True
    notes = {each.name: each.note for each in media.findings}
    assert "cannot be changed: needs CAP_NET_ADMIN" in notes["UDP segmentation offload"]


@pytest.mark.netns
def test_interfaces_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INTERFACES", 2)
    with namespace() as alone:
        alone.run("sh", "-c", "for i in 1 2 3; do ip link add dummy$i type veth peer name peer$i; done")
        sections = alone.call(_sections)
    assert [each.title for each in sections[2:]] == ["more interfaces"]
    assert sections[2].findings[0].value == 5


@pytest.mark.netns
def test_interfaces_that_sysfs_does_not_show_say_so(tmp_path: Path) -> None:
    roots = dataclasses.replace(Roots(), sys=tmp_path)

    def sections() -> Sequence[Section]:
        return list(interfaces(roots))

    with pair() as both:
        found = both.near.namespace.call(sections)
    assert [each.title for each in found] == ["interface lo", f"interface {LINK}"]
    assert all(each.findings[0].value is None for each in found)
    assert str(tmp_path) in found[1].findings[0].note
