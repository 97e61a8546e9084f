"""`railbird-ledger verify`."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.clock import WallClock, monotonic_s
from gateway.ledger.ledger import Ledger
from gateway.rounds.__main__ import main


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Of three rounds."""
    ledger = Ledger(tmp_path, "ledger", 65_536, WallClock.anchored())
    for number in range(3):
        ledger.append("round", {"roundId": str(number)}, monotonic_s())
    ledger.close()
    return tmp_path


def test_whole_ledger_is_told_with_lines_rounds_and_head(ledger: Path) -> None:
    ran = CliRunner().invoke(main, ["verify", str(ledger)])
    assert ran.exit_code == 0
    lines, rounds, head = ran.output.splitlines()
    assert (lines.split(), rounds.split()) == (["lines", "4"], ["rounds", "3"])
    name, digest, place = head.split(maxsplit=2)
    assert (name, place) == ("head", "(line 4)")
    assert digest in (ledger / "ledger.head").read_text()


def test_fault_is_told_with_its_file_and_its_line(ledger: Path) -> None:
    path = ledger / "ledger-000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"roundId":"1"', b'"roundId":"7"'))
    ran = CliRunner().invoke(main, ["verify", str(ledger)])
    assert ran.exit_code == 1
    assert ran.stderr == "ledger-000001.jsonl:3: changed: it does not have the hash that it says\n"
    assert ran.stdout == ""


def test_anchor_is_looked_for(ledger: Path) -> None:
    first = (ledger / "ledger-000001.jsonl").read_text().splitlines()[1][-66:-2]
    ran = CliRunner().invoke(main, ["verify", str(ledger), "--head", first])
    assert ran.exit_code == 0
    assert "The anchor is in it; 2 lines came after it." in ran.output
    ran = CliRunner().invoke(main, ["verify", str(ledger), "--head", "0" * 64])
    assert ran.exit_code == 1
    assert "anchor missing" in ran.stderr


def test_other_chain_of_the_directory_is_verified_by_its_name(ledger: Path) -> None:
    audit = Ledger(ledger, "audit", 65_536, WallClock.anchored())
    audit.append("publish", {"stream": "table"}, monotonic_s())
    audit.close()
    ran = CliRunner().invoke(main, ["verify", str(ledger), "--name", "audit"])
    assert ran.exit_code == 0
    assert ["publish", "1"] in [line.split() for line in ran.output.splitlines()]


def test_directory_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["verify", str(tmp_path / "nowhere")])
    assert ran.exit_code == 2
