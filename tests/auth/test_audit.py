"""What the audit trail says, and of whom it does not."""

import json
from pathlib import Path
from typing import Any

import structlog

from gateway.auth.audit import NAME, Audit, Deed
from gateway.auth.identity import Identity, Role
from gateway.clock import WallClock
from gateway.ledger.ledger import Ledger
from gateway.ledger.verification import verify
from gateway.log import PlayerHash

DEALER = Identity("192.0.2.1", frozenset({Role.PUBLISH}), frozenset({"table"}), player="dealer-clara", proof="key-2026")


HASH = PlayerHash(b"key")


def noted(note: Any) -> list[dict[str, Any]]:
    """What the log says after `note` was called with an audit."""
    with structlog.testing.capture_logs() as logs:
        note(Audit(HASH))
    return [dict(entry) for entry in logs if entry["event"] == NAME]


def test_note_is_one_line_of_who_what_and_outcome() -> None:
    entries = noted(lambda audit: audit.note(Deed.PUBLISH, "done", 1.0, DEALER, stream="table", session="s"))
    assert entries == [
        {
            "event": "audit",
            "log_level": "info",
            "deed": "publish",
            "outcome": "done",
            "client": "192.0.2.1",
            "proof": "key-2026",
            "playerHash": HASH.of("dealer-clara"),
            "stream": "table",
            "session": "s",
        }
    ]


def test_note_of_nobody_names_nobody() -> None:
    [entry] = noted(lambda audit: audit.note(Deed.KEYS, "reloaded", 1.0, keys=2))
    assert entry == {"event": "audit", "log_level": "info", "deed": "keys", "outcome": "reloaded", "keys": 2}


def test_refusals_of_one_client_are_written_a_few_at_a_time_and_the_others_counted() -> None:
    def try_often(audit: Audit) -> None:
        for _ in range(100):
            audit.note_refusal("signature", "192.0.2.9", 1.0, stream="table")
        audit.note_refusal("signature", "192.0.2.9", 2.0, stream="table")

    entries = noted(try_often)
    assert [entry["unwrittenBefore"] for entry in entries] == [0, 0, 98]
    assert {entry["outcome"] for entry in entries} == {"signature"}


def test_refusals_of_many_clients_are_bounded_too() -> None:
    def try_widely(audit: Audit) -> None:
        for number in range(1000):
            audit.note_refusal("expired", f"192.0.2.{number}", 1.0)

    assert len(noted(try_widely)) == 20


def test_trail_is_a_ledger_that_verifies_and_holds_no_name(tmp_path: Path) -> None:
    trail = Ledger(tmp_path, NAME, 1_000_000, WallClock.anchored())
    audit = Audit(HASH, trail)
    audit.note(Deed.TAKEOVER, "done", 1.0, DEALER, stream="table", session="new", replacedSession="old")
    audit.note_refusal("role", "192.0.2.9", 1.0, stream="table")
    audit.close()
    assert verify(tmp_path, NAME).kinds[NAME] == 2
    text = (tmp_path / "audit-000001.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["deed"] for line in lines if line["type"] == NAME] == ["takeover", "refusal"]
    assert "clara" not in text
