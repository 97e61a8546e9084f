"""An interface that got another name between two commands, and another one that got its old name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.namespaces import LINK
from tests.node_tuner.shell import Shell, shell_in

pytestmark = [pytest.mark.netns, pytest.mark.nft]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with shell_in(tmp_path) as made:
        yield made


def test_interface_that_was_renamed_since_is_put_back_under_its_new_name(shell: Shell) -> None:
    before = shell.look()
    shell.tuner("apply")
    _rename(shell, LINK, "other0")
    shell.namespace.run("ip", "link", "add", LINK, "type", "veth", "peer", "name", "peer0")
    restored = shell.tuner("restore")
    assert restored.out.splitlines()[-1] == "9 put back; nothing is left on record."
    shell.namespace.run("ip", "link", "delete", LINK)
    _rename(shell, "other0", LINK)
    assert (shell.look(), shell.state.exists()) == (before, False)


def test_interface_that_was_renamed_since_is_tuned_once(shell: Shell) -> None:
    before = shell.look()
    shell.tuner("apply")
    _rename(shell, LINK, "other0")
    profile = write_profile(shell.directory)
    profile.write_text(profile.read_text().replace(LINK, "other0"))
    again = shell.tuner("apply", "--json", "--strict", profile=profile)
    assert (again.status, again.json["changed"], again.json["put_back"]) == (0, [], [])
    _rename(shell, "other0", LINK)
    shell.tuner("restore")
    assert (shell.look(), shell.state.exists()) == (before, False)


def _rename(shell: Shell, before: str, after: str) -> None:
    shell.namespace.run("ip", "link", "set", before, "name", after)
