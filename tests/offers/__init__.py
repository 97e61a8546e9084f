"""Offers of real browsers; README.md says which."""

from pathlib import Path


def read_offer(name: str) -> str:
    """The offer in the file `name`.sdp, as it goes over the wire."""
    return Path(__file__).with_name(f"{name}.sdp").read_text().replace("\n", "\r\n")
