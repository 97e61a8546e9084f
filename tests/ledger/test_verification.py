"""What is found: a line changed, removed, put elsewhere, written twice; in each place of each file."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.ledger.chain import Link, seal, written
from gateway.ledger.verification import VerificationError, verify
from tests.ledger.conftest import Open, append, lines_of, put_lines

Meddle = Callable[[list[bytes], int], list[bytes]]
"""(the lines of a file, which of them) -> what they are made into."""


@pytest.fixture
def rotated(open_ledger: Open, tmp_path: Path) -> Path:
    """A closed ledger of three files; the last is not full."""
    ledger = open_ledger()
    append(ledger, *range(25))
    ledger.close()
    assert len(list(tmp_path.glob("*.jsonl"))) == 3
    return tmp_path


def test_ledger_that_is_whole_has_its_lines_and_its_head(rotated: Path) -> None:
    verified = verify(rotated)
    assert verified.kinds == {"file": 3, "round": 25}
    assert verified.lines == verified.head.seq == 28
    assert verified.head.hash == json.loads(lines_of(rotated, 3)[-1])["hash"]
    assert verified.behind == 0


def _changed(lines: list[bytes], at: int) -> list[bytes]:
    """One digit of the time, which every line has."""
    line = re.sub(rb'("atUnixMs":)1', rb"\g<1>2", lines[at])
    assert line != lines[at]
    return [*lines[:at], line, *lines[at + 1 :]]


def _removed(lines: list[bytes], at: int) -> list[bytes]:
    return lines[:at] + lines[at + 1 :]


def _swapped(lines: list[bytes], at: int) -> list[bytes]:
    """With the next one, or the one before where there is none."""
    other = at + 1 if at + 1 < len(lines) else at - 1
    swapped = list(lines)
    swapped[at], swapped[other] = lines[other], lines[at]
    return swapped


def _doubled(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[: at + 1], lines[at], *lines[at + 1 :]]


def _emptied(lines: list[bytes], at: int) -> list[bytes]:
    return [*lines[:at], b"\n", *lines[at + 1 :]]


def _cut(lines: list[bytes], at: int) -> list[bytes]:
    """Half of the line, and nothing after it."""
    return [*lines[:at], lines[at][: len(lines[at]) // 2]]


@pytest.mark.parametrize("position", ["first", "second", "middle", "last but one", "last"])
@pytest.mark.parametrize("file", [1, 2, 3])
@pytest.mark.parametrize(
    ("meddle", "found"),
    [
        (_changed, {"changed"}),
        (_removed, {"removed", "truncated"}),
        (_swapped, {"reordered"}),
        (_doubled, {"inserted"}),
        (_emptied, {"changed"}),
        (_cut, {"truncated", "changed"}),
    ],
)
def test_line_that_is_not_as_it_was_is_found_where_it_stands(
    rotated: Path, meddle: Meddle, found: set[str], file: int, position: str
) -> None:
    lines = lines_of(rotated, file)
    at = {"first": 0, "second": 1, "middle": len(lines) // 2, "last but one": len(lines) - 2}.get(
        position, len(lines) - 1
    )
    put_lines(rotated, file, meddle(lines, at))
    with pytest.raises(VerificationError) as caught:
        verify(rotated)
    fault = caught.value
    assert fault.what in found
    assert str(fault).startswith(f"{fault.file}:{fault.line_number}: {fault.what}: ")
    first_wrong = min(at, len(lines) - 2) if meddle is _swapped else at + (meddle is _doubled)
    if meddle is _removed and at == len(lines) - 1:  # it is the next file, or the head, that misses it
        where = (f"ledger-{min(file + 1, 3):06d}.jsonl", 1 if file < 3 else len(lines) - 1)
    else:
        where = (f"ledger-{file:06d}.jsonl", first_wrong + 1)
    assert (fault.file, fault.line_number) == where


@pytest.mark.parametrize("at", [0, 1, 5])
@pytest.mark.parametrize("file", [1, 2, 3])
def test_line_of_somebody_who_knows_the_format_does_not_fit(rotated: Path, file: int, at: int) -> None:
    """Its hash is right, and it hangs on the line before; but the next one does not hang on it."""
    lines = lines_of(rotated, file)
    own = json.loads(lines[at])
    forged, _ = seal(Link(own["seq"] - 1, own["prev"]), own["atUnixMs"], own["type"], _fields(lines[at], roundId="x"))
    put_lines(rotated, file, [*lines[:at], forged, *lines[at + 1 :]])
    with pytest.raises(VerificationError, match="changed") as caught:
        verify(rotated)
    assert (caught.value.file, caught.value.line_number) == (f"ledger-{file:06d}.jsonl", at + 2)


def _fields(line: bytes, **changes: str) -> str:
    record = {name: value for name, value in json.loads(line).items() if name not in _RESERVED}
    return written(record | changes)


_RESERVED = {"seq", "prev", "atUnixMs", "type", "hash"}


def test_last_line_of_somebody_who_knows_the_format_is_not_what_the_head_names(rotated: Path) -> None:
    lines = lines_of(rotated, 3)
    own = json.loads(lines[-1])
    forged, _ = seal(Link(own["seq"] - 1, own["prev"]), own["atUnixMs"], own["type"], _fields(lines[-1], roundId="x"))
    put_lines(rotated, 3, [*lines[:-1], forged])
    with pytest.raises(VerificationError, match="the head names line 28 with another hash"):
        verify(rotated)


@pytest.mark.parametrize("file", [1, 2])
def test_file_that_is_gone_is_missed(rotated: Path, file: int) -> None:
    (rotated / f"ledger-{file:06d}.jsonl").unlink()
    with pytest.raises(VerificationError, match=rf"ledger-00000{file}\.jsonl:0: removed"):
        verify(rotated)


def test_last_file_that_is_gone_is_missed_by_the_head(rotated: Path) -> None:
    (rotated / "ledger-000003.jsonl").unlink()
    with pytest.raises(VerificationError, match=r"ledger-000002\.jsonl:\d+: truncated: .* but the head names line 28"):
        verify(rotated)


def test_empty_file_is_truncated(rotated: Path) -> None:
    put_lines(rotated, 3, [])
    with pytest.raises(VerificationError, match=r"ledger-000003\.jsonl:0: truncated: the file is empty"):
        verify(rotated)


def test_files_that_changed_places_are_found(rotated: Path) -> None:
    second, third = lines_of(rotated, 2), lines_of(rotated, 3)
    put_lines(rotated, 2, third)
    put_lines(rotated, 3, second)
    with pytest.raises(VerificationError, match=r"ledger-000002\.jsonl:1: reordered"):
        verify(rotated)


def test_file_under_another_name_is_found(rotated: Path) -> None:
    """A chain of one's own, whole in itself, whose header was meant for another file."""
    line, link = seal(Link(), 1, "file", written({"file": "ledger-000009.jsonl", "before": None}))
    for path in rotated.glob("*.jsonl"):
        path.unlink()
    put_lines(rotated, 1, [line])
    (rotated / "ledger.head").write_text(json.dumps({"seq": 1, "hash": link.hash}))
    with pytest.raises(VerificationError, match=r"reordered: the header is that of ledger-000009\.jsonl"):
        verify(rotated)


@pytest.mark.parametrize("text", [None, "", "{}", '{"seq":"x","hash":""}', "[]"])
def test_head_that_is_missing_is_a_fault(rotated: Path, text: str | None) -> None:
    (rotated / "ledger.head").unlink()
    if text is not None:
        (rotated / "ledger.head").write_text(text)
    with pytest.raises(VerificationError, match=r"ledger\.head:0: head missing"):
        verify(rotated)


def test_directory_without_a_ledger_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match=r"removed: there is no such file|there is no ledger here"):
        verify(tmp_path)


def test_all_written_anew_is_found_by_an_anchor_alone(rotated: Path, open_ledger: Open) -> None:
    anchor = verify(rotated).head.hash
    for path in rotated.iterdir():
        path.unlink()
    ledger = open_ledger()
    append(ledger, *range(25))
    ledger.close()
    assert verify(rotated).kinds["round"] == 25, "the chain alone cannot show it"
    with pytest.raises(VerificationError, match="anchor missing"):
        verify(rotated, anchor=anchor)


def test_anchor_that_was_taken_before_the_last_lines_still_holds(rotated: Path, open_ledger: Open) -> None:
    anchor = verify(rotated).head.hash
    ledger = open_ledger()
    append(ledger, *range(3))
    ledger.close()
    assert verify(rotated, anchor=anchor).after_anchor == 3
    assert verify(rotated, anchor=verify(rotated).head.hash).after_anchor == 0


def test_chain_can_be_checked_without_railbird(rotated: Path) -> None:
    """The recipe of docs/ledger.md, on bytes alone."""
    before = "0" * 64
    for number in (1, 2, 3):
        for line in lines_of(rotated, number):
            text = line.decode().removesuffix("\n")
            found = re.search(r',"hash":"([0-9a-f]{64})"\}$', text)
            assert found is not None
            assert hashlib.sha256((text[: found.start()] + "}").encode()).hexdigest() == found[1]
            assert f'"prev":"{before}"' in text
            before = found[1]
