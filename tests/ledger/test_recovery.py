"""A ledger that is taken up again after a crash, and after somebody's hands were on it."""

import base64
import json
from pathlib import Path

import pytest

from gateway.ledger.chain import RESERVED, Link, seal, written
from gateway.ledger.verification import VerificationError, verify
from tests.ledger.conftest import Open, append, lines_of, put_lines


def _last_lines(directory: Path, number: int = 1) -> list[str]:
    return [json.loads(line)["type"] for line in lines_of(directory, number)]


def _reopen(open_ledger: Open) -> None:
    """A gateway starts, and another round ends."""
    ledger = open_ledger()
    append(ledger, "after")
    ledger.close()


@pytest.fixture
def three_rounds(open_ledger: Open, tmp_path: Path) -> Path:
    """A closed ledger with a header and three rounds."""
    ledger = open_ledger()
    append(ledger, 1, 2, 3)
    ledger.close()
    return tmp_path


def test_last_line_that_was_cut_at_any_byte_is_mended(three_rounds: Path, open_ledger: Open) -> None:
    """As a crash half way through it leaves it: the head still names the line before."""
    lines = lines_of(three_rounds, 1)
    before = json.loads(lines[-2])
    head = json.dumps({"seq": before["seq"], "hash": before["hash"]})
    for kept_bytes in range(1, len(lines[-1])):
        incomplete = lines[-1][:kept_bytes]
        put_lines(three_rounds, 1, [*lines[:-1], incomplete])
        (three_rounds / "ledger.head").write_text(head)
        _reopen(open_ledger)
        verified = verify(three_rounds)
        assert verified.kinds == {"file": 1, "round": 3, "recovered": 1}
        recovered = json.loads(lines_of(three_rounds, 1)[-2])
        assert base64.b64decode(recovered["cut"]["base64"]) == incomplete
        assert (recovered["cut"]["file"], recovered["cut"]["bytes"]) == ("ledger-000001.jsonl", kept_bytes)
        assert recovered["problem"] is None


def test_line_that_only_lacks_its_newline_is_cut_and_kept(three_rounds: Path, open_ledger: Open) -> None:
    """It was never synced, so nobody was told that it counts; its bytes are in the next line all the same."""
    lines = lines_of(three_rounds, 1)
    before = json.loads(lines[-2])
    (three_rounds / "ledger.head").write_text(json.dumps({"seq": before["seq"], "hash": before["hash"]}))
    put_lines(three_rounds, 1, [*lines[:-1], lines[-1][:-1]])
    _reopen(open_ledger)
    assert verify(three_rounds).kinds["recovered"] == 1


@pytest.mark.parametrize("kept_bytes", [0, 1, 60, 200])
def test_header_that_was_cut_is_written_anew(open_ledger: Open, tmp_path: Path, kept_bytes: int) -> None:
    """A crash at the moment of rotation."""
    ledger = open_ledger()
    while not (tmp_path / "ledger-000002.jsonl").exists():
        append(ledger, "one")
    ledger.close()
    header = lines_of(tmp_path, 2)[0]
    last = json.loads(lines_of(tmp_path, 1)[-1])
    put_lines(tmp_path, 2, [header[:kept_bytes]])
    (tmp_path / "ledger.head").write_text(json.dumps({"seq": last["seq"], "hash": last["hash"]}))
    _reopen(open_ledger)
    verified = verify(tmp_path)
    assert verified.kinds["recovered"] == bool(kept_bytes)
    assert (verified.kinds["file"], verified.kinds["round"]) == (2, len(lines_of(tmp_path, 1)))


def test_head_that_is_behind_is_brought_up(three_rounds: Path, open_ledger: Open) -> None:
    """A crash between a line and the head that names it."""
    first = json.loads(lines_of(three_rounds, 1)[0])
    (three_rounds / "ledger.head").write_text(json.dumps({"seq": first["seq"], "hash": first["hash"]}))
    assert verify(three_rounds).behind == 3
    _reopen(open_ledger)
    verified = verify(three_rounds)
    assert (verified.kinds["recovered"], verified.behind) == (0, 0)


def test_first_header_without_a_head_is_a_crash_at_the_very_first_start(open_ledger: Open, tmp_path: Path) -> None:
    open_ledger().close()
    (tmp_path / "ledger.head").unlink()
    _reopen(open_ledger)
    assert verify(tmp_path).kinds == {"file": 1, "round": 1}


def _remove_last(directory: Path) -> None:
    put_lines(directory, 1, lines_of(directory, 1)[:-1])


def _remove_all_lines(directory: Path) -> None:
    put_lines(directory, 1, [])


def _remove_file(directory: Path) -> None:
    (directory / "ledger-000001.jsonl").unlink()


def _remove_head(directory: Path) -> None:
    (directory / "ledger.head").unlink()


def _spoil_head(directory: Path) -> None:
    (directory / "ledger.head").write_text("{")


def _change_last(directory: Path) -> None:
    lines = lines_of(directory, 1)
    put_lines(directory, 1, [*lines[:-1], lines[-1].replace(b'"roundId":"3"', b'"roundId":"4"')])


def _change_second(directory: Path) -> None:
    lines = lines_of(directory, 1)
    put_lines(directory, 1, [lines[0], lines[1].replace(b'"roundId":"1"', b'"roundId":"4"'), *lines[2:]])


def _swap(directory: Path) -> None:
    first, second, *rest = lines_of(directory, 1)
    put_lines(directory, 1, [first, *reversed(rest), second])


def _forge(directory: Path, at: int) -> None:
    """By somebody who knows the format: all lines from there on hang together."""
    lines = lines_of(directory, 1)
    before = Link(at, json.loads(lines[at])["prev"])
    forged = []
    for line in lines[at:]:
        own = json.loads(line)
        record = {name: value for name, value in own.items() if name not in RESERVED} | {"bets": 0}
        sealed, before = seal(before, own["atUnixMs"], own["type"], written(record))
        forged.append(sealed)
    put_lines(directory, 1, [*lines[:at], *forged])


def _forge_last(directory: Path) -> None:
    _forge(directory, 3)


def _forge_two(directory: Path) -> None:
    _forge(directory, 2)


def _forge_behind_an_old_head(directory: Path) -> None:
    """The head still names the line before the last one, as it would after a crash."""
    third = json.loads(lines_of(directory, 1)[2])
    (directory / "ledger.head").write_text(json.dumps({"seq": third["seq"], "hash": third["hash"]}))
    _forge(directory, 2)


@pytest.mark.parametrize(
    "meddle",
    [
        _remove_last,
        _remove_all_lines,
        _remove_file,
        _remove_head,
        _spoil_head,
        _change_last,
        _change_second,
        _swap,
        _forge_last,
        _forge_two,
        _forge_behind_an_old_head,
    ],
)
def test_start_over_a_ledger_that_was_meddled_with_wipes_no_traces(
    three_rounds: Path, open_ledger: Open, meddle: object
) -> None:
    """The next start has to go on recording; it must not make whole again what was not."""
    assert callable(meddle)
    meddle(three_rounds)
    with pytest.raises(VerificationError):
        verify(three_rounds)
    _reopen(open_ledger)
    _reopen(open_ledger)
    with pytest.raises(VerificationError):
        verify(three_rounds)
    everything = b"".join(path.read_bytes() for path in three_rounds.glob("*.jsonl"))
    assert everything.count(b'"roundId":"after"') == 2


def test_garbage_behind_the_last_line_is_kept_up_to_a_bound(three_rounds: Path, open_ledger: Open) -> None:
    with (three_rounds / "ledger-000001.jsonl").open("ab") as file:
        file.write(b"\0" * 100_000)
    _reopen(open_ledger)
    recovered = next(json.loads(line) for line in lines_of(three_rounds, 1) if json.loads(line)["type"] == "recovered")
    assert recovered["cut"]["bytes"] == 100_000
    assert base64.b64decode(recovered["cut"]["base64"]) == b"\0" * 65_536
    assert verify(three_rounds).kinds["round"] == 4
