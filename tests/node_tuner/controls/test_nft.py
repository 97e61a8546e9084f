"""nft(8) as it is installed, in namespaces; and others in its stead that hang, flood or are not there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from node_tuner.controls import nft
from node_tuner.controls.nft import RefusedError, listing, transact
from node_tuner.errors import UnavailableError
from tests.node_tuner.namespaces import namespace
from tests.node_tuner.privileges import NOBODY, become

TABLE = {"family": "inet", "name": "railbird_test"}
MAKE = {"add": {"table": TABLE}}
FAIL = {"delete": {"table": {"family": "inet", "name": "nobody_made_it"}}}


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in nft's place."""

    def place(script: str) -> None:
        path = tmp_path / "nft"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return place


@pytest.mark.netns
@pytest.mark.nft
def test_transaction_of_which_a_part_fails_changes_nothing() -> None:
    with namespace() as inside:
        with pytest.raises(RefusedError, match=r"^nft: .*No such file or directory"):
            inside.call(lambda: transact([MAKE, FAIL]))
        assert inside.call(lambda: listing(TABLE["name"])) is None
        inside.call(lambda: transact([MAKE]))
        assert inside.call(lambda: listing(TABLE["name"])) is not None


@pytest.mark.netns
@pytest.mark.nft
def test_dry_transaction_is_refused_as_the_real_one_and_changes_nothing() -> None:
    with namespace() as inside:
        inside.call(lambda: transact([MAKE], is_dry=True))
        assert inside.call(lambda: listing(TABLE["name"])) is None
        with pytest.raises(RefusedError):
            inside.call(lambda: transact([FAIL], is_dry=True))


@pytest.mark.netns
@pytest.mark.nft
@pytest.mark.parametrize(
    "attempt",
    [lambda: transact([MAKE]), lambda: transact([MAKE], is_dry=True), lambda: listing(TABLE["name"])],
    ids=["transact", "dry", "listing"],
)
@pytest.mark.parametrize(
    ("capabilities", "reason"),
    [((), r"^needs CAP_NET_ADMIN(\n|$)"), (("CAP_NET_ADMIN",), "^needs CAP_NET_ADMIN as an ambient capability")],
)
def test_nft_without_the_capability_says_which(
    attempt: Callable[[], object], capabilities: tuple[str, ...], reason: str
) -> None:
    def unprivileged() -> None:
        become(NOBODY, *capabilities)
        attempt()

    with namespace() as inside:
        with pytest.raises(UnavailableError, match=reason):
            inside.call(unprivileged)
        assert "railbird" not in inside.run("nft", "list", "ruleset")


def test_nft_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nft, "_SEARCHED", str(tmp_path))
    with pytest.raises(UnavailableError, match="install nftables"):
        listing(TABLE["name"])


def test_nft_that_does_not_end_is_killed(stand_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in("exec sleep 3600")
    monkeypatch.setattr(nft, "LIMIT_S", 0.1)
    with pytest.raises(UnavailableError, match=r"did not end within 0\.1 s"):
        listing(TABLE["name"])


def test_nft_that_floods_is_killed(stand_in: Callable[[str], None]) -> None:
    stand_in("exec cat /dev/zero")
    with pytest.raises(UnavailableError, match="more than 4194304 bytes"):
        listing(TABLE["name"])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'Error: JSON support not compiled-in' >&2; exit 1", "^nft: JSON support not compiled-in$"),
        ("exit 3", "^nft: exit status 3, and no word$"),
        ("printf '\\377' >&2; exit 1", "^nft: \ufffd$"),
    ],
)
def test_nft_that_fails_is_quoted(stand_in: Callable[[str], None], script: str, reason: str) -> None:
    stand_in(script)
    with pytest.raises(RefusedError, match=reason):
        listing(TABLE["name"])


def test_nft_speaks_english_wherever_it_is(stand_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    stand_in('echo "Error: $LC_ALL" >&2; exit 1')
    with pytest.raises(RefusedError, match=r"^nft: C$"):
        listing(TABLE["name"])
