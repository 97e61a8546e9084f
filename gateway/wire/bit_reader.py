"""The bits of a raw byte sequence payload (H.264 section 7.2), and its exponential Golomb numbers (section 9.1)."""

from gateway.errors import WireError

_MAX_GOLOMB_ZEROS = 31  # the largest number is 2**32 - 2


class BitReader:
    """Reads from the first bit on, up to the bit that ends every such payload (`rbsp_stop_one_bit`)."""

    __slots__ = ("_bits", "_left")

    def __init__(self, rbsp: bytes) -> None:
        """Raises WireError where there is no bit that ends it."""
        bits = int.from_bytes(rbsp, "big")
        if not bits:
            raise WireError("a raw byte sequence payload has no end")
        stop_and_zeros = (bits & -bits).bit_length()
        self._bits = bits >> stop_and_zeros
        self._left = 8 * len(rbsp) - stop_and_zeros

    def unsigned(self, bits: int) -> int:
        """The next `bits` bits: u(n). Raises WireError where there are fewer."""
        self._left -= bits
        if self._left < 0:
            raise WireError("a raw byte sequence payload is cut short")
        return self._bits >> self._left & (1 << bits) - 1

    def flag(self) -> bool:
        """The next bit: u(1). Raises WireError where there is none."""
        return self.unsigned(1) == 1

    def golomb(self, maximum: int = (1 << 32) - 2) -> int:
        """The next unsigned exponential Golomb number: ue(v).

        Raises WireError where it is cut short, longer than 32 bits can say, or above `maximum`.
        """
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > _MAX_GOLOMB_ZEROS:
                raise WireError("an exponential Golomb number has more than 32 bits")
        number = (1 << zeros) - 1 + self.unsigned(zeros)
        if number > maximum:
            raise WireError(f"{number} stands where at most {maximum} can")
        return number

    def signed_golomb(self) -> int:
        """The next signed exponential Golomb number: se(v) (section 9.1.1). Raises WireError as `golomb` does."""
        number = self.golomb()
        return (number + 1) // 2 if number & 1 else -(number // 2)
