"""The offers of studio and player, and what they take from the answer.

The player's offer is what Chromium 156 makes of two recvonly transceivers, the studio's what it would offer for H264.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from gateway.transport.ice import Credentials

_PLAYER = Path(__file__).with_name("player_offer.sdp").read_text()
_STUDIO = Path(__file__).with_name("studio_offer.sdp").read_text()

_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway answered, as far as a peer needs it."""

    ufrag: str
    pwd: str
    fingerprint: tuple[str, str]
    """Algorithm and value."""
    address: tuple[str, int]
    """The first candidate."""
    payload_types: dict[str, int]
    """By kind."""


def player_offer(local: Credentials, fingerprint: str) -> str:
    """An offer to watch."""
    return _filled(_PLAYER, local, fingerprint)


def studio_offer(local: Credentials, fingerprint: str) -> str:
    """An offer to publish."""
    return _filled(_STUDIO, local, fingerprint)


def _filled(template: str, local: Credentials, fingerprint: str) -> str:
    text = template.replace("{ufrag}", local.ufrag).replace("{pwd}", local.pwd).replace("{fingerprint}", fingerprint)
    return text.replace("\n", "\r\n")


def parse_answer(text: str) -> Answer:
    """The parts of an answer of our own gateway; AttributeError or IndexError when one is missing."""
    text = text.replace("\r\n", "\n")
    sections = re.split(r"^m=", text, flags=re.MULTILINE)[1:]
    algorithm, value = _value(text, "fingerprint").split(" ", 1)
    host, port = _CANDIDATE.findall(text)[0]
    return Answer(
        ufrag=_value(text, "ice-ufrag"),
        pwd=_value(text, "ice-pwd"),
        fingerprint=(algorithm, value),
        address=(host, int(port)),
        payload_types={section.split()[0]: int(section.split()[3]) for section in sections},
    )


def _value(text: str, attribute: str) -> str:
    found = re.search(rf"^a={attribute}:(.*)$", text, re.MULTILINE)
    assert found is not None, f"the answer has no a={attribute}"
    return found[1].strip()
