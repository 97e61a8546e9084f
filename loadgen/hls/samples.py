"""What sampled players look for in video samples: whether their NAL units fit (ISO/IEC 14496-15 section 5.3.2), and the
studio's stamp."""

from loadgen.studios.stamps import Stamp, find_stamp

_LENGTH_BYTES = 4


def nal_units(sample: bytes) -> list[bytes] | None:
    """Of a sample of avc1 with lengths of 4 bytes; None when they do not fill it exactly."""
    units = []
    position = 0
    while position + _LENGTH_BYTES <= len(sample):
        length = int.from_bytes(sample[position : position + _LENGTH_BYTES])
        position += _LENGTH_BYTES
        if not length or position + length > len(sample):
            return None
        units.append(sample[position : position + length])
        position += length
    return units if units and position == len(sample) else None


def stamp_in(sample: bytes) -> Stamp | None:
    """The studio's; None without one, or in a sample that is broken."""
    return find_stamp(nal_units(sample) or ())


def is_whole(sample: bytes) -> bool:
    """Whether its NAL units fill it."""
    return nal_units(sample) is not None
