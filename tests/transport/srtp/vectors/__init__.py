"""Published test vectors; README.md lists where each one is from."""

from pathlib import Path


def read_vector(name: str) -> bytes:
    """The bytes of the file `name`.hex."""
    return bytes.fromhex(Path(__file__).with_name(f"{name}.hex").read_text())
