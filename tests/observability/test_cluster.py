"""docs/cluster.md: what it tells to type is there, what it shows is so, and what was not run says so."""

import re
from collections import Counter

import pytest

from tests.daemonset import rendering
from tests.observability.commands import check_debug, check_kubectl, check_ours
from tests.observability.rules import ROOT, rules
from tests.observability.runbook import Runbook, anchors

PAGE = Runbook.read(ROOT / "docs" / "cluster.md")
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE.text, re.MULTILINE | re.DOTALL)
SHORT_VERSION_LINES = 42

ASKS_A_CLUSTER = re.compile(
    r"^(?:.*\| )?(?:kubectl (?!kustomize)|argocd|cosign|podman push|git push|crictl)", re.MULTILINE
)


def _overlay() -> str:
    found = re.search(r"kubectl kustomize daemonset/overlays/([\w-]+) \| grep '\^kind:'", PAGE.text)
    assert found is not None
    return found[1]


def test_each_block_says_whether_it_was_run() -> None:
    assert {block.splitlines()[0] for block in BLOCKS} == {"# run", "# not run"}
    assert PAGE.text.count("```") == 2 * len(BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_what_wants_a_cluster_is_marked_as_not_run(block: str) -> None:
    assert not (block.startswith("# run") and ASKS_A_CLUSTER.search(block))


def test_commands_name_what_there_is() -> None:
    for command in PAGE.commands:
        check_kubectl(command)
        check_debug(command)
        # The output of ours, which is no command.
        if not command.startswith(("{", "railbird-tuner restore --state node-state", "image:")):
            check_ours(command)


def test_targets_of_make_are_there() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z]+)", PAGE.text)) <= set(targets)


def test_paths_and_links_lead_somewhere() -> None:
    for path in set(re.findall(r"\bdaemonset/(?!railbird-gateway)[\w./-]*\w", PAGE.text)):
        assert (ROOT / path).exists(), path
    for path in set(re.findall(r"(?<!/)\bcomponents/[\w-]+", PAGE.text)):
        assert (ROOT / "daemonset" / path).exists(), path
    for link in PAGE.links:
        file, _, anchor = link.partition("#")
        assert (PAGE.path.parent / file).exists(), link
        assert not anchor or anchor in anchors(PAGE.path.parent / file), link


def test_short_version_comes_first() -> None:
    assert PAGE.lines.index("## 1. The image") <= SHORT_VERSION_LINES


def test_rules_are_as_many_as_shown() -> None:
    assert f"SUCCESS: {len(rules())} rules found" in PAGE.text


@pytest.mark.kubectl
def test_objects_are_as_many_as_shown() -> None:
    objects = rendering.rendered(ROOT / "daemonset" / "overlays" / _overlay())
    shown = {kind: int(count) for count, kind in re.findall(r"^ +(\d+) kind: (\w+)$", PAGE.text, re.MULTILINE)}
    assert Counter(each["kind"] for each in objects) == shown
    assert f"grep -c '^kind:'\n{len(objects)}\n" in PAGE.text
