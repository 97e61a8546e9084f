"""docs/cluster.md: what it tells to type is there, what it shows is so, and what was not run says so."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

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


def _shell(script: str, directory: Path) -> str:
    ended = subprocess.run(
        ["sh", "-euc", script], cwd=directory, capture_output=True, text=True, timeout=10, check=True
    )
    return ended.stdout.strip()


def _line(begin: str) -> str:
    (found,) = (line for line in PAGE.lines if line.startswith(begin))
    return found


@pytest.mark.parametrize(
    ("instance", "address"), [("198.51.100.70:8080", "198.51.100.70"), ("[2001:db8:2:1::70]:8080", "2001:db8:2:1::70")]
)
def test_pod_is_looked_for_by_the_bare_address_of_an_instance(tmp_path: Path, instance: str, address: str) -> None:
    script = f"INSTANCE='{instance}'; {_line('ADDRESS=')}; echo $ADDRESS"
    assert _shell(script, tmp_path) == address
    assert "status.podIP=$ADDRESS " in PAGE.text


def test_release_gets_the_digest_of_the_one_image(tmp_path: Path) -> None:
    path = "daemonset/release/kustomization.yaml"
    (tmp_path / path).parent.mkdir(parents=True)
    before = (ROOT / path).read_text(encoding="utf-8")
    (tmp_path / path).write_text(before)
    (tmp_path / "digest").write_text(f"sha256:{'a' * 64}\n")
    _shell(_line("sed -i").split("   #")[0], tmp_path)
    images = [yaml.safe_load(text)["images"] for text in (before, (tmp_path / path).read_text(encoding="utf-8"))]
    assert images[1][0] == images[0][0] | {"digest": f"sha256:{'a' * 64}"}
    assert images[1][1:] == images[0][1:]


def test_rules_are_as_many_as_shown() -> None:
    assert f"SUCCESS: {len(rules())} rules found" in PAGE.text


@pytest.mark.kubectl
def test_objects_are_as_many_as_shown() -> None:
    objects = rendering.rendered(ROOT / "daemonset" / "overlays" / _overlay())
    shown = {kind: int(count) for count, kind in re.findall(r"^ +(\d+) kind: (\w+)$", PAGE.text, re.MULTILINE)}
    assert Counter(each["kind"] for each in objects) == shown
    assert f"grep -c '^kind:'\n{len(objects)}\n" in PAGE.text
