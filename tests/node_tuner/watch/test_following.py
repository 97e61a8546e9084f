"""Which profile a node is watched by, after its file was edited and after it was applied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog

from node_tuner.profile.loading import load
from node_tuner.result import KnobResult, ProfileId, Result, State
from node_tuner.watch.following import Followed
from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.watch.rows import row


class Node:
    """With a profile and a result; its first profile is followed."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.result = directory, directory / "node.json"
        self.path = write_profile(directory)
        self.first = load(self.path).digest
        self.followed = Followed(lambda: load(self.path), self.result)

    def edit(self) -> str:
        """The digest of what is in the file now."""
        return load(write_profile(self.directory, udp_rmem_min=16384)).digest

    def tell(self, command: str, digest: str, *rows: KnobResult) -> None:
        """Have a result."""
        Result(command, "now", "boot", "1", "6.18", "media0", ProfileId("mine", digest), rows).write(self.result)

    @property
    def digest(self) -> str:
        """Of the profile that is followed now."""
        return self.followed.latest().digest


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


FAILED = [row("a", State.FAILED)]


@pytest.mark.parametrize(
    ("command", "rows"), [("apply", ()), ("apply", FAILED), ("verify", ())], ids=["tuned", "failed", "found tuned"]
)
def test_profile_that_was_applied_is_followed(node: Node, command: str, rows: Sequence[KnobResult]) -> None:
    edited = node.edit()
    node.tell(command, edited, *rows)
    assert node.digest == edited
    node.tell("watch", edited)
    assert node.digest == edited


def test_profile_that_was_edited_alone_is_not_followed(node: Node) -> None:
    edited = node.edit()
    assert node.digest == node.first
    node.tell("watch", node.first)
    assert node.digest == node.first
    node.tell("verify", edited, *FAILED)
    assert node.digest == node.first


def test_profile_of_another_file_that_was_applied_is_not_followed(node: Node) -> None:
    node.tell("apply", "of another file")
    assert node.digest == node.first


def test_profile_that_is_refused_leaves_the_one_of_before(node: Node) -> None:
    node.tell("apply", node.edit())
    node.path.write_text("schema: 1\nnonsense: 1\n")
    with structlog.testing.capture_logs() as logs:
        assert node.digest == node.first
    assert [(each["event"], "nonsense" in each["reason"]) for each in logs] == [("the profile is refused", True)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 1, "overall": 1, "profile": 1}'])
def test_result_that_says_nothing_leaves_the_one_of_before(node: Node, text: str) -> None:
    node.edit()
    node.result.write_text(text)
    assert node.digest == node.first
