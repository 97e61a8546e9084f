"""docs/upstream.md says what is so."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.app import SHARE_FOR_BETS
from gateway.bets.handover import handover
from gateway.bets.lanes import PAUSES
from gateway.bets.signature import SIGNATURE_HEADER, signature
from gateway.bets.webhook import MAX_ANSWER_BYTES, MAX_RETRY_AFTER_S, Fate, verdict_of
from gateway.clock import unix_s
from gateway.config import UpstreamSettings
from gateway.metrics import FAMILIES
from tests.bets.table import bet

DOCUMENT = (Path(__file__).parents[2] / "docs" / "upstream.md").read_text(encoding="utf-8")
BODY = b'{"betId":"b1"}'

Verify = Callable[[bytes, str, bytes], bool]


def block(language: str) -> str:
    """The one example in that language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return str(found)


@pytest.fixture
def is_from_railbird() -> Verify:
    """The document's own code."""
    names: dict[str, Any] = {}
    exec(block("python"), names)
    verify: Verify = names["is_from_railbird"]
    return verify


def test_example_is_what_is_sent() -> None:
    placed = replace(bet(), placed_unix_s=1_767_225_600.25)
    assert json.loads(block("json")) == json.loads(handover(placed, 60.0).body)


def test_example_verifies_what_is_signed(is_from_railbird: Verify) -> None:
    assert f"`{SIGNATURE_HEADER}`" in DOCUMENT
    for age_s in (0, 299, -299):
        assert is_from_railbird(b"secret", signature(b"secret", BODY, int(unix_s()) - age_s), BODY)


def test_example_refuses_what_is_forged_or_old(is_from_railbird: Verify) -> None:
    now = int(unix_s())
    good = signature(b"secret", BODY, now)
    assert not is_from_railbird(b"another", good, BODY)
    assert not is_from_railbird(b"secret", good, BODY + b" ")
    assert not is_from_railbird(b"secret", good.replace(f"t={now}", f"t={now + 1}"), BODY)
    assert not is_from_railbird(b"secret", signature(b"secret", BODY, now - 302), BODY)
    assert not is_from_railbird(b"secret", signature(b"secret", BODY, now + 302), BODY)


@pytest.mark.parametrize(
    "header",
    ["", "t=,v1=", "t=1", "v1=00", "t=x,v1=00", "nonsense", "t=٣,v1=é", "t=-1,v1=0", "t=" + "9" * 5000, ",,,="],
)
def test_example_refuses_headers_that_are_none(is_from_railbird: Verify, header: str) -> None:
    assert not is_from_railbird(b"secret", header, BODY)


def test_signature_by_hand_is_the_signature() -> None:
    (command,) = re.findall(r"By hand: `(.*?)`", DOCUMENT)
    made = subprocess.run(
        ["sh", "-c", command], env={"t": "7", "body": BODY.decode(), "secret": "key"}, capture_output=True, check=True
    )
    assert signature(b"key", BODY, 7) == f"t=7,v1={made.stdout.split()[-1].decode()}"


def test_status_means_what_the_table_says() -> None:
    rows = {
        "| 200 to 299 | **delivered**": (Fate.DELIVERED, range(200, 300)),
        "| 408, 409, 425, 429 | tried again |": (Fate.TRY_AGAIN, (408, 409, 425, 429)),
        "| 300 to 399, 500 to 599 | tried again |": (Fate.TRY_AGAIN, (*range(300, 400), *range(500, 600))),
        "| 400 to 499, but those below | **undelivered**": (
            Fate.REFUSED,
            set(range(400, 500)) - {408, 409, 425, 429},
        ),
    }
    for row, (fate, statuses) in rows.items():
        assert row in DOCUMENT
        assert {verdict_of(status, None, 0.0).fate for status in statuses} == {fate}


def test_figures_are_those_of_the_code() -> None:
    defaults = UpstreamSettings()
    for figure in (
        f"`give_up_s` ({defaults.give_up_s:g} s)",
        f"`timeout_s` ({defaults.timeout_s:g} s)",
        f"`queue_bets` ({defaults.queue_bets:,})",
        f"`lanes` ({defaults.lanes})",
        f"for {PAUSES.after_failure_s * 1000:g} ms",
        f"from {PAUSES.first_s:g} s to {PAUSES.longest_s:g} s",
        f"up to {MAX_RETRY_AFTER_S:g} s",
        f"up to {MAX_ANSWER_BYTES // 1024} KiB",
        f"{SHARE_FOR_BETS * 100:g} % of `timeouts.shutdown_s`",
    ):
        assert figure in " ".join(DOCUMENT.split()), figure


def test_metrics_of_the_document_are_there() -> None:
    named = set(re.findall(r"railbird_\w+", DOCUMENT))
    assert named
    assert named <= FAMILIES.keys()
