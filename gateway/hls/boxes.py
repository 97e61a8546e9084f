"""The boxes of which an MP4 file is made (ISO/IEC 14496-12 section 4.2)."""

from struct import Struct

BOX_HEADER_BYTES = 8

_HEADER = Struct(">I4s")
_FULL_HEADER = Struct(">I4sI")


def box(box_type: bytes, *contents: bytes) -> bytes:
    """A box: its size and four bytes of `box_type`, then the contents one after another."""
    content = b"".join(contents)
    return _HEADER.pack(_HEADER.size + len(content), box_type) + content


def full_box(box_type: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    """A box whose contents begin with a version (8 bits) and flags (24 bits)."""
    content = b"".join(contents)
    return _FULL_HEADER.pack(_FULL_HEADER.size + len(content), box_type, version << 24 | flags) + content
