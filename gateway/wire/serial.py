"""Serial-number arithmetic modulo 2**16 and 2**32 (RFC 1982, RFC 3550 appendix A.1): the one place for it."""


def delta16(newer: int, older: int) -> int:
    """Signed distance from `older` to `newer` modulo 2**16: -32768..32767."""
    return ((newer - older + 0x8000) & 0xFFFF) - 0x8000


def delta32(newer: int, older: int) -> int:
    """Signed distance from `older` to `newer` modulo 2**32: -2**31..2**31-1."""
    return ((newer - older + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def unwrap16(sequence_number: int, near: int) -> int:
    """The extended number nearest to `near` whose low 16 bits are `sequence_number`.

    It is negative only where `near` is below 2**15: a number from before the first cycle.
    """
    return near + ((sequence_number - near + 0x8000) & 0xFFFF) - 0x8000


def unwrap32(timestamp: int, near: int) -> int:
    """The extended timestamp nearest to `near` whose low 32 bits are `timestamp`; see `unwrap16`."""
    return near + ((timestamp - near + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
