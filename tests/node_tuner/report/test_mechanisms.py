"""What nftables and eBPF take, with and without the rights to."""

from collections.abc import Callable
from functools import partial

import pytest

from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Probe
from node_tuner.report.mechanisms import ebpf, nftables
from tests.node_tuner.namespaces import namespace
from tests.node_tuner.privileges import NOBODY, become


def _of(probe: Probe, prepare: Callable[[], None] = lambda: None) -> dict[str, Finding]:
    prepare()
    return {each.name: each for section in probe(Roots()) for each in section.findings}


@pytest.mark.netns
@pytest.mark.nft
def test_nftables_with_the_rights_to_takes_all_expressions_and_keeps_nothing() -> None:
    with namespace() as alone:
        found = alone.call(partial(_of, nftables))
        assert alone.run("nft", "list", "ruleset") == ""
    assert {name: each.value for name, each in found.items()} == {
        "nftables": True,
        "notrack": True,
        "fib": True,
        "dscp set": True,
        "raw payload": True,
    }


@pytest.mark.netns
@pytest.mark.nft
def test_nftables_without_rights_says_which_is_needed_and_tries_no_more() -> None:
    with namespace() as alone:
        found = alone.call(partial(_of, nftables, partial(become, NOBODY)))
    assert list(found) == ["nftables"]
    assert found["nftables"].value is False
    assert "CAP_NET_ADMIN" in found["nftables"].note


@pytest.mark.netns
def test_nftables_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node_tuner.controls.nft.shutil.which", lambda *_, **__: None)
    found = _of(nftables)
    assert (found["nftables"].value, list(found)) == (False, ["nftables"])
    assert "install nftables" in found["nftables"].note


@pytest.mark.netns
def test_nftables_expression_that_the_kernel_lacks_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = {"unknown": ("a test", {"match": {"op": "==", "left": {"nonsense": 1}, "right": 2}})}
    monkeypatch.setattr("node_tuner.report.mechanisms._EXPRESSIONS", unknown)
    with namespace() as alone:
        found = alone.call(partial(_of, nftables))
    assert (found["nftables"].value, found["unknown"].value) == (True, False)
    assert found["unknown"].note.startswith("a test: ")


@pytest.mark.netns
@pytest.mark.parametrize(("capabilities", "may"), [((), False), (("CAP_BPF", "CAP_NET_ADMIN"), True)])
def test_ebpf_is_told_by_trying(capabilities: tuple[str, ...], may: bool) -> None:
    with namespace() as alone:
        found = alone.call(partial(_of, ebpf, partial(become, NOBODY, *capabilities)))
    assert found["programs can be loaded"].value is may
    assert ("CAP_BPF" in found["programs can be loaded"].note) is not may
