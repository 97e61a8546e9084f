"""Writes what BitReader reads: a bit string, and numbers as H.264 codes them (section 9.1)."""


def golomb(number: int) -> str:
    """ue(v) as characters 0 and 1."""
    binary = f"{number + 1:b}"
    return "0" * (len(binary) - 1) + binary


def signed_golomb(number: int) -> str:
    """se(v) as characters 0 and 1."""
    return golomb(2 * number - 1 if number > 0 else -2 * number)


def rbsp(bits: str) -> bytes:
    """The bits, the bit that ends them, and zeros to the end of the byte."""
    ended = bits + "1"
    ended += "0" * (-len(ended) % 8)
    return bytes(int(ended[start : start + 8], 2) for start in range(0, len(ended), 8))
